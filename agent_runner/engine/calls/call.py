"""One call: room reserved, start journaled, sent, answer stored, settled. In this order, always.

- Room first, in the limits and on the disk: an answer that is paid for must find both.
- The start is in the journal before anything is sent. Whatever happens then, a resume knows that
  this call may have been billed, and never asks for it as if it were new.
- The answer is on disk, whole, before anything is made of it: found there after a crash, it is as
  good as one just received.
- The journal is settled before the ledger: the journal is the truth of this project, the ledger
  only tells the others.
"""

from collections.abc import Callable
from random import Random

import anyio
from attrs import define, evolve, frozen

from agent_runner.engine.calls.clients import Clients, Provider
from agent_runner.engine.calls.conversation import Conversations
from agent_runner.engine.calls.in_place import InPlace, WorkingCopy
from agent_runner.engine.calls.question import Question
from agent_runner.engine.calls.route import Route
from agent_runner.engine.calls.settlement import answered, lost, unanswered
from agent_runner.engine.work import Halt, Work
from agent_runner.ground.clock import Clock
from agent_runner.ground.redaction import Redactor
from agent_runner.ground.timings import part
from agent_runner.limits.gate import Gate
from agent_runner.limits.room import Fits, Full, Never, OverBudget, Room
from agent_runner.model import events as e
from agent_runner.model.agent import AgentRequest, AgentResponse
from agent_runner.model.conversation import StoredRequest
from agent_runner.model.errors import AuthError, ProviderError, ToolsDeclinedError, UsageError
from agent_runner.model.settings import RetrySettings
from agent_runner.model.signals import Receiving, Said, Working
from agent_runner.model.spending import Spending
from agent_runner.providers import decide
from agent_runner.providers.client import CallContext, clean_error, clean_response
from agent_runner.providers.faults import fault_of
from agent_runner.store.calls import CallFiles


@frozen
class _Call:
    """A call under way.

    `request` is what is sent, `stored` what is kept of it. `resume`: the id under which its
    provider keeps the answer. `copy`: where its agent works. `kept`: what it printed, where nobody
    saw its end.
    """

    work: Work
    request: AgentRequest
    stored: StoredRequest
    provider: Provider
    files: CallFiles
    resume: str | None = None
    copy: WorkingCopy | None = None
    kept: bytes | None = None

    @property
    def id(self) -> str:
        return self.request.call


