"""One entry of the journal as lines for people: what happened, in the tone in which it is shown."""

import enum
from collections.abc import Callable
from typing import Any

from attrs import frozen

from agent_runner.ground.clock import local
from agent_runner.model import events as e
from agent_runner.model.fold import Entry
from agent_runner.model.hooks import Phase
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import FINAL, TaskState
from agent_runner.ui import words
from agent_runner.ui.words import decisive, outcome_words


class Tone(enum.StrEnum):
    """How a line is meant; a screen gives each its colour."""

    DIM = "dim"
    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    DETAIL = "detail"


@frozen
class Line:
    """One line. `DETAIL` belongs to the line before it."""

    text: str
    tone: Tone = Tone.PLAIN


def narrate(entry: Entry, after: TaskRecord | None) -> tuple[Line, ...]:
    """The lines for a task's entry, `after` being its record then.

    Empty for what nobody needs to read.

    The beginning of a task and the run's own entries are told by each screen in its own way.
    """
    if after is None:
        return ()
    tell = _TELLING.get(type(entry.event), _nothing_more)
    lines = tell(entry.event, after)
    if entry.to is TaskState.ESCALATED:
        reason = Line(f"failed, needs a person: {words.first_line(after.last_error)}", Tone.BAD)
        return (*lines, reason, Line(cost_words(after), Tone.DIM))
    return (*lines, Line(cost_words(after), Tone.DIM)) if entry.to in FINAL else lines


def cost_words(record: TaskRecord) -> str:
    """`2 attempts, 1 failure, 3 calls, 12.3k tokens, $0.12, 1m05s`: what a task took."""
    facts = [words.plural(record.counts.attempts, "attempt")]
    facts.extend(
        [words.plural(record.counts.failures, "failure")] if record.counts.failures else []
    )
    facts.append(words.plural(record.counts.calls_answered, "call"))
    facts.append(f"{words.count(record.spent.usage.total)} tokens")
    facts.extend([words.money(record.spent.cost)] if record.spent.cost else [])
    return ", ".join([*facts, words.duration(record.spent.seconds)])


def called(event: e.CallSettled) -> str:
    """What came of a call: `answered in 3.2s: 1.2k tokens in, 340 out, $0.01`."""
    if event.outcome != "answered":
        again = f"; next try {local(event.not_before, seconds=True)}" if event.not_before else ""
        billed = " (possibly billed)" if event.outcome == "lost" else ""
        word = {"lost": "no answer", "refused": "refused by the provider"}
        told = word.get(event.outcome, event.outcome)
        return f"{told}{billed}: {words.clean(event.reason)}{again}"
    facts = []
    if event.usage is not None:
        about = "about " if event.usage.estimated else ""
        facts.append(f"{about}{words.count(event.usage.input)} tokens in")
        facts.append(f"{words.count(event.usage.output)} out")
        facts.extend([f"{words.count(event.usage.cached)} cached"] if event.usage.cached else [])
    facts.extend([words.money(event.cost)] if event.cost else [])
    found = "answer found on disk" if event.adopted else "answered"
    told = f"{found} in {words.duration(event.seconds)}" if event.seconds else found
    return f"{told}: {', '.join(facts)}" if facts else told


def changed(event: e.Applied) -> str:
    """`changed a.py, b.py (2 files: +10 -2)`: which files, then the step's own summary."""
    if not event.paths:
        return "changed nothing"
    size = words.clean(event.summary) or words.plural(len(event.paths), "file")
    return f"changed {words.listed(event.paths)} ({size})"


def set_aside(event: e.SetAside) -> str:
    """`claude is set aside until TIME, openai is asked in its place: overloaded`."""
    until = local(event.until, seconds=True)
    place = f"{event.instead} is asked in its place" if event.instead else "no other can be asked"
    return f"{event.provider} is set aside until {until}, {place}: {words.clean(event.reason)}"


def _hook_finished(event: e.HookFinished, after: TaskRecord) -> tuple[Line, ...]:
    result = event.result
    if event.phase is Phase.POST and after.state is TaskState.PRE_HOOKS:
        # before the work its judges are mostly red: that is no failure yet, and no wall of text
        return (Line(f"baseline {result.hook}: {outcome_words(result)}", Tone.DIM),)
    text = f"{event.phase.value}-hook {result.hook}: {outcome_words(result)}"
    if result.green:
        return (Line(text, Tone.DIM if not result.flaky else Tone.WARN),)
    details = (Line(line, Tone.DETAIL) for line in decisive(result.excerpt))
    return (Line(text, Tone.WARN), *details)


def _baseline(event: e.BaselineTaken, _after: TaskRecord) -> tuple[Line, ...]:
    if event.green:
        return (Line("before the first call: checks are green", Tone.DIM),)
    failing = f", {len(event.failing)} failing" if event.failing else ""
    return (Line(f"before the first call: checks are already red{failing}", Tone.DIM),)


def _call_started(event: e.CallStarted, _after: TaskRecord) -> tuple[Line, ...]:
    model = f" ({event.model})" if event.model else ""
    again = f", turn {event.turn}" if event.turn > 1 else ""
    asked = f"attempt {event.attempt}{again}: asking {event.provider}{model}"
    return (Line(asked, Tone.DIM),)


def _call_settled(event: e.CallSettled, after: TaskRecord) -> tuple[Line, ...]:
    tone = Tone.DIM if event.outcome == "answered" else Tone.WARN
    return (Line(f"attempt {after.counts.attempts}: {called(event)}", tone),)


def _set_aside(event: e.SetAside, _after: TaskRecord) -> tuple[Line, ...]:
    return (Line(set_aside(event), Tone.WARN),)


