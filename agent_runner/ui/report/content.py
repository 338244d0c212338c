"""All that a report shows, as plain values: gathered from a list, its state and its journal."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from attrs import define, field, frozen

from agent_runner.limits.report import Counter
from agent_runner.model import events as e
from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import FINAL, STEPS, TaskState
from agent_runner.ui.attempts import Attempt, HookFailure, history
from agent_runner.ui.narration import Timeline
from agent_runner.ui.tally import Tally


@frozen
class Span:
    """A time that a task spent in a state; `begin` and `end` in epoch seconds."""

    state: TaskState
    begin: float
    end: float


@frozen
class Spent:
    """What all calls came to at a time: tokens and dollars since the beginning."""

    at: float
    tokens: int
    cost: float


@frozen
class Line:
    """A line of a task's story: when, what, and what is told with it."""

    at: float
    text: str
    details: tuple[str, ...]


@frozen
class Turn:
    """A call: its name, what was asked and what was answered, and the folder with the whole."""

    call: str
    asked: str
    answered: str
    folder: str


@frozen
class TaskPage:
    """What is shown of one task; `diff` and `turns` are looked up when they are asked for."""

    id: str
    title: str
    word: str
    state: TaskState
    record: TaskRecord
    spans: tuple[Span, ...]
    story: tuple[Line, ...]
    attempts: tuple[Attempt, ...]
    failures: tuple[HookFailure, ...]
    held_by: tuple[str, ...]
    diff: Callable[[], str]
    turns: Callable[[], Iterable[Turn]]


@frozen
class Report:
    """A list as it stands.

    Attributes:
        name: The list's file.
        summary: One line of totals.
        next_steps: What a person is to do, a line each.
        counters: How full the limits are now.
        spent: The use over time, oldest first.
        begin, end: Epoch seconds of the first and the last entry; both 0 without any.
        needs_person: Ids of tasks that wait for somebody, in list order.
        command: Words a command to type.
    """

    name: str
    summary: str
    next_steps: tuple[str, ...]
    counters: tuple[Counter, ...]
    spent: tuple[Spent, ...]
    tasks: tuple[TaskPage, ...]
    begin: float
    end: float
    needs_person: tuple[str, ...]
    command: Callable[..., str]


@define
class _Gathering:
    """Entries of all tasks, taken one after the other."""

    spans: dict[str, list[Span]] = field(factory=dict)
    _open: dict[str, tuple[TaskState, float]] = field(factory=dict)
    _resting: dict[str, TaskState] = field(factory=dict)
    last: float = 0.0

    def take(self, entry: Entry) -> None:
        """Close and open spans; while no run is on, no task is in a step."""
        if isinstance(entry.event, e.RunStarted):
            self._rest(self.last)  # the run before it may have been killed
        elif isinstance(entry.event, e.RunStopped):
            self._rest(entry.at)
        elif entry.task and entry.to is not None:
            self._close(entry.task, entry.at)
            if entry.to in STEPS:
                self._open[entry.task] = (entry.to, entry.at)
        elif entry.task in self._resting:
            self._open[entry.task] = (self._resting.pop(entry.task), entry.at)
        self.last = entry.at

    def finish(self) -> None:
        """Close what is still open."""
        self._rest(self.last)

    def _rest(self, at: float) -> None:
        for task in list(self._open):
            self._resting[task] = self._open[task][0]
            self._close(task, at)

    def _close(self, task: str, at: float) -> None:
        self._resting.pop(task, None)
        opened = self._open.pop(task, None)
        if opened is not None:
            self.spans.setdefault(task, []).append(Span(opened[0], opened[1], max(at, opened[1])))


@frozen
class Sources:
    """Where a task's own things are looked up, by its id.

    `diff`: what it changed as a patch, "" for nothing. `turns`: its answered calls.
    """

    record: Callable[[str], TaskRecord]
    diff: Callable[[str], str]
    turns: Callable[[str], Iterable[Turn]]


def gather(
    tally: Tally,
    entries: tuple[Entry, ...],
    counters: Iterable[Counter],
    next_steps: tuple[str, ...],
    sources: Sources,
) -> Report:
    """A report of the list as the journal's entries tell it."""
    gathering, by_task = _Gathering(), _by_task(entries)
    for entry in entries:
        gathering.take(entry)
    gathering.finish()
    tasks = tuple(
        _task_page(
            tally,
            sources.record(task.id),
            by_task.get(task.id, ()),
            tuple(gathering.spans.get(task.id, ())),
            partial(sources.diff, task.id),
            partial(sources.turns, task.id),
        )
        for task in tally.listed
    )
    return Report(
        name=tally.tasks.id,
        summary=tally.closing_line(),
        next_steps=next_steps,
        counters=tuple(counters),
        spent=tuple(_spent(entries)),
        tasks=tasks,
        begin=entries[0].at if entries else 0.0,
        end=entries[-1].at if entries else 0.0,
        needs_person=tuple(task.id for task in tasks if task.state is TaskState.ESCALATED),
        command=tally.command,
    )


def _by_task(entries: tuple[Entry, ...]) -> Mapping[str, list[Entry]]:
    """The entries of each task with the run's own between them, which may interrupt it."""
    found: dict[str, list[Entry]] = {}
    unfinished: set[str] = set()
    for entry in entries:
        if entry.task:
            found.setdefault(entry.task, []).append(entry)
            if entry.to is not None:
                (unfinished.discard if entry.to in FINAL else unfinished.add)(entry.task)
        else:
            for task in unfinished:
                found[task].append(entry)
    return found


def _spent(entries: Iterable[Entry]) -> Iterator[Spent]:
    tokens, cost = 0, 0.0
    for entry in entries:
        event = entry.event
        if isinstance(event, e.CallSettled) and event.usage is not None:
            tokens += event.usage.total
            cost += event.cost or 0.0
            yield Spent(entry.at, tokens, cost)


def _task_page(
    tally: Tally,
    record: TaskRecord,
    entries: Iterable[Entry],
    spans: tuple[Span, ...],
    diff: Callable[[], str],
    turns: Callable[[], Iterable[Turn]],
) -> TaskPage:
    timeline, story = Timeline(record.id), []
    for entry in entries:
        story += [Line(one.at, one.line.text, one.line.details) for one in timeline.take(entry)]
    past = history(record.id, entries)
    return TaskPage(
        id=record.id,
        title=tally.title(record.id),
        word=tally.word(record.id),
        state=record.state,
        record=record,
        spans=spans,
        story=tuple(story),
        attempts=tuple(past.attempts),
        failures=tuple(past.failures),
        held_by=tally.held_by(tally.tasks[record.id]),
        diff=diff,
        turns=turns,
    )