@define
class Calls:
    """Makes calls and settles them, in the journal and in the limits.

    Attributes:
        redactor: Knows every key of the run.
        in_place: Gives agents that change files themselves a copy to work in.
        save: Keeps each answer for a later replay, where that was asked for.
    """

    clients: Clients
    route: Route
    conversations: Conversations
    gate: Gate
    spending: Callable[[], Spending]
    retry: RetrySettings
    clock: Clock
    random: Random
    redactor: Redactor
    in_place: InPlace
    save: Callable[[AgentRequest, AgentResponse], None] | None = None

    def forbids(self, work: Work, question: Question) -> e.TaskEvent | Halt | None:
        """What the worst case of a call runs into; None: it fits, and is reserved in the limits."""
        provider, call = question.provider, question.request.call
        room = self.gate.admit(
            self.spending(), call, provider.name, provider.model, question.need, task=work.task.id
        )
        return _meaning(room, provider.name)

    def would_forbid(self, work: Work, question: Question) -> e.TaskEvent | Halt | None:
        """As `forbids`, but nothing is reserved: for a call that is not to be made yet."""
        provider = question.provider
        room = self.gate.look(
            self.spending(), provider.name, provider.model, question.need, task=work.task.id
        )
        return _meaning(room, provider.name)

    async def make(self, work: Work, question: Question) -> e.TaskEvent | Halt | None:
        """Make a call for which the limits have room.

        None: it is settled in the journal, and the record says what came of it: an answer, or a
        time from which the same or another provider is to be asked again.

        Raises StorageError, before anything is spent, if the disk has no room for an answer.
        """
        request = question.request
        files = self.conversations.files(request.task, request.attempt, request.call)
        provider, stored = question.provider, question.stored
        async with self.in_place.copy_for(work, provider, request.call, question.need) as copy:
            files.begin(stored)
            if copy is not None:  # whoever finds the copy has to know what was asked
                files.keep_request(stored)
            for fact in question.before:
                work.journal(fact)
            work.journal(question.started)
            return await self._send(_Call(work, request, stored, provider, files, copy=copy))

    async def settle_open(self, work: Work) -> e.TaskEvent | Halt | None:
        """Find out what became of a call that was in flight when a run ended.

        Its answer is adopted where it is on disk, fetched where the provider keeps it (the one that
        was asked, whoever is asked today), and else the call counts as possibly billed.
        """
        open_call = work.record.call
        call, name, kept_as = open_call.started or "", open_call.provider, open_call.response_id
        files = self.conversations.files(work.task.id, work.record.counts.attempts, call)
        response, stored = files.response(), files.request()
        request = None
        if response is None and kept_as and stored is not None:
            request = self.conversations.sent(work.task.id, stored.attempt, stored)
        try:
            provider = self.clients.sent_to(work.task, name)
        except UsageError as error:
            provider = None
            if response is None and kept_as and request is not None:
                kept = f"{name} keeps the answer to {call} and can no longer be asked: {error}"
                return Halt("fatal", kept, error.fix)
        if response is not None:
            files.settle(stored, response)  # it may have been found in the copy alone
            settled = answered(call, provider, response)
            self._settle(work, evolve(settled, provider=name, adopted=True))
            return None
        if stored is not None and request is not None and provider is not None:
            return await self._send(_Call(work, request, stored, provider, files, kept_as))
        if stored is not None and provider is not None:
            async with self.in_place.copy_for(work, provider, call) as copy:
                request = self.conversations.sent(work.task.id, stored.attempt, stored)
                if copy is not None and request is not None:
                    pieces = files.pieces()
                    found = _Call(work, request, stored, provider, files, None, copy, pieces)
                    return await self._send(found)
        self._lost(work, call, name, files, "the run ended while the call was in flight")
        return None

    async def _send(self, call: _Call) -> e.TaskEvent | Halt | None:
        """Ask, store the answer, settle. What it is for the task is asked afterwards."""
        started_at = self.clock.monotonic()
        try:
            response = await self._answer(call)
        except ProviderError as error:
            if call.kept is not None:
                self._lost(call.work, call.id, call.provider.name, call.files, str(error))
                return None
            call.files.give_up()
            if call.copy is not None:
                await self.in_place.pause(call.copy, call.provider, error)
            seconds = self.clock.monotonic() - started_at
            return self._unanswered(call, clean_error(error, self.redactor), seconds)
        except anyio.get_cancelled_exc_class():
            if call.work.latest().call.response_id is None:  # else it can be fetched later
                name = call.provider.name
                self._lost(call.work, call.id, name, call.files, "stopped while waiting")
            raise
        if call.copy is not None:
            response = await self.in_place.taken(call.work, call.copy, response)
            self.in_place.remember(call.work, call.provider, response)
        fault = fault_of(response, call.provider.profile, self.clock.now())
        if fault is not None:
            call.files.give_up()
            return self._unanswered(call, fault, self.clock.monotonic() - started_at)
        call.files.settle(call.stored, response)
        self.conversations.add(call.stored, response)
        settled = evolve(
            answered(call.id, call.provider, response),
            seconds=self.clock.monotonic() - started_at,
            adopted=call.kept is not None,
        )
        self._settle(call.work, settled)
        if self.save is not None:
            self.save(call.request, response)  # last: what is paid for is safe by now
        return None

    async def _answer(self, call: _Call) -> AgentResponse:
        """The provider's answer, known keys taken out; its pieces are kept as they come."""
        work, client, raw = call.work, call.provider.client, self.redactor.stream()
        in_place = client.capabilities.in_place
        context = CallContext(
            call.request,
            progress=lambda n: work.signal(Receiving(work.task.id, call.id, n)),
            keep=lambda piece: call.files.keep_piece(raw.feed(piece)),
            created=lambda kept_as: self._created(call, kept_as),
            resume_id=call.resume,
            root=work.task.root if in_place else None,
            activity=lambda words: work.signal(Working(work.task.id, words)),
            note=lambda words: work.signal(Said(work.task.id, words, "warning")),
        )
        if call.copy is not None:
            workplace = evolve(call.copy.workplace, kept=call.kept)
            context = evolve(context, workplace=workplace)
        try:
            with part("provider"):
                response = await client.generate_completion(call.request.prompt, context)
        finally:
            call.files.keep_piece(raw.end())
        if in_place:  # its words are no edits, not even where it changed nothing
            response = evolve(response, edits=response.edits or ())
        return clean_response(response, self.redactor)

    @staticmethod
    def _created(call: _Call, kept_as: str) -> None:
        """Journal that the answer can be fetched, and what it is an answer to."""
        call.files.keep_request(call.stored)
        call.work.journal(e.CallCreated(call.id, kept_as))

    def _unanswered(
        self, call: _Call, error: ProviderError, seconds: float
    ) -> e.TaskEvent | Halt | None:
        """Settle a call that brought no answer, and say what follows from that."""
        work = call.work
        if work.record.call.response_id and isinstance(error, AuthError):
            # the provider still keeps the answer: with the right key a resume fetches it
            return Halt("auth", str(error), error.fix)
        decision = decide.decide(
            error,
            consecutive_failures=work.latest().call.failures + 1,
            retry=self.retry,
            now=self.clock.now(),
            jitter=self.random.random(),
        )
        settled = unanswered(call.id, call.provider, error, decision)
        self._settle(work, evolve(settled, seconds=seconds))
        if isinstance(error, ToolsDeclinedError) and call.request.prompt.tools:
            declined = e.ToolsDeclined(call.provider.name, call.provider.model, str(error))
            work.journal(declined)
            return None  # asked again at once, in words
        return self._follows(call, error, decision)

    def _follows(
        self, call: _Call, error: ProviderError, decision: decide.Consequence
    ) -> e.TaskEvent | Halt | None:
        """What a decision is for the task, once the call is settled. None: ask again."""
        work, name = call.work, call.provider.name
        match decision:
            case decide.Wait():
                return None
            case decide.Defer(not_before, window, reason):
                deferred = e.Deferred(name, window, not_before, reason, from_provider=True)
                return None if self.route.leave_alone(work, deferred) else deferred
            case decide.Stop("outage", text):
                if self.route.replace(work, name, text):
                    return None
                later = self.route.opens(work, self.clock.now() + self.retry.max_wait)
                return Halt("outage", text, not_before=later)
            case decide.Stop(reason, text):
                return Halt(reason, text, error.fix)
            case decide.Refuse(text):
                return e.Refused(text, call.id)

    def _settle(self, work: Work, settled: e.CallSettled) -> None:
        work.journal(settled)
        self.gate.settle(settled)

    def _lost(self, work: Work, call: str, name: str, files: CallFiles, reason: str) -> None:
        """Give a call up that may have been billed, and say so."""
        files.give_up()
        self._settle(work, lost(call, name, reason))
        work.signal(Said(work.task.id, f"{call} may have been billed: {reason}", "warning"))


def _meaning(room: Room, provider: str) -> e.TaskEvent | Halt | None:
    """What the limits say is for the task or the run; None: the call may be made."""
    match room:
        case Fits():
            return None
        case Full(window, not_before, reason, reported):
            return e.Deferred(provider, window, not_before, reason, reported=reported)
        case Never(reason):
            return e.Refused(reason)
        case OverBudget("run", reason):
            return Halt("budget", reason, "the next run begins its budget anew")
        case OverBudget(_, reason):
            return e.Refused(f"{reason}; raise it under budget, then retry the task")
