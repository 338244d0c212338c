"""Every event as one line for people: what happened, and how good or bad that is.

A line is data. Screens, `why` and whatever else shows a history draw it in their own way, and none
of them has words of its own for an event; so what one shows, none can miss. An event without a line
is listed in `WITHOUT_A_LINE` with the reason (a test compares).

The lines are in the past tense: they are read while the task goes on, and again a month later.
"""

import enum
from functools import singledispatch

from attrs import frozen

from agent_runner.ground.clock import local
from agent_runner.model import events as e
from agent_runner.model.hooks import Phase
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import TaskState
from agent_runner.ui import words
from agent_runner.ui.looks import looks_line
from agent_runner.ui.outcomes import (
    changed,
    decisive,
    hook_title,
    judged,
    not_applied,
    outcome_words,
    proof_line,
    set_aside_words,
)


class Tone(enum.StrEnum):
    """How a line is meant; a screen gives each its colour."""

    DIM = "dim"
    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@frozen
class LogLine:
    """One line about a task.

    Attributes:
        text: What happened, in one line without control characters. It names no task.
        tone: How it is meant.
        details: Lines that belong under it, such as the decisive ones of a hook's output.
    """

    text: str
    tone: Tone = Tone.PLAIN
    details: tuple[str, ...] = ()


_ESCALATES = "the line on why a person is needed gives its reason"

WITHOUT_A_LINE: dict[type[e.Event], str] = {
    e.PreHooksPassed: "each pre-hook has had its own line",
    e.HookStarted: "HookFinished says what came of it",
    e.JudgedAsBefore: "the line on the task's end says what came of it",
    e.CallCreated: "only a resume needs the provider's name for a call",
    e.Replied: "CallSettled has said that an answer came",
    e.CommitStarted: "Committed or NotCommitted says what came of it",
    e.ApplyPlanned: "Applied or Conflicted says what came of it",
    e.RollbackDone: "RollbackPlanned has said what is rolled back",
    e.PreHooksFailed: _ESCALATES,
    e.HookBroken: _ESCALATES,
    e.Refused: _ESCALATES,
    e.Conflicted: _ESCALATES,
    e.CrashLooped: _ESCALATES,
    e.OutOfTime: _ESCALATES,
}
"""Events of which nobody needs to read, each with the reason."""


@singledispatch
def line_of(event: e.Event, _after: TaskRecord) -> LogLine | None:
    """The line of an event, `_after` being the record of its task then; None where it has none.

    The run's own events have one too, for a history that says what interrupted the task. Each kind
    has a function below, found by the type of its first parameter. One that was forgotten is shown
    by its name: that is ugly, but it is not silence.
    """
    return None if type(event) in WITHOUT_A_LINE else LogLine(type(event).__name__, Tone.DIM)


@line_of.register
def _run_started(_event: e.RunStarted, after: TaskRecord) -> LogLine:
    return LogLine(f"a new run continued with step {after.state.value}")


@line_of.register
def _run_stopped(event: e.RunStopped, _after: TaskRecord) -> LogLine:
    detail = f" ({words.clean(event.detail).rstrip('.')})" if event.detail else ""
    return LogLine(f"the run stopped: {event.reason}{detail}")


@line_of.register
def _started(_event: e.Started, _after: TaskRecord) -> LogLine:
    return LogLine("started", Tone.DIM)


@line_of.register
def _hook_finished(event: e.HookFinished, after: TaskRecord) -> LogLine:
    result = event.result
    title = hook_title(event.phase, result.hook, after.state)
    text = f"{title}: {outcome_words(result)}"
    if result.green:
        return LogLine(text, Tone.WARN if result.flaky else Tone.DIM)
    if after.state is TaskState.PRE_HOOKS and event.phase is Phase.POST:
        # Before the work its judges are mostly red. That is no failure yet, and no wall of text.
        return LogLine(text, Tone.DIM)
    return LogLine(text, Tone.WARN, decisive(result.excerpt))


@line_of.register
def _baseline(event: e.BaselineTaken, _after: TaskRecord) -> LogLine:
    if event.green:
        return LogLine("baseline: the post-hooks are green before the first call", Tone.DIM)
    failing = f", {len(event.failing)} failing" if event.failing else ""
    return LogLine(f"baseline: the post-hooks are red before the first call{failing}", Tone.DIM)


