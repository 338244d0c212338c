"""The flow table: everything that affects a transition is in this file.

Rows of one event are tried in order; the first whose guard holds is taken. Guards see the record
after `evolve(record, event)`. A journal record carries the state it moved to, and replay never asks
a guard again.
"""

from collections.abc import Callable

from attrs import frozen

from agent_runner.model import events as e
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import NothingChanged, Settings, TestsChanged
from agent_runner.model.states import FINAL, STEPS, TaskState

PENDING, PRE_HOOKS, AGENT, APPLY, POST_HOOKS, PASSED, ESCALATED, SKIPPED = TaskState


MAY_RUN_OUT = (PRE_HOOKS, AGENT, POST_HOOKS)
"""Steps that are stopped when a task's time is over. Not apply: a change is written whole."""

Guard = Callable[[TaskRecord, Settings], bool]
"""Sees the record with the event in it, and the settings as they hold for the task."""


@frozen
class Row:
    """`event` takes a task from any of `sources` to `dest` if `guard` holds (None: always)."""

    event: type[e.TaskEvent]
    sources: tuple[TaskState, ...]
    dest: TaskState
    guard: Guard | None = None


def attempts_left(record: TaskRecord, settings: Settings) -> bool:
    """Another attempt may begin."""
    return record.counts.attempts < settings.max_attempts_per_task + record.counts.extra_attempts


GRACE_TURNS = 2
"""Turns that the agent has once it was told to look no more: to draft its changes, and to reply."""


def turns_left(record: TaskRecord, settings: Settings) -> bool:
    """The agent may still look, or has just been told to look no more and to reply."""
    counts = record.counts
    return counts.turns <= (counts.last_look or settings.prompt.max_turns) + GRACE_TURNS


def unusable_replies_left(record: TaskRecord, settings: Settings) -> bool:
    """Another reply may be asked for in place of an unusable one."""
    return record.counts.unusable_replies <= settings.max_unusable_replies


def edit_retries_left(record: TaskRecord, settings: Settings) -> bool:
    """The reply may be corrected within the same attempt."""
    return record.counts.rejections <= settings.max_edit_retries


def passed_by_changed_tests(record: TaskRecord, settings: Settings) -> bool:
    """The post-hooks passed, but not with the tests of before, and a person wants to see that."""
    before = record.judgement.as_before
    if before is None or settings.tests_changed is not TestsChanged.ESCALATE:
        return False
    return before.outcome != "green" and not before.allowed


def change_is_missing(record: TaskRecord, _settings: Settings) -> bool:
    """The reply asked for no change in a known form, and did not say that none is needed."""
    return record.change.missing


def missing_change_passes(record: TaskRecord, settings: Settings) -> bool:
    """The post-hooks alone decide about a reply without a change."""
    return record.change.missing and settings.nothing_changed is NothingChanged.PASS


def passed_without_change(record: TaskRecord, settings: Settings) -> bool:
    """The post-hooks passed, but that says nothing of the task: it changed nothing.

    Not so where they were red before it, or a person has said that they are enough.
    """
    judgement = record.judgement
    if settings.nothing_changed is NothingChanged.PASS or judgement.by_person:
        return False
    was_red = judgement.baseline is not None and not judgement.baseline.green
    return judgement.nothing_changed and not was_red


def may_try_again(record: TaskRecord, settings: Settings) -> bool:
    """Failed post-hooks lead to another attempt rather than to a person."""
    return not reason_to_ask(record, settings)


def reason_to_ask(record: TaskRecord, settings: Settings) -> str:
    """Why failed post-hooks lead to a person, in words for people; "" where they do not.

    The guard and what the person is told are one list, so that neither can have a rule that the
    other does not know.
    """
    return next(filter(None, (reason(record, settings) for reason in _REASONS_TO_ASK)), "")


def attempts_used_up(record: TaskRecord) -> str:
    """That no attempt is left, in words for people."""
    count = record.counts.attempts
    return "its only attempt is used up" if count == 1 else f"all {count} attempts are used up"


def seconds_left(record: TaskRecord, settings: Settings) -> float | None:
    """How long the task may still be worked on, as of its last entry; None: as long as it takes."""
    if settings.max_minutes_task is None:
        return None
    return settings.max_minutes_task * 60 - (record.spent.seconds - record.spent.seconds_waived)


def pre_hooks_to_redo(record: TaskRecord, _settings: Settings) -> bool:
    """The pre-hooks failed, so that they are what is tried again."""
    return record.retry_to is PRE_HOOKS


def change_to_redo(record: TaskRecord, _settings: Settings) -> bool:
    """Writing the changes failed, and the answer that holds them is paid for."""
    return record.retry_to is APPLY


