"""What the screen may show and nobody needs to keep: never journaled."""

from typing import Protocol

from attrs import frozen

from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord


@frozen
class Signal:
    """Base of all signals; `task` is the task in hand, "" for the run's own."""

    task: str


@frozen
class Said(Signal):
    """A line worth showing once: `level` is `note` or `warning`."""

    text: str
    level: str = "note"


@frozen
class HookOutput(Signal):
    """A piece of a running hook's output, as it came; at most 64 KiB."""

    hook: str
    chunk: bytes


@frozen
class Receiving(Signal):
    """The agent's answer arrives: about `tokens` of it so far, 0 before the first."""

    call: str
    tokens: int


@frozen
class Waiting(Signal):
    """Nothing happens until `until` (epoch seconds) because of `why`; sent again as time passes."""

    until: float
    why: str


@frozen
class Working(Signal):
    """What is being done for the task now, in two or three words, where no entry says it.

    `baseline`, `reading the tree`.
    """

    what: str


class Observer(Protocol):
    """Sees every entry after it is durable and the task has moved, and the signals between.

    Must not raise.
    """

    def entry(self, entry: Entry, before: TaskRecord | None, after: TaskRecord | None) -> None:
        """An entry is durable, and its task has moved.

        `before` and `after` are the task's record around it; None for the run's own entries.
        """

    def signal(self, signal: Signal) -> None:
        """Something happened that is not kept."""
