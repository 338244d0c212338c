"""The providers, models and clients that serve a task, resolved before anything is spent."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from attrs import define, evolve, field, frozen

from agent_runner.model.errors import UsageError
from agent_runner.model.settings import Price, Settings
from agent_runner.model.task import Task
from agent_runner.model.usage import Usage
from agent_runner.providers.client import AgentClient
from agent_runner.providers.costs import cost, highest_cost, price_of
from agent_runner.providers.listing import chosen
from agent_runner.providers.profiles import Profile, fallbacks, resolve


@frozen
class Served:
    """Who answers a task's calls."""

    profile: Profile
    client: AgentClient
    price: Price | None

    @property
    def name(self) -> str:
        """The provider's."""
        return self.profile.name

    def cost(self, usage: Usage) -> float | None:
        """Dollars for this usage; None where no price is known."""
        return cost(usage, self.price) if self.price is not None else None


@define
class Clients:
    """Makes clients when they are first needed and closes them at the end of the run."""

    settings: Settings
    env: Mapping[str, str]
    make: Callable[[Profile], AgentClient]
    _chains: dict[tuple[str | None, str | None], tuple[Served, ...]] = field(factory=dict)
    _served: dict[Profile, Served] = field(factory=dict)

    def check(self, tasks: Iterable[Task]) -> None:
        """Resolve every provider that the tasks may need.

        Raises UsageError before anything is spent.
        """
        for task in tasks:
            self.chain(task)

    def chain(self, task: Task) -> tuple[Served, ...]:
        """Who may serve this task, in turn: its own provider, its fallbacks, then theirs.

        Each stands there once. Raises UsageError: no provider, no key, a model it cannot serve.
        """
        key = (task.provider, task.model)
        if key not in self._chains:
            self._chains[key] = tuple(self._chain(task))
        return self._chains[key]

    def sent_to(self, task: Task, provider: str) -> Served:
        """The provider that a call of this task was sent to, which today may be another.

        Raises UsageError if it can no longer be asked.
        """
        for served in self.chain(task):
            if served.name == provider:
                return served
        return self._fallback(provider)

    async def aclose(self) -> None:
        """Close all connections."""
        for served in self._served.values():
            await served.client.aclose()

    def _chain(self, task: Task) -> Iterator[Served]:
        name = task.provider or chosen(self.settings, self.env).name
        own = self._serve(resolve(name, self.settings, self.env, model=task.model))
        yield own
        seen = [own.name]
        for one in seen:  # grows while it is gone through
            for other in fallbacks(one, self.settings):
                if other not in seen:
                    seen.append(other)
                    yield self._fallback(other, of=one)

    def _fallback(self, name: str, of: str = "") -> Served:
        """A provider with its own model: those of the task and the run are for another's."""
        settings = self.settings
        if settings.provider is None:
            settings = evolve(settings, model=None)
        try:
            profile = resolve(name, settings, self.env)
        except UsageError as error:
            where = f" (in providers.{of}.fallback)" if of else ""
            raise UsageError(f"{error}{where}", fix=error.fix) from error
        return self._serve(profile)

    def _serve(self, profile: Profile) -> Served:
        if profile not in self._served:
            price = price_of(self.settings.prices, profile.model)
            self._served[profile] = Served(profile, self.make(profile), price)
        return self._served[profile]


def worst_cost(settings: Settings, model: str, input_tokens: int, output_cap: int) -> float | None:
    """Dollars that a call may cost at the most; None where no price is known."""
    price = price_of(settings.prices, model)
    return highest_cost(input_tokens, output_cap, price) if price is not None else None