@line_of.register
def _call_started(event: e.CallStarted, _after: TaskRecord) -> LogLine:
    model = f" ({event.model})" if event.model else ""
    turn = f", turn {event.turn}" if event.turn > 1 else ""
    return LogLine(f"attempt {event.attempt}{turn}: asked {event.provider}{model}", Tone.DIM)


@line_of.register
def _call_settled(event: e.CallSettled, after: TaskRecord) -> LogLine:
    attempt = f"attempt {after.counts.attempts}"
    if event.outcome == "answered":
        return LogLine(f"{attempt}: {_answered(event)}", Tone.DIM)
    outcome = _NO_ANSWER.get(event.outcome, event.outcome)
    again = f"; next try {local(event.not_before, seconds=True)}" if event.not_before else ""
    return LogLine(f"{attempt}: {outcome}: {words.clean(event.reason)}{again}", Tone.WARN)


_NO_ANSWER = {"lost": "no answer (possibly billed)", "refused": "refused by the provider"}


def _answered(event: e.CallSettled) -> str:
    facts = []
    if event.usage is not None:
        about = "about " if event.usage.estimated else ""
        if event.usage.at_least:
            about = "at least "
        facts.append(f"{about}{words.count(event.usage.input)} tokens in")
        facts.append(f"{words.count(event.usage.output)} out")
        facts.extend([f"{words.count(event.usage.cached)} cached"] if event.usage.cached else [])
    facts.extend([words.money(event.cost)] if event.cost else [])
    found = "answer found on disk" if event.adopted else "answered"
    took = f" in {words.duration(event.seconds)}" if event.seconds else ""
    return f"{found}{took}: {', '.join(facts)}" if facts else f"{found}{took}"


@line_of.register
def _set_aside(event: e.SetAside, _after: TaskRecord) -> LogLine:
    return LogLine(set_aside_words(event), Tone.WARN)


@line_of.register
def _trimmed(event: e.Trimmed, _after: TaskRecord) -> LogLine:
    sizes = f"{words.count(event.tokens_before)} to {words.count(event.tokens_after)} tokens"
    looks = words.plural(event.dropped, "look")
    return LogLine(f"left {looks} out of the conversation: from {sizes}", Tone.DIM)


@line_of.register
def _conversation_closed(event: e.ConversationClosed, _after: TaskRecord) -> LogLine:
    drafts = "; its drafts are dropped" if event.drafts_dropped else ""
    return LogLine(f"began a new conversation: {words.clean(event.reason)}{drafts}", Tone.WARN)


@line_of.register
def _tools_declined(event: e.ToolsDeclined, _after: TaskRecord) -> LogLine:
    model = f" ({event.model})" if event.model else ""
    return LogLine(
        f"{event.provider}{model} takes no tools; asking in words from now on", Tone.WARN
    )


@line_of.register
def _consulted(event: e.Consulted, _after: TaskRecord) -> LogLine:
    last = "; told to look no more" if event.last_look else ""
    if event.looks:
        return LogLine(f"{looks_line(event.looks)}{last}", Tone.DIM)
    asked = words.listed(event.requested) or "more"
    return LogLine(f"the agent asked to see {asked}{last}", Tone.DIM)


@line_of.register
def _unusable(event: e.Unusable, _after: TaskRecord) -> LogLine:
    return LogLine(f"the answer was unusable: {words.clean(event.reason)}", Tone.WARN)


@line_of.register
def _deferred(event: e.Deferred, _after: TaskRecord) -> LogLine:
    until = local(event.not_before, seconds=True)
    return LogLine(f"limit reached, {_limit(event)}; no call before {until}", Tone.WARN)


def _limit(event: e.Deferred) -> str:
    """The window and how full it is. The reason may begin with the window's own words."""
    window, reason = words.clean(event.window), words.clean(event.reason)
    if not window:
        return f"{event.provider}: {reason}" if reason else event.provider
    if reason.startswith(window):
        return reason
    named = window if window.startswith(f"{event.provider}:") else f"{event.provider}: {window}"
    return f"{named} ({reason})" if reason else named


@line_of.register
def _applied(event: e.Applied, after: TaskRecord) -> LogLine:
    notes = tuple(words.clean(note) for note in event.notes)
    return LogLine(f"attempt {after.counts.attempts}: {changed(event)}", details=notes)


@line_of.register
def _rejected(event: e.Rejected, after: TaskRecord) -> LogLine:
    return LogLine(f"{not_applied(event)}{_again(after)}", Tone.WARN)


