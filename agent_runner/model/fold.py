"""The state of a run, folded from the journal.

`RunState.take(entry)` is the only way it changes.
"""

from typing import Any

from attrs import define, evolve as replaced, field, frozen

from agent_runner.model import events as e
from agent_runner.model.evolve import evolve
from agent_runner.model.record import TaskRecord, leaving
from agent_runner.model.spending import Spending
from agent_runner.model.states import STEPS, TaskState


@frozen
class Entry:
    """One journal record.

    Its number, time (epoch seconds, UTC), task ("" for the run's own) and the state moved to.
    """

    seq: int
    at: float
    task: str
    event: e.Event
    to: TaskState | None = None


@frozen
class RunInfo:
    """The last run: `stopped` None means it still goes on or ended uncleanly."""

    started: e.RunStarted
    started_at: float
    stopped: e.RunStopped | None = None
    stopped_at: float | None = None


@define
class RunState:
    """Everything that the journal says, as of entry `seq`.

    One mutable holder; the records in it are immutable.
    """

    list_id: str = ""
    seq: int = 0
    run: RunInfo | None = None
    current: str | None = None
    tasks: dict[str, TaskRecord] = field(factory=dict)
    spending: Spending = field(factory=Spending)

    def record(self, task_id: str) -> TaskRecord:
        """The task's record; a fresh one if nothing has happened to it."""
        return self.tasks.get(task_id) or TaskRecord(task_id)

    def take(self, entry: Entry) -> None:
        """Fold one entry in. The entry's own state is trusted: replay asks no guard."""
        self.seq = entry.seq
        self.spending.take(entry.at, entry.task, entry.event)
        if entry.task:
            self._take_task(entry)
        else:
            self._take_run(entry)

    def _take_task(self, entry: Entry) -> None:
        before = self.record(entry.task)
        to = before.state if entry.to is None else entry.to
        live = self.run is not None and self.run.stopped is None
        beside = {**leaving(before, to), **_timed(before, to, entry.at, live=live)}
        self.tasks[entry.task] = evolve(before, entry.event, **beside)
        if live:
            self.current = entry.task if to in STEPS else None

    def _take_run(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, e.RunStarted):
            if self.run is not None and self.run.stopped is None:
                self._count_unclean_stop()
            self.list_id = event.list_id
            self.run = RunInfo(event, entry.at)
            if self.current:
                record = self.record(self.current)
                self.tasks[self.current] = replaced(record, since=entry.at)
        elif isinstance(event, e.RunStopped) and self.run is not None:
            self.run = replaced(self.run, stopped=event, stopped_at=entry.at)

    def _count_unclean_stop(self) -> None:
        """The run before this one never said that it stopped: the task in hand is suspected."""
        record = self.record(self.current) if self.current else None
        if record is not None and record.state in STEPS:
            self.tasks[record.id] = replaced(record, crashes=record.crashes + 1)


def _timed(before: TaskRecord, to: TaskState, at: float, *, live: bool) -> dict[str, Any]:
    """The time spent in a step while a run was live is added; a clock set back adds nothing."""
    seconds = before.seconds
    if live and before.state in STEPS and before.since is not None:
        seconds += max(0.0, at - before.since)
    return {"seconds": seconds, "since": at if live and to in STEPS else None}
