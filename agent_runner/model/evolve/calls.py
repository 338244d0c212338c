"""What the events of calls and their replies make of a record."""

from agent_runner.model import events as e
from agent_runner.model.record import TaskRecord
from agent_runner.model.replacing import evolve as with_fields
from agent_runner.model.states import TaskState


def call_started(event: e.CallStarted, record: TaskRecord) -> TaskRecord:
    counts, call, change = record.counts, record.call, record.change
    if event.attempt != counts.attempts:  # what is counted within an attempt begins anew
        counts = with_fields(counts, rejections=0, turns=0, last_look=0, unusable_replies=0)
        after = event.after or None
        judged = call.judged if after else None
        call = with_fields(
            call, continues=after, judged=judged, drafted=(), corrected=(), unusable=None
        )
        change = with_fields(change, in_attempt=False)
    return with_fields(
        record,
        counts=with_fields(counts, attempts=event.attempt, calls_started=counts.calls_started + 1),
        call=with_fields(
            call,
            started=event.call,
            attempt_open=True,
            # another provider has its own tries: the first one's failures say nothing of it
            failures=call.failures if event.provider == call.provider else 0,
            provider=event.provider,
            response_id=None,
            deferred=None,
            held=False,
        ),
        change=change,
    )


def call_created(event: e.CallCreated, record: TaskRecord) -> TaskRecord:
    return with_fields(record, call=with_fields(record.call, response_id=event.response_id))


def call_settled(event: e.CallSettled, record: TaskRecord) -> TaskRecord:
    counts, call, spent = record.counts, record.call, record.spent
    call = with_fields(call, started=None, response_id=None, not_before=event.not_before)
    if event.usage is not None:
        spent = with_fields(spent, usage=spent.usage + event.usage)
    if event.cost is not None:
        spent = with_fields(spent, cost=spent.cost + event.cost)
    if event.outcome == "answered":
        counts = with_fields(counts, calls_answered=counts.calls_answered + 1)
        call = with_fields(call, reply=event.call, failures=0)
        return with_fields(record, counts=counts, call=call, spent=spent)
    if event.outcome == "lost":
        spent = with_fields(spent, possibly_billed=spent.possibly_billed + 1)
    if not event.caused_by_runner:
        call = with_fields(call, failures=call.failures + 1)
    return with_fields(record, call=call, spent=spent, last_error=event.reason)


def conversation_closed(event: e.ConversationClosed, record: TaskRecord) -> TaskRecord:
    call = with_fields(record.call, continues=None, judged=None)
    if not event.drafts_dropped:
        return with_fields(record, call=call)
    # what was wrong with a rejected reply names blocks that were kept, and are no more
    feedback = "" if call.corrected else record.feedback
    call = with_fields(call, drafted=(), corrected=())
    return with_fields(record, call=call, feedback=feedback)


def set_aside(event: e.SetAside, record: TaskRecord) -> TaskRecord:
    # one that says when to come back has not failed; one that is down has used up its tries
    if event.cause == "told" and event.provider == record.call.provider:
        return with_fields(record, call=with_fields(record.call, failures=0))
    return record


def consulted(event: e.Consulted, record: TaskRecord) -> TaskRecord:
    counts, call = record.counts, record.call
    turns = counts.turns + 1
    last_look = counts.last_look or (turns if event.last_look else 0)
    drafted = (*call.drafted, event.call) if event.drafts else call.drafted
    return with_fields(
        record,
        counts=with_fields(counts, turns=turns, last_look=last_look),
        call=with_fields(call, reply=None, continues=event.call, drafted=drafted, unusable=None),
        retry_to=TaskState.AGENT,
        last_error="the model went on looking and did not reply with changes",
    )


def unusable(event: e.Unusable, record: TaskRecord) -> TaskRecord:
    counts = with_fields(record.counts, unusable_replies=record.counts.unusable_replies + 1)
    return with_fields(
        record,
        counts=counts,
        call=with_fields(record.call, reply=None, unusable=event.call),
        retry_to=TaskState.AGENT,
        last_error=event.reason,
    )


def deferred(event: e.Deferred, record: TaskRecord) -> TaskRecord:
    return with_fields(record, call=with_fields(record.call, deferred=event))


def refused(event: e.Refused, record: TaskRecord) -> TaskRecord:
    return with_fields(
        record,
        call=with_fields(record.call, reply=None, held=not event.call),
        retry_to=TaskState.AGENT,
        last_error=event.reason,
    )


def replied(event: e.Replied, record: TaskRecord) -> TaskRecord:
    return with_fields(
        record,
        counts=with_fields(record.counts, unusable_replies=0),
        call=with_fields(record.call, reply=event.call, unusable=None),
        last_error="",
    )
