"""The flow table: everything that affects a transition is in this file.

Rows of one event are tried in order; the first whose guard holds is taken. Guards see the record
after `evolve(record, event)`. A journal record carries the state it moved to, and replay never asks
a guard again.
"""

from collections.abc import Callable

from attrs import frozen

from agent_runner.model import events as e
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import Settings
from agent_runner.model.states import FINAL, TaskState

PENDING, PRE_HOOKS, AGENT, APPLY, POST_HOOKS, PASSED, ESCALATED, SKIPPED = TaskState


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


def turns_left(record: TaskRecord, settings: Settings) -> bool:
    """The agent may still ask to see something in this attempt."""
    return record.counts.turns <= settings.prompt.max_turns


def unusable_replies_left(record: TaskRecord, settings: Settings) -> bool:
    """Another reply may be asked for in place of an unusable one."""
    return record.counts.unusable_replies <= settings.max_unusable_replies


def edit_retries_left(record: TaskRecord, settings: Settings) -> bool:
    """The reply may be corrected within the same attempt."""
    return record.counts.rejections <= settings.max_edit_retries


def may_try_again(record: TaskRecord, settings: Settings) -> bool:
    """Failed post-hooks lead to another attempt rather than to a person.

    So they do while attempts are left and the last ones made progress, unless the user asked to
    stop at the first failure or was the one who made the change.
    """
    return (
        attempts_left(record, settings)
        and record.counts.no_progress < settings.max_no_progress
        and record.counts.consecutive_failures < settings.max_consecutive_failures
        and not settings.stop_on_first_failure
        and not record.judgement.by_person
    )


def pre_hooks_to_redo(record: TaskRecord, _settings: Settings) -> bool:
    """The pre-hooks failed, so that they are what is tried again."""
    return record.retry_to is PRE_HOOKS


def change_to_redo(record: TaskRecord, _settings: Settings) -> bool:
    """Writing the changes failed, and the answer that holds them is paid for."""
    return record.retry_to is APPLY


def judging_to_redo(record: TaskRecord, _settings: Settings) -> bool:
    """A post-hook could not start, so that the change has not been judged yet."""
    return record.retry_to is POST_HOOKS


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
    Row(e.Rejected, (APPLY,), AGENT, attempts_left),
    Row(e.Rejected, (APPLY,), ESCALATED),
    Row(e.Conflicted, (APPLY,), ESCALATED),
    Row(e.PostHooksPassed, (POST_HOOKS,), PASSED),
    Row(e.PostHooksFailed, (POST_HOOKS,), AGENT, may_try_again),
    Row(e.PostHooksFailed, (POST_HOOKS,), ESCALATED),
    Row(e.HookBroken, (PRE_HOOKS, POST_HOOKS), ESCALATED),
    Row(e.CrashLooped, (PRE_HOOKS, AGENT, APPLY, POST_HOOKS), ESCALATED),
    Row(e.Retried, (ESCALATED,), PRE_HOOKS, pre_hooks_to_redo),
    Row(e.Retried, (ESCALATED,), APPLY, change_to_redo),
    Row(e.Retried, (ESCALATED,), POST_HOOKS, judging_to_redo),
    Row(e.Retried, (ESCALATED,), AGENT),
    Row(e.Checked, (PENDING, ESCALATED, SKIPPED), POST_HOOKS),
    # from apply too: the runner finishes or rolls back an open change set before it fires this
    Row(e.Skipped, tuple(state for state in TaskState if state not in FINAL), SKIPPED),
    Row(e.Reset, tuple(TaskState), PENDING),
)


def next_attempt(record: TaskRecord, settings: Settings) -> int:
    """The number of the attempt that the next call belongs to."""
    if record.call.attempt_open and edit_retries_left(record, settings):
        return record.counts.attempts
    return record.counts.attempts + 1
