"""Who is asked: a task's own provider, or a fallback while that one is set aside.

Invariants: whoever failed is not asked again before its time, by no task; a call that is tried
again goes to the provider that failed it, until that one's tries are used up; each change of
provider is in the journal before the call that it leads to.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from attrs import evolve, frozen

from agent_runner.engine.calls.clients import Clients, Provider
from agent_runner.engine.work import Work
from agent_runner.ground.clock import Clock
from agent_runner.model.events import Deferred, SetAside
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import RetrySettings
from agent_runner.model.task import Task


@frozen
class Route:
    """Knows in which order a task's providers are asked, and which of them are closed now.

    `set_aside`: the providers that are passed over, by name, as the journal has them now.
    """

    clients: Clients
    retry: RetrySettings
    clock: Clock
    set_aside: Callable[[], Mapping[str, SetAside]]

    def in_turn(self, task: Task, record: TaskRecord) -> Iterator[Provider]:
        """The task's providers in the order in which they are asked.

        Whoever is in the middle of its tries, or has taken over, goes first.
        """
        chain, first = self.clients.chain(task), self._goes_first(record)
        yield from (provider for provider in chain if provider.name == first)
        yield from (provider for provider in chain if provider.name != first)

    def closed(self, record: TaskRecord, name: str) -> Deferred | None:
        """Until when a provider wants to be left alone; None: it may be asked.

        A limit of our own closes nobody: it is counted anew for each question.
        """
        aside, deferred, now = self.set_aside().get(name), record.call.deferred, self.clock.now()
        if aside is not None and aside.cause != "limit" and aside.until > now:
            return Deferred(name, "", aside.until, aside.reason, from_provider=True)
        if deferred is None or deferred.provider != name or not deferred.from_provider:
            return None
        return deferred if deferred.not_before > now else None

    def is_soon(self, deferred: Deferred) -> bool:
        """Whether a limit of our own opens so soon that the task waits rather than turns away."""
        wait = deferred.not_before - self.clock.now()
        return wait <= self.retry.max_wait and not deferred.from_provider

    def explain(self, work: Work, closed: Iterable[Deferred], instead: str) -> None:
        """Journal why `instead` is asked and not those before it, once for each reason."""
        for deferred in closed:
            known = self.set_aside().get(deferred.provider)
            if known is None or known.until <= self.clock.now():
                work.journal(_set_aside(deferred, instead))
            elif not known.instead:
                work.journal(evolve(known, instead=instead))

    def leave_alone(self, work: Work, deferred: Deferred) -> bool:
        """Set a provider aside that asked for a long wait; False: the task has no other.

        With True, the next question goes to whoever is open.
        """
        others = [provider.name for provider in self.clients.chain(work.task)]
        others = [name for name in others if name != deferred.provider]
        if not others:
            return False
        instead = next((name for name in others if self.closed(work.record, name) is None), "")
        work.journal(_set_aside(deferred, instead))
        return True

    def replace(self, work: Work, name: str, reason: str) -> bool:
        """Set a provider aside that does not answer; False: no other can take over.

        One that has not answered since it failed is no help: they would take turns for ever.
        """
        down = {other for other, aside in self.set_aside().items() if aside.cause == "outage"}
        for provider in self.clients.chain(work.task):
            other = provider.name
            if other not in {name, *down} and self.closed(work.record, other) is None:
                until = self.clock.now() + self.retry.max_wait
                work.journal(SetAside(name, other, reason, until, "outage"))
                return True
        return False

    def opens(self, work: Work, until: float) -> float:
        """The earliest time at which one of the task's providers may be asked, at most `until`."""
        names = [provider.name for provider in self.clients.chain(work.task)]
        times = [aside.until for name, aside in self.set_aside().items() if name in names]
        return min([until, *(at for at in times if at > self.clock.now())])

    def _goes_first(self, record: TaskRecord) -> str:
        """Who goes on trying; "": nobody is in the middle of anything.

        Time that went by on tries brings no earlier provider back: each would begin its tries
        anew, and they had no end.
        """
        call = record.call
        if 0 < call.failures < self.retry.max_tries:
            return call.provider
        aside = self.set_aside().get(call.provider) if call.failures else None
        return aside.instead if aside is not None and aside.cause == "outage" else ""


def _set_aside(deferred: Deferred, instead: str) -> SetAside:
    reason = deferred.reason or deferred.window
    cause = "told" if deferred.from_provider else "limit"
    return SetAside(deferred.provider, instead, reason, deferred.not_before, cause)
