"""One call: room reserved, start journaled, sent, answer stored, end journaled.

In this order, always.
"""

from collections.abc import Callable
from random import Random

import anyio
from attrs import define, evolve

from agent_runner.engine.calls.clients import Clients, Served
from agent_runner.engine.calls.conversation import Answers
from agent_runner.engine.calls.question import Question
from agent_runner.engine.calls.route import Routing
from agent_runner.engine.work import Halt, Work
from agent_runner.ground.clock import Clock
from agent_runner.ground.redaction import Redactor
from agent_runner.limits.gate import Gate
from agent_runner.model import events as e
from agent_runner.model.agent import AgentRequest, AgentResponse, Finish
from agent_runner.model.errors import AuthError, ProviderError, UsageError
from agent_runner.model.settings import RetrySettings
from agent_runner.model.signals import Receiving, Said
from agent_runner.providers import decide
from agent_runner.providers.client import CallContext, clean_error, clean_response
from agent_runner.store.calls import CallFiles


@define
class Calling:
    """Sends calls and settles them, in the journal and in the ledger of limits.

    `redactor` knows every key of the run; `record` saves answers for a replay.
    """

    clients: Clients
    routing: Routing
    clock: Clock
    retry: RetrySettings
    random: Random
    answers: Answers
    gate: Gate
    redactor: Redactor
    record: Callable[[AgentRequest, AgentResponse], None] | None = None

    def answer(self, work: Work, call: str) -> AgentResponse | None:
        """The stored answer to one of the calls of the attempt in hand."""
        return self.answers.response(work.task.id, work.record.counts.attempts, call)

    async def call(self, work: Work, question: Question) -> e.TaskEvent | Halt | None:
        """Ask once. None: it is settled in the journal: answered, or to be tried again.

        After a wait, or of a fallback.

        Raises StorageError, before anything is spent, if there is no room for an answer.
        """
        request = question.request
        files = self.answers.files(request.task, request.attempt, request.call)
        files.begin(request)
        work.note(question.started)
        return await self._send(work, request, question.served, files)

    async def settle_open_call(self, work: Work) -> e.TaskEvent | Halt | None:
        """Find out what became of a call that was in flight when a run ended.

        Its answer is adopted where it is on disk, fetched where the provider keeps it (the one that
        was asked, whoever is asked today), and else the call counts as possibly billed.
        """
        record = work.record
        call, provider = record.call.started or "", record.call.provider
        files = self.answers.files(work.task.id, record.counts.attempts, call)
        response, request = files.response(), files.request()
        try:
            served = self.clients.sent_to(work.task, provider)
        except UsageError as error:
            served = None
            if response is None and record.call.response_id and request is not None:
                kept = f"{provider} keeps the answer to {call} and can no longer be asked: {error}"
                return Halt("fatal", kept, error.fix)
        if response is not None:
            cost = served.cost(response.usage) if served else None
            answered = _answered(call, provider, response, cost, seconds=0.0, adopted=True)
            self._settle(work, answered)
            return None
        if record.call.response_id and request is not None and served is not None:
            return await self._send(work, request, served, files, resume=record.call.response_id)
        self._lost(work, call, provider, files, "the run ended while the call was in flight")
        return None

    async def _send(
        self,
        work: Work,
        request: AgentRequest,
        served: Served,
        files: CallFiles,
        resume: str | None = None,
    ) -> e.TaskEvent | Halt | None:
        began = self.clock.monotonic()
        try:
            response = await self._answer(work, request, served, files, resume)
        except ProviderError as error:
            files.give_up()
            error, seconds = clean_error(error, self.redactor), self.clock.monotonic() - began
            return self._unanswered(work, request, served, error, seconds)
        except anyio.get_cancelled_exc_class():
            if work.current().call.response_id is None:  # else it can be fetched later
                self._lost(work, request.call, served.name, files, "stopped while waiting")
            raise
        files.settle(response)
        seconds = self.clock.monotonic() - began
        cost = served.cost(response.usage)
        answered = _answered(
            request.call, served.name, response, cost, seconds=seconds, adopted=False
        )
        self._settle(work, evolve(answered, not_before=self._not_before(work, response)))
        if self.record is not None:
            self.record(request, response)  # last: what is paid for is safe by now
        return None

    async def _answer(
        self,
        work: Work,
        request: AgentRequest,
        served: Served,
        files: CallFiles,
        resume: str | None,
    ) -> AgentResponse:
        client, raw = served.client, self.redactor.stream()
        in_place = client.capabilities.in_place
        context = CallContext(
            request,
            progress=lambda n: work.signal(Receiving(work.task.id, request.call, n)),
            keep=lambda piece: files.keep(raw.feed(piece)),
            created=lambda response: work.note(e.CallCreated(request.call, response)),
            resume_id=resume,
            root=work.task.root if in_place else None,
        )
        try:
            response = await client.generate_completion(request.prompt, context)
        finally:
            files.keep(raw.end())
        if in_place:  # its words are no edits, not even where it changed nothing
            response = evolve(response, edits=response.edits or ())
        return clean_response(response, self.redactor)

    def _unanswered(
        self,
        work: Work,
        request: AgentRequest,
        served: Served,
        error: ProviderError,
        seconds: float,
    ) -> e.TaskEvent | Halt | None:
        """Settle a call that brought no answer, and say what follows from that."""
        if work.record.call.response_id and isinstance(error, AuthError):
            # the provider still keeps the answer: with the right key a resume fetches it
            return Halt("auth", str(error), error.fix)
        now = self.clock.now()
        decision = decide.decide(
            error,
            consecutive_failures=work.current().call.failures + 1,
            retry=self.retry,
            now=now,
            jitter=self.random.random(),
        )
        settled = e.CallSettled(
            request.call,
            decide.outcome(error),
            served.name,
            seconds=seconds,
            request_id=error.request_id,
            not_before=decision.until if isinstance(decision, decide.Wait) else None,
            reason=str(error),
            limits=error.limits,
        )
        self._settle(work, settled)
        return self._follows(work, request, served, error, decision)

    def _follows(
        self,
        work: Work,
        request: AgentRequest,
        served: Served,
        error: ProviderError,
        decision: decide.Consequence,
    ) -> e.TaskEvent | Halt | None:
        """What a decision is for the task, once the call is settled."""
        match decision:
            case decide.Wait():
                return None
            case decide.Defer(not_before, window, reason):
                deferred = e.Deferred(served.name, window, not_before, reason, from_provider=True)
                return None if self.routing.leave(work, deferred) else deferred
            case decide.Stop("outage", text):
                if self.routing.replace(work, served.name, text):
                    return None
                later = self.routing.opens(work, self.clock.now() + self.retry.max_wait)
                return Halt("outage", text, not_before=later)
            case decide.Stop(reason, text):
                return Halt(reason, text, error.fix)
            case decide.Refuse(text):
                return e.Refused(text, request.call)

    def _not_before(self, work: Work, response: AgentResponse) -> float | None:
        """Until when a provider in trouble is left alone: its answer broke off or failed."""
        if response.finish not in {Finish.CUT, Finish.FAILED}:
            return None
        troubles = work.record.counts.unusable_replies + 1
        wait = decide.backoff(troubles, self.retry, self.random.random())
        return self.clock.now() + wait

    def _settle(self, work: Work, settled: e.CallSettled) -> None:
        """The journal first: it is the truth of this project, the ledger only tells the others."""
        work.note(settled)
        self.gate.settle(settled)

    def _lost(self, work: Work, call: str, provider: str, files: CallFiles, reason: str) -> None:
        files.give_up()
        lost = e.CallSettled(call, "lost", provider, reason=reason, caused_by_runner=True)
        self._settle(work, lost)
        work.signal(Said(work.task.id, f"{call} may have been billed: {reason}", "warning"))


def _answered(
    call: str,
    provider: str,
    response: AgentResponse,
    cost: float | None,
    *,
    seconds: float,
    adopted: bool,
) -> e.CallSettled:
    return e.CallSettled(
        call,
        "answered",
        provider,
        usage=response.usage,
        cost=cost,
        seconds=seconds,
        request_id=response.request_id,
        response_id=response.response_id,
        adopted=adopted,
        limits=response.limits,
    )
