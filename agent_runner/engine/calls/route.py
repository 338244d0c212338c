"""Which provider a task's next call goes to: its own, or a fallback while that one is set aside.

Invariants: whoever failed is not asked again before its time, by no task; a call that is tried
again goes to the provider that failed it, until that one's tries are used up; each change of
provider is in the journal before the call that it leads to.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from attrs import evolve, frozen

from agent_runner.engine.calls.clients import Clients, Served
from agent_runner.engine.calls.question import Asking, Question
from agent_runner.engine.work import Halt, Work
from agent_runner.ground.clock import Clock
from agent_runner.limits.decision import Decision, Fits, Full, Never, OverBudget
from agent_runner.limits.gate import Gate
from agent_runner.model.events import Deferred, Refused, SetAside, TaskEvent
from agent_runner.model.settings import RetrySettings
from agent_runner.model.spending import Spending

Forbids: TypeAlias = Callable[[Work, Question], TaskEvent | Halt | None]
"""What stands in a question's way (`Admission.forbids` or `would_forbid`)."""


@frozen
class Routing:
    """Finds the provider to ask. `set_aside`: those passed over, by name, as of now."""

    clients: Clients
    asking: Asking
    retry: RetrySettings
    clock: Clock
    set_aside: Callable[[], Mapping[str, SetAside]]

    async def question(self, work: Work, forbids: Forbids) -> Question | TaskEvent | Halt:
        """The next call, to the first provider that can take it, or what stands in its way.

        A fallback is no reason to give up: where it refuses, the task waits for another to open.
        """
        return await self._first(work, forbids, lambda name: self._told(work, name))

    async def question_at_once(self, work: Work, forbids: Forbids) -> Question | TaskEvent | Halt:
        """As `question`, for somebody who does not want to wait as long as a provider asked."""
        return await self._first(work, forbids, lambda _name: None)

    def leave(self, work: Work, deferred: Deferred) -> bool:
        """A provider asked to be left alone for long; whether there is a fallback at all.

        If so it is set aside, and the next question goes to whoever is open.
        """
        others = [served.name for served in self.clients.chain(work.task)]
        others = [name for name in others if name != deferred.provider]
        if not others:
            return False
        instead = next((name for name in others if self._told(work, name) is None), "")
        work.note(_set_aside(deferred, instead))
        return True

    def replace(self, work: Work, provider: str, reason: str) -> bool:
        """A provider does not answer; whether one that did not fail either takes over.

        Those that have not answered since they failed are no help: it would go round and round.
        """
        failed = {name for name, aside in self.set_aside().items() if aside.cause == "outage"}
        for served in self.clients.chain(work.task):
            if served.name not in {provider, *failed} and self._told(work, served.name) is None:
                until = self.clock.now() + self.retry.max_wait
                work.note(SetAside(provider, served.name, reason, until, "outage"))
                return True
        return False

    def opens(self, work: Work, until: float) -> float:
        """The earliest time at which one of the task's providers may be asked, at most `until`."""
        names = [served.name for served in self.clients.chain(work.task)]
        times = [aside.until for name, aside in self.set_aside().items() if name in names]
        return min([until, *(at for at in times if at > self.clock.now())])

    async def _first(
        self, work: Work, forbids: Forbids, told: Callable[[str], Deferred | None]
    ) -> Question | TaskEvent | Halt:
        closed: list[Deferred] = []
        for served in self._in_turn(work):
            found: Question | TaskEvent | Halt | None = told(served.name)
            if found is None:
                question = await self.asking.question(work, served)
                found = forbids(work, question) or question
            if isinstance(found, Deferred):
                closed.append(found)
                if (
                    found.not_before - self.clock.now() <= self.retry.max_wait
                    and not found.from_provider
                ):
                    break  # that is sat out
            elif not (isinstance(found, Refused) and closed):
                self._journal(work, closed, served.name)
                return found
        return min(closed, key=lambda deferred: deferred.not_before)

    def _in_turn(self, work: Work) -> Iterator[Served]:
        """The task's providers; whoever is in the middle of its tries, or has taken over, first."""
        chain, trying = self.clients.chain(work.task), self._trying(work)
        yield from (served for served in chain if served.name == trying)
        yield from (served for served in chain if served.name != trying)

    def _trying(self, work: Work) -> str:
        """Who has to try on: time that went by on tries brings nobody back, or they had no end."""
        record = work.record
        if 0 < record.call.failures < self.retry.max_tries:
            return record.call.provider
        aside = self.set_aside().get(record.call.provider) if record.call.failures else None
        return aside.instead if aside is not None and aside.cause == "outage" else ""

    def _told(self, work: Work, name: str) -> Deferred | None:
        """Until when a provider wants to be left alone, if it is not yet time."""
        aside, deferred, now = (
            self.set_aside().get(name),
            work.record.call.deferred,
            self.clock.now(),
        )
        if aside is not None and aside.cause != "limit" and aside.until > now:
            return Deferred(name, "", aside.until, aside.reason, from_provider=True)
        if deferred is None or deferred.provider != name or not deferred.from_provider:
            return None
        return deferred if deferred.not_before > now else None

    def _journal(self, work: Work, closed: list[Deferred], instead: str) -> None:
        """Keep why another provider is asked, once for each reason."""
        for deferred in closed:
            before = self.set_aside().get(deferred.provider)
            if before is None or before.until <= self.clock.now():
                work.note(_set_aside(deferred, instead))
            elif not before.instead:
                work.note(evolve(before, instead=instead))


def _set_aside(deferred: Deferred, instead: str) -> SetAside:
    reason = deferred.reason or deferred.window
    cause = "told" if deferred.from_provider else "limit"
    return SetAside(deferred.provider, instead, reason, deferred.not_before, cause)


@frozen
class Admission:
    """Asks the limits before every call."""

    gate: Gate
    spending: Callable[[], Spending]

    def forbids(self, work: Work, question: Question) -> TaskEvent | Halt | None:
        """What the call's worst case runs into; None: it fits and is reserved."""
        profile = question.served.profile
        decision = self.gate.admit(
            self.spending(),
            question.request.call,
            profile.name,
            profile.model,
            question.need,
            task=work.task.id,
        )
        return _meaning(decision, profile.name)

    def would_forbid(self, work: Work, question: Question) -> TaskEvent | Halt | None:
        """The same without reserving: what is said before anything is done for the call."""
        profile = question.served.profile
        decision = self.gate.look(
            self.spending(), profile.name, profile.model, question.need, task=work.task.id
        )
        return _meaning(decision, profile.name)


def _meaning(decision: Decision, provider: str) -> TaskEvent | Halt | None:
    match decision:
        case Fits():
            return None
        case Full(window, not_before, reason):
            return Deferred(provider, window, not_before, reason)
        case Never(reason):
            return Refused(reason)
        case OverBudget("run", reason):
            return Halt("budget", reason, "the next run begins its budget anew")
        case OverBudget(_, reason):
            return Refused(f"{reason}; raise it under budget, then retry the task")
