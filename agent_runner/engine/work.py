"""What a step is given (`Work`) and what it must return: one event, or a `Halt`."""

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
    """One task in one state, as a step sees it.

    Attributes:
        task: What a person wrote.
        record: What is known of the task. It stays as it was when this value was made; facts that
            the step journals since then are in `latest()`.
        settings: The configuration as it holds for this task.
        run: Id of the run.
        journal: Keeps a fact. What follows from it may be done when this returns: `durability`
            says which facts a power cut may not take.
        latest: The record with all facts in it that were journaled meanwhile.
        signal: Tells the observers something that nobody needs to remember.
    """

    task: Task
    record: TaskRecord
    settings: Settings
    run: str
    journal: Callable[[Fact], None]
    latest: Callable[[], TaskRecord]
    signal: Callable[[Signal], None]

    def refreshed(self) -> "Work":
        """The same work with the record as it is now."""
        return evolve(self, record=self.latest())


@frozen
class Halt:
    """The run cannot go on and no task is at fault: the task stays where it is, the run stops.

    Attributes:
        reason: A word of `model.events.STOP_REASONS`.
        detail: What happened, for people.
        fix: What to do or type next.
        not_before: When it is worth while to try again (epoch seconds).
    """

    reason: str
    detail: str
    fix: str = ""
    not_before: float | None = None


class Step(Protocol):
    """The effect of one state. It never moves the machine, never prints, never writes state."""

    async def __call__(self, work: Work) -> TaskEvent | Halt:
        """Do the work and return exactly one event; `Halt` where that would blame the task.

        It may be cancelled at every wait. What it then left undone is in the record, where the
        next call of it, by this run or another, finds it.
        """
