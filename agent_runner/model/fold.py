"""The state of a run, folded from the journal: `RunState.take` is the only way it changes."""

from functools import lru_cache

from attrs import define, field, frozen

from agent_runner.model import events as e
from agent_runner.model.evolve import evolve
from agent_runner.model.record import Counts, TaskRecord
from agent_runner.model.replacing import evolve as replaced
from agent_runner.model.spending import Spending
from agent_runner.model.states import STEPS, TaskState


@frozen
class Entry:
    """One journal record.

    `seq`: from 1, without gaps. `at`: epoch seconds, UTC. `task`: its id, "" for the run's own
    entries. `to`: the state that the task moved to, None where it did not move.
    """

    seq: int
    at: float
    task: str
    event: e.Event
    to: TaskState | None = None


@frozen
class RunInfo:
    """The last run; `stopped` is None while it is on, and for good if it ended uncleanly."""

    started: e.RunStarted
    started_at: float
    stopped: e.RunStopped | None = None
    stopped_at: float | None = None


@define
class RunState:
    """Everything that the journal says, as of entry `seq`.

    A mutable holder of immutable records: with 10,000 tasks, a new mapping for each entry would
    make one run quadratic.
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
        after = evolve(before, entry.event)
        self.tasks[entry.task] = _moved(
            after, before.state, to, entry.at, live=live, waited=before.waits_for_limit
        )
        # decisions between two runs move tasks too, but no step of theirs is being worked on
        if live:
            self.current = entry.task if to in STEPS else None

    def _take_run(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, e.RunStarted):
            # before the new run takes the old one's place: only the old one says how it ended
            if self.run is not None and self.run.stopped is None:
                self._count_unclean_stop()
            self.list_id = event.list_id
            self.run = RunInfo(event, entry.at)
            # the time between two runs is nobody's: the step in hand counts from here on
            if self.current:
                record = self.record(self.current)
                spent = replaced(record.spent, running_since=entry.at)
                self.tasks[self.current] = replaced(record, spent=spent)
        elif isinstance(event, e.RunStopped) and self.run is not None:
            self.run = replaced(self.run, stopped=event, stopped_at=entry.at)

    def _count_unclean_stop(self) -> None:
        """The run before this one never said that it stopped: the task in hand is suspected."""
        record = self.record(self.current) if self.current else None
        if record is not None and record.state in STEPS:
            counts = replaced(record.counts, crashes=record.counts.crashes + 1)
            self.tasks[record.id] = replaced(record, counts=counts)


def _moved(
    record: TaskRecord, left: TaskState, to: TaskState, at: float, *, live: bool, waited: bool
) -> TaskRecord:
    """The record in the state it moved to, with the time in the step that was left added up.

    A clock set back adds nothing, nor does a wait for a limit. Finished hooks of the state that is
    left are forgotten; one that was running when a runner died stays known until the next run has
    ended it.
    """
    spent, since = record.spent, record.spent.running_since
    seconds = spent.seconds
    if live and left in STEPS and since is not None and not waited:
        seconds += max(0.0, at - since)
    spent = replaced(spent, seconds=seconds, running_since=at if live and to in STEPS else None)
    if to is left:
        return replaced(record, spent=spent)
    return replaced(
        record,
        state=to,
        counts=_shared(record.counts),
        spent=spent,
        judgement=replaced(record.judgement, finished=()),
    )


@lru_cache(maxsize=1024)
def _shared(counts: Counts) -> Counts:
    """The same counts, one instance for all tasks that have them: most of a long list are equal."""
    return counts
