"""What the hooks' events make of a record: a task is taken up, prepared and judged."""

from agent_runner.model import events as e
from agent_runner.model.record import Judgement, KeptLog, TaskRecord
from agent_runner.model.replacing import evolve as with_fields
from agent_runner.model.states import TaskState


def started(event: e.Started, record: TaskRecord) -> TaskRecord:
    # the first tree counts as one that failed: an attempt that ends where the task began is no
    # step forward
    failed_trees = (event.tree,) if event.tree else ()
    return with_fields(
        record,
        definition=event.definition,
        change=with_fields(record.change, start=event.start),
        judgement=with_fields(record.judgement, failed_trees=failed_trees),
        last_error="",
    )


def pre_hooks_passed(_event: e.PreHooksPassed, record: TaskRecord) -> TaskRecord:
    return with_fields(record, call=with_fields(record.call, attempt_open=False))


def already_green(event: e.AlreadyGreen, record: TaskRecord) -> TaskRecord:
    judgement = with_fields(record.judgement, tree=event.tree, checked_by_hook=True)
    return with_fields(record, judgement=judgement)


def pre_hooks_failed(event: e.PreHooksFailed, record: TaskRecord) -> TaskRecord:
    return with_fields(record, retry_to=TaskState.PRE_HOOKS, last_error=event.reason)


def baseline_taken(event: e.BaselineTaken, record: TaskRecord) -> TaskRecord:
    return with_fields(record, judgement=with_fields(record.judgement, baseline=event))


def hook_started(event: e.HookStarted, record: TaskRecord) -> TaskRecord:
    return with_fields(record, judgement=with_fields(record.judgement, running=event))


def hook_finished(event: e.HookFinished, record: TaskRecord) -> TaskRecord:
    judgement, result = record.judgement, event.result
    logs = judgement.logs
    if result.log:
        kept = KeptLog(result.hook, result.log, result.offset, result.length)
        logs = (*(log for log in logs if log.hook != result.hook), kept)
    finished = (*judgement.finished, event)
    judgement = with_fields(judgement, finished=finished, running=None, logs=logs)
    return with_fields(record, judgement=judgement)


def judged_as_before(event: e.JudgedAsBefore, record: TaskRecord) -> TaskRecord:
    judgement = with_fields(record.judgement, as_before=event, running=None)
    return with_fields(record, judgement=judgement)


def hook_broken(event: e.HookBroken, record: TaskRecord) -> TaskRecord:
    # a judge that could not start has judged nothing: the retry goes to it and asks nobody again
    return with_fields(record, retry_to=record.state, last_error=event.reason)


def crash_looped(event: e.CrashLooped, record: TaskRecord) -> TaskRecord:
    reason = f"the runner stopped uncleanly {event.stops} times in step {event.step}"
    return with_fields(record, retry_to=record.state, last_error=reason)


def out_of_time(event: e.OutOfTime, record: TaskRecord) -> TaskRecord:
    reason = f"{event.minutes:g} minutes are over (max_minutes_task), in step {event.step}"
    call = with_fields(record.call, held=record.state is TaskState.AGENT)
    return with_fields(record, call=call, retry_to=record.state, last_error=reason)


def post_hooks_passed(event: e.PostHooksPassed, record: TaskRecord) -> TaskRecord:
    judgement = with_fields(
        record.judgement,
        proof=event.proof,
        tree=event.tree,
        checked_by_hook=bool(event.proof),
        nothing_changed=event.nothing_changed,
    )
    after = with_fields(
        record,
        counts=with_fields(record.counts, consecutive_failures=0),
        call=with_fields(record.call, attempt_open=False),
        change=with_fields(record.change, commit=event.commit),
        judgement=judgement,
        last_error="",
    )
    if event.nothing_changed:
        said = _unchanged(record, event)
        return with_fields(after, retry_to=TaskState.AGENT, feedback=_UNCHANGED, last_error=said)
    before = record.judgement.as_before
    if before is None or before.outcome == "green":
        return after
    feedback = f"{_ONLY_BY_CHANGED_TESTS.format(before.summary)}\n{before.reason}"
    return with_fields(
        after, retry_to=TaskState.AGENT, feedback=feedback, last_error=before.summary
    )


_ONLY_BY_CHANGED_TESTS = (
    "The post-hooks passed on the files as they are. But {}. The code has to satisfy the tests of"
    " before as well, unless the task asks to change them."
)


def post_hooks_failed(event: e.PostHooksFailed, record: TaskRecord) -> TaskRecord:
    counts, judgement = record.counts, record.judgement
    no_progress = _no_progress_reason(judgement, event)
    return with_fields(
        record,
        counts=with_fields(
            counts,
            failures=counts.failures + 1,
            consecutive_failures=counts.consecutive_failures + 1,
            no_progress=counts.no_progress + 1 if no_progress else 0,
        ),
        call=with_fields(record.call, attempt_open=False),
        judgement=with_fields(
            judgement,
            tree=event.tree,
            nothing_changed=False,
            no_progress_reason=no_progress,
            failed_trees=judgement.failed_trees + ((event.tree,) if event.tree else ()),
            fingerprints=(*judgement.fingerprints, event.fingerprint),
        ),
        retry_to=TaskState.AGENT,
        feedback=event.reason,
        last_error=event.reason.partition("\n")[0],
    )


_UNCHANGED = (
    "The post-hooks passed, but the files are as they were before the task: nothing was changed."
)


def _unchanged(record: TaskRecord, event: e.PostHooksPassed) -> str:
    """That nothing was changed, in words for people, and why, as far as that is known."""
    judged = "the post-hooks passed" if event.proof else "no post-hook judged it"
    said = f"{judged}, but nothing was changed"
    if record.change.no_change:
        return f"{said}; the model says: {record.change.no_change}"
    return f"{said}; what the task did to the files was taken back" if record.change.paths else said


def _no_progress_reason(judgement: Judgement, event: e.PostHooksFailed) -> str:
    """Why this failure is no step forward, or "": by the state of files and checks, not words."""
    if event.unchanged:
        return "the attempt changed nothing"
    if event.tree and event.tree in judgement.failed_trees:
        return "the files are as they were after an earlier attempt"
    if event.fingerprint and judgement.fingerprints[-1:] == (event.fingerprint,):
        return "the same checks failed in the same way as before"
    return ""