@line_of.register
def _passed(_event: e.PostHooksPassed | e.AlreadyGreen, after: TaskRecord) -> LogLine:
    if after.state is TaskState.ESCALATED:  # why it is, is said next
        return LogLine(f"post-hooks passed: {judged(after.judgement.proof) or 'there are none'}")
    judgement, before = after.judgement, after.judgement.as_before
    good = judgement.checked_by_hook and not judgement.nothing_changed
    good = good and (before is None or before.outcome == "green")
    return LogLine(proof_line(after), Tone.GOOD if good else Tone.WARN)


@line_of.register
def _post_hooks_failed(event: e.PostHooksFailed, after: TaskRecord) -> LogLine:
    if after.judgement.by_person:
        return LogLine(f"check failed: {event.hook} is red", Tone.WARN)
    rule = after.judgement.no_progress_reason
    no_progress = f" (no progress: {rule})" if rule else ""
    text = f"attempt {after.counts.attempts} failed: {event.hook} is red{no_progress}"
    return LogLine(f"{text}{_again(after)}", Tone.WARN)


def _again(after: TaskRecord) -> str:
    return "; asking again" if after.state is TaskState.AGENT else ""


@line_of.register
def _command_started(event: e.CommandStarted, _after: TaskRecord) -> LogLine:
    return LogLine(f"ran proposed command {event.number}: {words.clean(event.command)}", Tone.DIM)


@line_of.register
def _command_finished(event: e.CommandFinished, _after: TaskRecord) -> LogLine:
    tone = Tone.DIM if event.result.green else Tone.WARN
    return LogLine(f"proposed command {event.number}: {outcome_words(event.result)}", tone)


@line_of.register
def _not_committed(event: e.NotCommitted, _after: TaskRecord) -> LogLine:
    if not event.problem:
        return LogLine("what it changed stays uncommitted", Tone.DIM)
    files = words.plural(len(event.paths), "file")
    text = f"not committed ({files}), nothing is lost: {words.clean(event.problem)}"
    return LogLine(text, Tone.WARN)


@line_of.register
def _committed(event: e.Committed, _after: TaskRecord) -> LogLine:
    text = f"committed {words.plural(len(event.paths), 'file')} as {words.short(event.commit)}"
    text += f" on the new branch {words.clean(event.branch)}" if event.branch else ""
    if not event.left_out:
        return LogLine(text, Tone.DIM)
    why = "changed before the task began, or ignored by git"
    left_out = f"left out ({why}): {words.listed(event.left_out)}"
    return LogLine(f"{text}; {left_out}", Tone.WARN)


@line_of.register
def _rollback(event: e.RollbackPlanned, _after: TaskRecord) -> LogLine:
    files = words.plural(len(event.change_set.changes), "file")
    return LogLine(_with_reason(f"rolled back {files}", event.reason))


@line_of.register
def _undone(event: e.Undone, _after: TaskRecord) -> LogLine:
    reason = event.reason or "undone by a person"
    return LogLine(f"{words.clean(reason)}: {words.listed(event.paths)}")


@line_of.register
def _taken_back(event: e.TakenBack, _after: TaskRecord) -> LogLine:
    paths = words.listed(event.change_set.paths)
    return LogLine(f"undone by a person: {paths}", Tone.WARN)


@line_of.register
def _put_back(event: e.PutBack, _after: TaskRecord) -> LogLine:
    return LogLine(f"put back {words.listed(event.change_set.paths)}")


@line_of.register
def _retried(event: e.Retried, _after: TaskRecord) -> LogLine:
    hint = f", with the hint: {words.clean(event.hint)}" if event.hint else ""
    return LogLine(f"a person asked for another try{hint}")


@line_of.register
def _checked(_event: e.Checked, _after: TaskRecord) -> LogLine:
    return LogLine("a person asked to check the files as they are")


@line_of.register
def _skipped(event: e.Skipped, _after: TaskRecord) -> LogLine:
    return LogLine(_with_reason("skipped", event.reason), Tone.WARN)


@line_of.register
def _reset(event: e.Reset, _after: TaskRecord) -> LogLine:
    return LogLine(_with_reason("reset", event.reason))


@line_of.register
def _aborted(_event: e.Aborted, _after: TaskRecord) -> LogLine:
    return LogLine("a person aborted the run", Tone.WARN)


def _with_reason(what: str, reason: str) -> str:
    """The reason after what happened, or alone where it says that itself (`skipped by a key`)."""
    reason = words.clean(reason)
    if not reason:
        return what
    return reason if reason.startswith(what) else f"{what}: {reason}"
