"""What a step is given and what it must return."""

from collections.abc import Callable
from typing import Protocol

from attrs import evolve, frozen

from agent_runner.model.events import Fact, TaskEvent
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import Settings
from agent_runner.model.signals import Signal
from agent_runner.model.task import Task


@frozen
class Work:
    """One task in one state, as a step sees it. `record` stays what it was when this was made.

    `note` keeps a fact durably before the step acts on it; `jot` keeps one that may become durable
    together with the next. `current` gives the record as those facts left it.
    """

    task: Task
    record: TaskRecord
    settings: Settings
    run: str
    note: Callable[[Fact], None]
    jot: Callable[[Fact], None]
    current: Callable[[], TaskRecord]
    signal: Callable[[Signal], None]

    def refreshed(self) -> "Work":
        """The same work with the record as it is now."""
        return evolve(self, record=self.current())


@frozen
class Halt:
    """Returned by a step in place of an event: the task stays where it is, the run stops.

    `reason` is a word of `model.events.STOP_REASONS`; `fix` what to do or type; `not_before` in
    epoch seconds.
    """

    reason: str
    detail: str
    fix: str = ""
    not_before: float | None = None


class Step(Protocol):
    """The effect of one state. It never moves the machine, never prints, never writes state."""

    async def __call__(self, work: Work) -> TaskEvent | Halt:
        """Do the work and return exactly one event.

        Or `Halt`, when the run cannot go on and the task is not at fault.

        May be cancelled at every wait; what it then left undone, the next call of it finds in the
        record.
        """
