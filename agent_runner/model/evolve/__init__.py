"""What each event makes of a task's record: `evolve`, the one way in which a record changes.

It is pure and used live and on resume alike, so that replaying the journal is resuming. The changes
are written with `attrs.evolve`, whose keywords mypy checks: a misspelt field does not pass.
"""

from functools import singledispatch

from agent_runner.model import events as e
from agent_runner.model.evolve import calls, changes, decisions, hooks
from agent_runner.model.record import TaskRecord
from agent_runner.model.replacing import evolve as with_fields


def evolve(record: TaskRecord, event: e.Event) -> TaskRecord:
    """The record after `event`; its state is left to the machine."""
    after = _changed(event, record)
    if after.counts.crashes and not _is_repeated(event):
        after = with_fields(after, counts=with_fields(after.counts, crashes=0))
    return after


def _is_repeated(event: e.Event) -> bool:
    """Whether every crash brings this event again, so that it breaks no crash loop.

    Beginnings are, and so is giving up a call that the crash itself cut off.
    """
    if isinstance(event, e.CallSettled):
        return event.caused_by_runner
    return isinstance(
        event,
        (
            e.HookStarted,
            e.CallStarted,
            e.ApplyPlanned,
            e.RollbackPlanned,
            e.CommandStarted,
            e.CommitStarted,
        ),
    )


@singledispatch
def _changed(_event: e.Event, record: TaskRecord) -> TaskRecord:
    """Events without a function in the list below change nothing of a record."""
    return record


for _function in (
    hooks.started,
    hooks.pre_hooks_passed,
    hooks.already_green,
    hooks.pre_hooks_failed,
    hooks.baseline_taken,
    hooks.hook_started,
    hooks.hook_finished,
    hooks.judged_as_before,
    hooks.hook_broken,
    hooks.crash_looped,
    hooks.out_of_time,
    hooks.post_hooks_passed,
    hooks.post_hooks_failed,
    calls.call_started,
    calls.call_created,
    calls.call_settled,
    calls.conversation_closed,
    calls.set_aside,
    calls.consulted,
    calls.unusable,
    calls.deferred,
    calls.refused,
    calls.replied,
    changes.apply_planned,
    changes.rollback_planned,
    changes.rollback_done,
    changes.command_started,
    changes.command_finished,
    changes.applied,
    changes.rejected,
    changes.conflicted,
    changes.commit_started,
    changes.not_committed,
    changes.committed,
    changes.undone,
    changes.taken_back,
    changes.put_back,
    decisions.retried,
    decisions.checked,
    decisions.skipped,
    decisions.reset,
):
    _changed.register(_function)  # by the type of its first parameter
