"""Cuts output that comes in pieces into blocks of whole lines, with bounded memory."""

from collections.abc import Iterator

from attrs import define, field

LONGEST = 65_536
"""Bytes of a line that are kept together; a longer one is cut, at a space if it has one."""


@define
class LineBlocks:
    """Where long lines are cut depends on the bytes alone, not on the pieces they came in."""

    _held: bytes = field(default=b"", init=False)

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The blocks that are complete now: whole lines, or parts of a long one."""
        held = self._held + piece
        end = held.rfind(b"\n") + 1
        self._held = held[end:]
        if end > LONGEST:
            for line in held[: end - 1].split(b"\n"):
                yield from _parts(line + b"\n")
        elif end:
            yield held[:end]
        if len(self._held) > LONGEST:
            *whole, self._held = _parts(self._held)
            yield from whole

    def end(self) -> Iterator[bytes]:
        """The last line, if it has no newline."""
        held, self._held = self._held, b""
        if held:
            yield held


def _parts(line: bytes) -> Iterator[bytes]:
    """One line in parts of at most LONGEST bytes; cut at spaces, so that no number is torn."""
    while len(line) > LONGEST:
        size = line.rfind(b" ", 0, LONGEST) + 1 or LONGEST
        yield line[:size]
        line = line[size:]
    yield line
