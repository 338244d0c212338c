"""Journal entries as lines for people: on a screen while they happen, in `why` ever after."""

from collections.abc import Iterable, Iterator

from attrs import define, evolve, field, frozen

from agent_runner.ground.clock import local
from agent_runner.model import events as e
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.record import TaskRecord
from agent_runner.model.signals import Said
from agent_runner.model.states import FINAL, STEPS, TaskState
from agent_runner.ui import words
from agent_runner.ui.event_lines import LogLine, Tone, line_of


def screen_lines(entry: Entry, after: TaskRecord | None) -> tuple[LogLine, ...]:
    """What a screen adds for an entry, `after` being the task's record then; often nothing.

    The start of a task and the run's own entries are left out: each screen marks them in its own
    way. A task that has come to an end, or needs a person, has a line on what it took. Why it needs
    one is left to the summary that follows, whose last words are the reason.
    """
    if after is None or isinstance(entry.event, e.Started):
        return ()
    lines = _event_lines(entry, after)
    if entry.to is TaskState.ESCALATED:
        lines = (*lines, LogLine("failed, needs a person", Tone.BAD))
    if entry.to in FINAL or entry.to is TaskState.ESCALATED:
        return (*lines, LogLine(cost_words(after), Tone.DIM))
    return lines


def log_lines(entry: Entry, after: TaskRecord) -> tuple[LogLine, ...]:
    """What an entry says of a task, and that the task needs a person now, where it does."""
    lines = _event_lines(entry, after)
    if entry.to is TaskState.ESCALATED:
        reason = words.first_line(after.last_error)
        return (*lines, LogLine(f"failed, needs a person: {reason}", Tone.BAD))
    return lines


def _event_lines(entry: Entry, after: TaskRecord) -> tuple[LogLine, ...]:
    line = line_of(entry.event, after)
    return () if line is None else (line,)


def said_line(said: Said) -> LogLine:
    """The line of what was said in passing, with its level in front where that is a warning."""
    text = words.clean(said.text)
    if said.level != "warning":
        return LogLine(text)
    return LogLine(f"warning: {text}", Tone.WARN)


def cost_words(record: TaskRecord) -> str:
    """`2 attempts, 1 failure, 3 calls, 12.3k tokens, $0.12, 1m05s`: what a task took."""
    counts, spent = record.counts, record.spent
    facts = [words.plural(counts.attempts, "attempt")]
    facts.extend([words.plural(counts.failures, "failure")] if counts.failures else [])
    facts.append(words.plural(record.calls, "call"))
    facts.append(words.tokens_used(spent.usage.total, at_least=spent.usage.at_least))
    facts.extend([words.money(spent.cost)] if spent.cost else [])
    return ", ".join([*facts, words.duration(spent.seconds)])


@frozen
class TimedLine:
    """A line of a task's history.

    Attributes:
        at: When it happened, in epoch seconds.
        line: What happened.
        opens: Whether a new paragraph begins with it.
    """

    at: float
    line: LogLine
    opens: bool


@define
class Timeline:
    """A task's history, entry by entry, from the beginning of the journal."""

    task_id: str
    _state: RunState = field(factory=RunState)

    @property
    def record(self) -> TaskRecord:
        """The task's record as of the last entry taken."""
        return self._state.record(self.task_id)

    def take(self, entry: Entry) -> tuple[TimedLine, ...]:
        """The lines of the next entry.

        Other tasks have none; the run's own entries have some where they interrupted this task.
        """
        if entry.task not in {"", self.task_id}:
            return ()
        run = self._state.run
        self._state.take(entry)
        if not entry.task and self.record.state not in STEPS:
            return ()
        lines = log_lines(entry, self.record)
        if isinstance(entry.event, e.RunStarted) and run is not None and run.stopped is None:
            # No entry says so: a run that is killed writes no last word.
            lines = (evolve(lines[0], details=("the run before it ended uncleanly",)),)
        opens = isinstance(entry.event, _OPENING)
        return tuple(
            TimedLine(entry.at, line, opens=opens and not number)
            for number, line in enumerate(lines)
        )


_OPENING = (
    *(e.Started, e.RunStarted, e.CallStarted),
    *(e.Retried, e.Skipped, e.Reset, e.Checked, e.Undone, e.TakenBack, e.Aborted),
)
"""What a new paragraph of a history begins with: attempts, runs and decisions."""


def why_lines(task_id: str, title: str, entries: Iterable[Entry]) -> Iterator[str]:
    """`agent-runner why`: what happened to a task, day by day, and where it stands now."""
    return (line.text for line in why_log(task_id, title, entries))


def why_log(task_id: str, title: str, entries: Iterable[Entry]) -> Iterator[LogLine]:
    """The same with the tone of each line, for a terminal."""
    timeline, shown_day, first = Timeline(task_id), "", True
    for entry in entries:
        for one in timeline.take(entry):
            date, time, zone = local(one.at, seconds=True).split(maxsplit=2)
            day = f"{date} ({zone})"
            if (day != shown_day or one.opens) and not first:
                yield LogLine("")
            if day != shown_day:
                yield LogLine(day)
            shown_day, first = day, False
            yield LogLine(f"{time}  {one.line.text}", one.line.tone)
            under = " " * len(time)
            yield from (LogLine(f"{under}  | {text}", Tone.DIM) for text in one.line.details)
    if not first:
        yield LogLine("")
    yield from map(LogLine, _standing(timeline.record, title))


def _standing(record: TaskRecord, title: str) -> Iterator[str]:
    name = f"{record.id} ({words.clean(title)})" if title else record.id
    if record.state is TaskState.PENDING and not record.counts.attempts:
        yield f"{name} is pending; nothing has happened yet."
        return
    yield f"{name} {_STANDS[words.record_word(record)]}. It took {cost_words(record)}."
    if record.spent.possibly_billed:
        yield f"{words.plural(record.spent.possibly_billed, 'lost call')} may have been billed."


_STANDS = {
    "pending": "is pending again",
    "running": "is in the middle of a step",
    **words.PASSED,
    "failed": "needs a person",
    "skipped": "was skipped",
}