def _consulted(event: e.Consulted, _after: TaskRecord) -> tuple[Line, ...]:
    return (Line(f"the agent looks at {words.listed(event.requested) or 'more'}", Tone.DIM),)


def _unusable(event: e.Unusable, _after: TaskRecord) -> tuple[Line, ...]:
    return (Line(f"no usable answer: {words.clean(event.reason)}", Tone.WARN),)


def _deferred(event: e.Deferred, _after: TaskRecord) -> tuple[Line, ...]:
    until = local(event.not_before, seconds=True)
    return (Line(f"limit reached, {_which(event)}; no call before {until}", Tone.WARN),)


def _which(event: e.Deferred) -> str:
    """The window and how full it is, whose words may begin with the window's own."""
    window, reason = words.clean(event.window), words.clean(event.reason)
    if not window:
        return f"{event.provider}: {reason}" if reason else event.provider
    if reason.startswith(window):
        return reason
    named = window if window.startswith(f"{event.provider}:") else f"{event.provider}: {window}"
    return f"{named} ({reason})" if reason else named


def _applied(event: e.Applied, after: TaskRecord) -> tuple[Line, ...]:
    notes = (Line(words.clean(note), Tone.DETAIL) for note in event.notes)
    return (Line(f"attempt {after.counts.attempts}: {changed(event)}"), *notes)


def _rejected(event: e.Rejected, after: TaskRecord) -> tuple[Line, ...]:
    reason = words.clean(event.summary or event.problems.partition("\n")[0])
    again = "; asking again" if after.state is TaskState.AGENT else ""
    return (Line(f"the reply does not apply: {reason}{again}", Tone.WARN),)


def _passed(_event: e.Event, after: TaskRecord) -> tuple[Line, ...]:
    return (
        Line(words.proof_line(after), Tone.GOOD if after.judgement.checked_by_hook else Tone.WARN),
    )


def _red(event: e.PostHooksFailed, after: TaskRecord) -> tuple[Line, ...]:
    rule = f" ({after.judgement.no_progress_reason})" if after.judgement.no_progress_reason else ""
    again = "; asking again" if after.state is TaskState.AGENT else ""
    return (
        Line(f"{event.hook} is red after attempt {after.counts.attempts}{rule}{again}", Tone.WARN),
    )


def _command_finished(event: e.CommandFinished, _after: TaskRecord) -> tuple[Line, ...]:
    tone = Tone.DIM if event.result.green else Tone.WARN
    return (Line(f"proposed command {event.number}: {outcome_words(event.result)}", tone),)


def _committed(event: e.Committed, _after: TaskRecord) -> tuple[Line, ...]:
    text = f"committed {words.plural(len(event.paths), 'file')} as {words.short(event.commit)}"
    if not event.left_out:
        return (Line(text, Tone.DIM),)
    left = f"left out, you had modified them before: {words.listed(event.left_out)}"
    return (Line(text, Tone.DIM), Line(left, Tone.WARN))


def _rollback(event: e.RollbackPlanned, _after: TaskRecord) -> tuple[Line, ...]:
    why = f": {words.clean(event.reason)}" if event.reason else ""
    return (Line(f"taking back {words.plural(len(event.change_set.changes), 'file')}{why}"),)


def _undone(event: e.Undone, _after: TaskRecord) -> tuple[Line, ...]:
    return (Line(f"taken back by you: {words.listed(event.paths)}"),)


def _retried(event: e.Retried, _after: TaskRecord) -> tuple[Line, ...]:
    hint = f", with the hint: {words.clean(event.hint)}" if event.hint else ""
    return (Line(f"you decided: retry{hint}"),)


def _skipped(event: e.Skipped, _after: TaskRecord) -> tuple[Line, ...]:
    return (Line(f"skipped{': ' + words.clean(event.reason) if event.reason else ''}", Tone.WARN),)


def _reset(event: e.Reset, _after: TaskRecord) -> tuple[Line, ...]:
    reason = f": {words.clean(event.reason)}" if event.reason else ""
    return (Line(f"starts from nothing again{reason}"),)


def _command_started(event: e.CommandStarted, _after: TaskRecord) -> tuple[Line, ...]:
    return (Line(f"running the proposed command: {words.clean(event.command)}", Tone.DIM),)


def _checked(_event: e.Checked, _after: TaskRecord) -> tuple[Line, ...]:
    return (Line("you changed the files: judging them without a call"),)


def _aborted(_event: e.Aborted, _after: TaskRecord) -> tuple[Line, ...]:
    return (Line("you decided: abort the run", Tone.WARN),)


def _nothing_more(_event: e.Event, _after: TaskRecord) -> tuple[Line, ...]:
    """Either nobody needs to read it, or the move to escalated says it all."""
    return ()


_TELLING: dict[type[e.Event], Callable[[Any, TaskRecord], tuple[Line, ...]]] = {
    e.AlreadyGreen: _passed,
    e.Consulted: _consulted,
    e.Unusable: _unusable,
    e.Deferred: _deferred,
    e.Applied: _applied,
    e.Rejected: _rejected,
    e.PostHooksPassed: _passed,
    e.PostHooksFailed: _red,
    e.Retried: _retried,
    e.Checked: _checked,
    e.Skipped: _skipped,
    e.Reset: _reset,
    e.Aborted: _aborted,
    e.HookFinished: _hook_finished,
    e.BaselineTaken: _baseline,
    e.CallStarted: _call_started,
    e.CallSettled: _call_settled,
    e.SetAside: _set_aside,
    e.CommandStarted: _command_started,
    e.CommandFinished: _command_finished,
    e.Committed: _committed,
    e.RollbackPlanned: _rollback,
    e.Undone: _undone,
}
