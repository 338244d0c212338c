"""What the events that change files make of a record."""

from agent_runner.model import events as e
from agent_runner.model.changes import ChangeSet
from agent_runner.model.record import ChangeState, TaskRecord
from agent_runner.model.replacing import evolve as with_fields
from agent_runner.model.states import TaskState


def apply_planned(event: e.ApplyPlanned, record: TaskRecord) -> TaskRecord:
    change = with_fields(
        record.change, planned=event.change_set, rolling_back=False, commands_done=0
    )
    return with_fields(record, change=change)


def rollback_planned(event: e.RollbackPlanned, record: TaskRecord) -> TaskRecord:
    change = with_fields(record.change, planned=event.change_set, rolling_back=True)
    return with_fields(record, change=change, feedback=event.reason)


def rollback_done(_event: e.RollbackDone, record: TaskRecord) -> TaskRecord:
    return with_fields(record, change=_nothing_planned(record.change))


def command_started(event: e.CommandStarted, record: TaskRecord) -> TaskRecord:
    return with_fields(record, change=with_fields(record.change, command_running=event.number))


def command_finished(event: e.CommandFinished, record: TaskRecord) -> TaskRecord:
    # one that failed is not done: a stop before its change is taken back must not forget that
    done = event.number if event.result.green else record.change.commands_done
    return with_fields(
        record,
        change=with_fields(record.change, command_running=None, commands_done=done, commanded=True),
        judgement=with_fields(record.judgement, running=None),
    )


def applied(event: e.Applied, record: TaskRecord) -> TaskRecord:
    change = record.change
    applied = (change.planned.id,) if change.planned else ()
    in_attempt = change.in_attempt or bool(event.paths)
    return with_fields(
        record,
        counts=with_fields(record.counts, rejections=0),
        call=with_fields(
            record.call,
            reply=None,
            continues=None,
            judged=record.call.reply,
            drafted=(),
            corrected=(),
        ),
        change=with_fields(
            change,
            planned=None,
            applied=change.applied + applied,
            paths=tuple(dict.fromkeys((*change.paths, *event.paths))),
            in_attempt=in_attempt,
            idle_attempt=0 if in_attempt else record.counts.attempts,
            missing=False,
            notes=event.notes,
            no_change=event.no_change,
        ),
        judgement=with_fields(record.judgement, tree=event.tree, as_before=None),
    )


def rejected(event: e.Rejected, record: TaskRecord) -> TaskRecord:
    call = record.call
    corrected = (*call.corrected, call.reply) if call.reply else call.corrected
    return with_fields(
        record,
        counts=with_fields(record.counts, rejections=record.counts.rejections + 1),
        call=with_fields(call, reply=None, continues=call.reply, corrected=corrected),
        change=with_fields(
            _nothing_planned(record.change),
            missing=event.reason == e.NO_CHANGE,
            no_change="",
        ),
        retry_to=TaskState.AGENT,
        feedback=event.problems,
        last_error=event.summary or event.problems,
    )


def conflicted(event: e.Conflicted, record: TaskRecord) -> TaskRecord:
    reason = f"{event.path}: {event.reason}"
    return with_fields(record, retry_to=TaskState.APPLY, last_error=reason)


def commit_started(event: e.CommitStarted, record: TaskRecord) -> TaskRecord:
    return with_fields(record, change=with_fields(record.change, committing=event))


def not_committed(event: e.NotCommitted, record: TaskRecord) -> TaskRecord:
    change = with_fields(
        record.change, committing=None, uncommitted=event.paths, commit_problem=event.problem
    )
    return with_fields(record, change=change)


def committed(event: e.Committed, record: TaskRecord) -> TaskRecord:
    change = with_fields(
        record.change, commit=event.commit, committing=None, uncommitted=(), commit_problem=""
    )
    return with_fields(record, change=change)


def undone(event: e.Undone, record: TaskRecord) -> TaskRecord:
    after = _without(record, event.change_set, event.kept)
    # what was said of the changed tests is said of files that are gone
    call = with_fields(after.call, judged=None)  # it was told of files that are not so any more
    return with_fields(after, call=call, judgement=with_fields(after.judgement, as_before=None))


def taken_back(event: e.TakenBack, record: TaskRecord) -> TaskRecord:
    return with_fields(
        _without(record, event.change_set, event.kept),
        call=with_fields(record.call, reply=None, continues=None, corrected=(), judged=None),
        judgement=with_fields(record.judgement, nothing_changed=False, as_before=None),
        retry_to=TaskState.AGENT,
        last_error="taken back by a person",
        feedback="The post-hooks passed on what the last attempt had changed. But a person took"
        " that back: it is not what they want.",
    )


def put_back(event: e.PutBack, record: TaskRecord) -> TaskRecord:
    change = record.change
    paths = dict.fromkeys((*change.kept, *event.change_set.paths))
    change = with_fields(
        change,
        applied=change.taken_back,
        paths=tuple(paths),
        taken_back=(),
        kept=(),
        planned=event.change_set,
        rolling_back=True,
    )
    return with_fields(record, change=change)


def _without(record: TaskRecord, back: ChangeSet | None, kept: tuple[str, ...]) -> TaskRecord:
    """The record of a task whose changes are taken back, but for some files.

    The failure that led to it stays: it is what the next prompt has to say of them.
    """
    change = record.change
    change = with_fields(
        change,
        taken_back=change.applied or change.taken_back,
        kept=kept,
        applied=change.applied if kept else (),  # else nobody could take those back later
        paths=kept,
        planned=back or change.planned,
        rolling_back=change.rolling_back or back is not None,
        uncommitted=(),
        commit_problem="",
    )
    return with_fields(record, change=change)


def _nothing_planned(change: ChangeState) -> ChangeState:
    return with_fields(change, planned=None, rolling_back=False)
