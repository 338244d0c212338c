"""How much a run tries: examples of a property, and a share of an enumeration that takes long."""

from collections.abc import Sequence
from typing import TypeVar

from attrs import frozen
from hypothesis import settings

T = TypeVar("T")

USUAL = 100
"""Examples that hypothesis tries where a test names no number and nobody explores."""


def examples(number: int) -> settings:
    """Settings with this many examples, and with as many times more as the profile tries."""
    return settings(max_examples=number * settings().max_examples // USUAL)


@frozen
class Share:
    """One of `parts` equal parts, dealt like cards; `number` may be any count, and goes round.

    A neighbour in an enumeration (the next system call, the next moment) is the next share's, so
    that each share reaches over the whole of it.
    """

    number: int = 0
    parts: int = 1

    @classmethod
    def parse(cls, text: str) -> "Share":
        """Read `3/10`, which is the same as `13/10`; ValueError where it is neither."""
        number, _, parts = text.partition("/")
        share = cls(int(number), int(parts))
        if share.parts < 1:
            raise ValueError(text)
        return share

    def of(self, everything: Sequence[T]) -> Sequence[T]:
        """The members that are in this share, in their order."""
        return everything[self.number % self.parts :: self.parts]
