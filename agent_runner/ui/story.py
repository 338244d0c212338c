"""`agent-runner why T1`: a task's story in plain sentences, told from the journal alone."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from agent_runner.ground.clock import local
from agent_runner.model import events as e
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import STEPS, TaskState
from agent_runner.ui import words
from agent_runner.ui.narration import called, changed, cost_words, set_aside
from agent_runner.ui.words import outcome_words


def story(task_id: str, title: str, entries: Iterable[Entry]) -> Iterator[str]:
    """Paragraphs, one line each: what was tried, failed, changed and decided, and what it cost.

    `entries` is the journal from its beginning; those of other tasks are passed over, those of the
    run are told where they interrupted this task.
    """
    state = RunState()
    paragraph: list[str] = []
    for entry in entries:
        if entry.task not in {"", task_id}:
            continue
        was = state.record(task_id)
        crashed = _cut_short(state, entry)
        state.take(entry)
        sentence = _sentence(entry, was, state.record(task_id), crashed=crashed)
        if not sentence:
            continue
        if paragraph and isinstance(entry.event, _NEW_PARAGRAPH):
            yield " ".join(paragraph)
            paragraph = []
        paragraph.append(sentence)
    if paragraph:
        yield " ".join(paragraph)
    yield _now(state.record(task_id), title)


def _cut_short(state: RunState, entry: Entry) -> bool:
    """Whether a run begins although the last one never said that it stopped."""
    return (
        isinstance(entry.event, e.RunStarted)
        and state.run is not None
        and state.run.stopped is None
    )


def _sentence(entry: Entry, was: TaskRecord, record: TaskRecord, *, crashed: bool) -> str:
    event = entry.event
    when = local(entry.at, seconds=True)
    if not entry.task:
        return _of_the_run(event, was, when, crashed=crashed)
    if isinstance(event, e.Started):
        return f"It was taken up on {when}."
    tell = _TELLING.get(type(event))
    sentence = tell(event, record) if tell else ""
    if entry.to is TaskState.ESCALATED:
        return f"{sentence} So it needed a person ({when}).".lstrip()
    if sentence and isinstance(event, _DECISIONS):
        return f"On {when}, {sentence}"
    return sentence


def _of_the_run(event: e.Event, was: TaskRecord, when: str, *, crashed: bool) -> str:
    if was.state not in STEPS:
        return ""
    if isinstance(event, e.RunStopped):
        detail = f" ({words.clean(event.detail).rstrip('.')})" if event.detail else ""
        return f"The run stopped on {when}: {event.reason}{detail}."
    if isinstance(event, e.RunStarted):
        after = "after the run before had ended uncleanly" if crashed else "with the next run"
        return f"It went on with {was.state.value} on {when}, {after}."
    return ""


def _now(record: TaskRecord, title: str) -> str:
    name = f"{record.id} ({words.clean(title)})" if title else record.id
    if record.state is TaskState.PENDING and not record.counts.attempts:
        return f"{name} is pending; nothing else has happened to it."
    spent = f"It took {cost_words(record)}."
    billed = ""
    if record.spent.possibly_billed:
        billed = f" {words.plural(record.spent.possibly_billed, 'lost call')} may have been billed."
    return f"{name} {_STANDS[words.record_word(record)]}. {spent}{billed}"


_STANDS = {
    "pending": "is pending now",
    "running": "is in the middle of a step",
    "passed": "has passed",
    "passed (unchecked)": "counts as passed, although no hook judged it",
    "failed": "needs a person",
    "skipped": "is skipped",
}


def _hook(event: e.HookFinished, _record: TaskRecord) -> str:
    return f"The {event.phase.value}-hook {event.result.hook} {outcome_words(event.result)}."


def _baseline(event: e.BaselineTaken, _record: TaskRecord) -> str:
    if event.green:
        return "Before the first call the post-hooks were green."
    names = f" ({words.some(event.failing)})" if event.failing else ""
    return f"Before the first call the post-hooks were already red{names}."


def _call_started(event: e.CallStarted, _record: TaskRecord) -> str:
    model = f" ({event.model})" if event.model else ""
    if event.turn > 1:
        return f"In turn {event.turn} {event.provider}{model} was asked again."
    return f"Attempt {event.attempt}: {event.provider}{model} was asked."


def _call_settled(event: e.CallSettled, _record: TaskRecord) -> str:
    if event.outcome == "answered" and not event.adopted:
        return f"It {called(event)}."
    told = called(event)
    return f"{told[:1].upper()}{told[1:]}."


def _set_aside(event: e.SetAside, _record: TaskRecord) -> str:
    return f"So {set_aside(event).rstrip('.')}."


def _consulted(event: e.Consulted, _record: TaskRecord) -> str:
    return f"It looked at {words.listed(event.requested) or 'more files'}."


def _unusable(event: e.Unusable, _record: TaskRecord) -> str:
    return f"The answer was not usable: {words.clean(event.reason)}."


def _deferred(event: e.Deferred, _record: TaskRecord) -> str:
    until = local(event.not_before)
    window = f" ({words.clean(event.window)})" if event.window else ""
    return f"The limit of {event.provider}{window} allowed no call before {until}."


def _refused(event: e.Refused, _record: TaskRecord) -> str:
    return f"The request was refused: {words.clean(event.reason)}."


def _applied(event: e.Applied, _record: TaskRecord) -> str:
    return f"The agent {changed(event)}."


def _rejected(event: e.Rejected, _record: TaskRecord) -> str:
    reason = words.clean(event.summary or event.problems.partition("\n")[0])
    return f"The reply could not be applied, nothing of it stands: {reason}."


def _conflicted(event: e.Conflicted, _record: TaskRecord) -> str:
    return f"{words.clean(event.path)} was in the way ({words.clean(event.reason)})."


def _red(event: e.PostHooksFailed, record: TaskRecord) -> str:
    rule = (
        f"; no progress, since {record.judgement.no_progress_reason}"
        if record.judgement.no_progress_reason
        else ""
    )
    again = ", so the agent was asked again" if record.state is TaskState.AGENT else ""
    return f"That was failure {record.counts.failures}, by {event.hook}{rule}{again}."


def _passed(_event: e.Event, record: TaskRecord) -> str:
    proof = words.proof_line(record)
    return f"It {proof}."


def _pre_hooks_failed(event: e.PreHooksFailed, _record: TaskRecord) -> str:
    return f"Without the pre-hook {event.hook} it could not begin."


def _hook_broken(event: e.HookBroken, _record: TaskRecord) -> str:
    return f"The hook {event.hook} could not start: {words.clean(event.reason)}."


def _crash_looped(event: e.CrashLooped, _record: TaskRecord) -> str:
    return f"The runner had died {event.stops} times in {event.step}."


def _retried(event: e.Retried, _record: TaskRecord) -> str:
    hint = f', with the hint "{words.clean(event.hint)}"' if event.hint else ""
    return f"a person asked for another try{hint}."


def _skipped(event: e.Skipped, _record: TaskRecord) -> str:
    return f"a person skipped it{': ' + words.clean(event.reason) if event.reason else ''}."


def _aborted(_event: e.Aborted, _record: TaskRecord) -> str:
    return "a person aborted the run at the question."


def _reset(event: e.Reset, _record: TaskRecord) -> str:
    reason = f" ({words.clean(event.reason)})" if event.reason else ""
    return f"it was set back to its beginning{reason}."


def _checked(_event: e.Checked, _record: TaskRecord) -> str:
    return "a person changed the files by hand and had them judged."


def _rollback(event: e.RollbackPlanned, _record: TaskRecord) -> str:
    files = words.plural(len(event.change_set.changes), "file")
    why = f" ({words.clean(event.reason)})" if event.reason else ""
    return f"Its changes to {files} were taken back{why}."


def _undone(event: e.Undone, _record: TaskRecord) -> str:
    return f"a person took its changes back: {words.listed(event.paths)}."


def _committed(event: e.Committed, _record: TaskRecord) -> str:
    files = words.plural(len(event.paths), "file")
    return f"Git has {files} of it as commit {words.short(event.commit)}."


def _command(event: e.CommandStarted, _record: TaskRecord) -> str:
    return f"The proposed command `{words.clean(event.command)}` was run."


def _command_finished(event: e.CommandFinished, _record: TaskRecord) -> str:
    return f"That command {outcome_words(event.result)}."


_DECISIONS = (e.Retried, e.Skipped, e.Reset, e.Checked, e.Undone, e.Aborted)

_NEW_PARAGRAPH = (e.Started, e.RunStarted, e.CallStarted, *_DECISIONS)

_TELLING: dict[type[e.Event], Callable[[Any, TaskRecord], str]] = {
    e.HookFinished: _hook,
    e.BaselineTaken: _baseline,
    e.CallStarted: _call_started,
    e.CallSettled: _call_settled,
    e.SetAside: _set_aside,
    e.Consulted: _consulted,
    e.Unusable: _unusable,
    e.Deferred: _deferred,
    e.Refused: _refused,
    e.Applied: _applied,
    e.Rejected: _rejected,
    e.Conflicted: _conflicted,
    e.PostHooksFailed: _red,
    e.PostHooksPassed: _passed,
    e.AlreadyGreen: _passed,
    e.PreHooksFailed: _pre_hooks_failed,
    e.HookBroken: _hook_broken,
    e.CrashLooped: _crash_looped,
    e.Retried: _retried,
    e.Skipped: _skipped,
    e.Reset: _reset,
    e.Aborted: _aborted,
    e.Checked: _checked,
    e.RollbackPlanned: _rollback,
    e.Undone: _undone,
    e.Committed: _committed,
    e.CommandStarted: _command,
    e.CommandFinished: _command_finished,
}
