"""What a person's decisions make of a record."""

from agent_runner.model import events as e
from agent_runner.model.record import STUCK, ChangeState, Counts, Judgement, Spent, TaskRecord
from agent_runner.model.replacing import evolve as with_fields


def retried(event: e.Retried, record: TaskRecord) -> TaskRecord:
    counts = record.counts
    goes_on = record.call.attempt_open and record.call.held and not event.hint
    if not goes_on:
        counts = with_fields(counts, rejections=0, unusable_replies=0, turns=0, last_look=0)
    return with_fields(
        record,
        counts=with_fields(
            counts,
            extra_attempts=counts.extra_attempts + event.grants,
            consecutive_failures=0,
            no_progress=0,
        ),
        call=with_fields(
            record.call,
            attempt_open=goes_on,
            failures=0,
            not_before=None,
            deferred=None,
            # a conversation that came to nothing twice is of no more use
            judged=None if counts.no_progress >= STUCK else record.call.judged,
        ),
        change=with_fields(record.change, command_running=None),
        judgement=with_fields(
            record.judgement, by_person=False, as_before=None, nothing_changed=False
        ),
        spent=_with_time_anew(record.spent),
        hint=event.hint or record.hint,
    )


def checked(_event: e.Checked, record: TaskRecord) -> TaskRecord:
    return with_fields(
        record,
        call=with_fields(record.call, attempt_open=False, reply=None),
        change=with_fields(record.change, planned=None),
        judgement=with_fields(record.judgement, by_person=True, as_before=None),
        spent=_with_time_anew(record.spent),
    )


def skipped(event: e.Skipped, record: TaskRecord) -> TaskRecord:
    return with_fields(
        record,
        call=with_fields(record.call, reply=None),
        change=with_fields(record.change, planned=None),
        last_error=event.reason,
    )


def reset(_event: e.Reset, record: TaskRecord) -> TaskRecord:
    """Nothing is left but what was spent, call numbers, and a hook or git that may still run."""
    return TaskRecord(
        record.id,
        record.state,
        counts=Counts(calls_started=record.counts.calls_started),
        change=ChangeState(committing=record.change.committing),
        judgement=Judgement(running=record.judgement.running),
        spent=with_fields(_with_time_anew(record.spent), earlier_calls=record.calls),
    )


def _with_time_anew(spent: Spent) -> Spent:
    """What was spent; the time that the task may take counts from here on."""
    return with_fields(spent, seconds_waived=spent.seconds)