def judging_to_redo(record: TaskRecord, _settings: Settings) -> bool:
    """A post-hook could not start, so that the change has not been judged yet."""
    return record.retry_to is POST_HOOKS and not record.change.is_gone


# Rows of one event are tried in order, so the row without a guard comes last. What a failure costs
# grows down the rows: a reply that does not apply is first corrected in the same conversation, then
# costs an attempt, and only then a person's time.
FLOW: tuple[Row, ...] = (
    Row(e.Started, (PENDING,), PRE_HOOKS),
    Row(e.PreHooksPassed, (PRE_HOOKS,), AGENT),
    Row(e.AlreadyGreen, (PRE_HOOKS,), PASSED),
    Row(e.PreHooksFailed, (PRE_HOOKS,), ESCALATED),
    Row(e.Consulted, (AGENT,), AGENT, turns_left),
    Row(e.Consulted, (AGENT,), ESCALATED),
    Row(e.Unusable, (AGENT,), AGENT, unusable_replies_left),
    Row(e.Unusable, (AGENT,), ESCALATED),
    Row(e.Deferred, (AGENT,), AGENT),
    Row(e.Refused, (AGENT,), ESCALATED),
    Row(e.Replied, (AGENT,), APPLY),
    Row(e.Applied, (APPLY,), POST_HOOKS),
    Row(e.Rejected, (APPLY,), AGENT, edit_retries_left),
    Row(e.Rejected, (APPLY,), POST_HOOKS, missing_change_passes),
    Row(e.Rejected, (APPLY,), ESCALATED, change_is_missing),
    Row(e.Rejected, (APPLY,), AGENT, attempts_left),
    Row(e.Rejected, (APPLY,), ESCALATED),
    Row(e.Conflicted, (APPLY,), ESCALATED),
    Row(e.PostHooksPassed, (POST_HOOKS,), ESCALATED, passed_without_change),
    Row(e.PostHooksPassed, (POST_HOOKS,), ESCALATED, passed_by_changed_tests),
    Row(e.PostHooksPassed, (POST_HOOKS,), PASSED),
    Row(e.PostHooksFailed, (POST_HOOKS,), AGENT, may_try_again),
    Row(e.PostHooksFailed, (POST_HOOKS,), ESCALATED),
    Row(e.HookBroken, (PRE_HOOKS, POST_HOOKS), ESCALATED),
    Row(e.CrashLooped, tuple(state for state in TaskState if state in STEPS), ESCALATED),
    Row(e.OutOfTime, MAY_RUN_OUT, ESCALATED),
    Row(e.Retried, (ESCALATED,), PRE_HOOKS, pre_hooks_to_redo),
    Row(e.Retried, (ESCALATED,), APPLY, change_to_redo),
    Row(e.Retried, (ESCALATED,), POST_HOOKS, judging_to_redo),
    Row(e.Retried, (ESCALATED,), AGENT),
    Row(e.Checked, (PENDING, ESCALATED, SKIPPED), POST_HOOKS),
    # never to pending: nobody is to pay again without having asked for it
    Row(e.TakenBack, (PASSED,), ESCALATED),
    # from apply too: the runner finishes or rolls back an open change set before it fires this
    Row(e.Skipped, tuple(state for state in TaskState if state not in FINAL), SKIPPED),
    Row(e.Reset, tuple(TaskState), PENDING),
)


def next_attempt(record: TaskRecord, settings: Settings) -> int:
    """The number of the attempt that the next call belongs to."""
    if record.call.attempt_open and edit_retries_left(record, settings):
        return record.counts.attempts
    return record.counts.attempts + 1


def _judged_by_hand(record: TaskRecord, _settings: Settings) -> str:
    by_person = record.judgement.by_person
    return "the post-hooks are red on the files as you left them" if by_person else ""


def _at_first_failure(_record: TaskRecord, settings: Settings) -> str:
    if not settings.stop_on_first_failure:
        return ""
    return "a post-hook failed, and the run was to stop at the first failure"


def _without_progress(record: TaskRecord, settings: Settings) -> str:
    count = record.counts.no_progress
    if count < settings.max_no_progress:
        return ""
    last = "last attempt" if count == 1 else f"last {count} attempts"
    return f"no progress in the {last}: {record.judgement.no_progress_reason}"


def _failing_in_a_row(record: TaskRecord, settings: Settings) -> str:
    count = record.counts.consecutive_failures
    too_many = count >= settings.max_consecutive_failures
    return f"{count} post-hook failures in a row" if too_many else ""


def _out_of_attempts(record: TaskRecord, settings: Settings) -> str:
    return "" if attempts_left(record, settings) else attempts_used_up(record)


_REASONS_TO_ASK = (
    _judged_by_hand,
    _at_first_failure,
    _without_progress,
    _failing_in_a_row,
    _out_of_attempts,
)
"""In the order in which a person would want to know: the first that holds is told."""
