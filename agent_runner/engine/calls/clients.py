"""The providers, models and clients that serve a task, resolved before anything is spent."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

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
class Provider:
    """Who answers calls: a profile with the client that speaks to it and the price of its model."""

    profile: Profile
    client: AgentClient
    price: Price | None

    @property
    def name(self) -> str:
        """The provider's name in the configuration."""
        return self.profile.name

    @property
    def model(self) -> str:
        """The model, as the provider spells it."""
        return self.profile.model

    def cost(self, usage: Usage) -> float | None:
        """Dollars for this usage; None where no price is known."""
        return cost(usage, self.price) if self.price is not None else None

    def highest_cost(self, input_tokens: int, output_cap: int) -> float | None:
        """Dollars that a call may cost at the most; None where no price is known.

        0 for an agent that says itself what it cost, afterwards: nobody knows it before.
        """
        if self.price is None:
            return 0.0 if self.client.capabilities.outfit.tells_cost else None
        return highest_cost(input_tokens, output_cap, self.price)


class Resolver(Protocol):
    """Finds a provider's profile: `profiles.resolve`, or `outline` where nothing is sent."""

    def __call__(
        self, name: str, settings: Settings, env: Mapping[str, str], *, model: str | None = None
    ) -> Profile:
        """The profile of provider `name`. Raises UsageError for whatever is wrong with it."""


@define
class Clients:
    """Makes clients when they are first needed and closes them at the end of the run."""

    settings: Settings
    env: Mapping[str, str]
    make: Callable[[Profile], AgentClient]
    resolve: Resolver = resolve
    _chains: dict[tuple[str | None, str | None], tuple[Provider, ...]] = field(factory=dict)
    _providers: dict[Profile, Provider] = field(factory=dict)

    def check(self, tasks: Iterable[Task]) -> None:
        """Resolve every provider that the tasks may need.

        Raises UsageError before anything is spent.
        """
        for task in tasks:
            self.chain(task)

    def chain(self, task: Task) -> tuple[Provider, ...]:
        """Who may serve this task, in turn: its own provider, its fallbacks, then theirs.

        Each stands there once. Raises UsageError: no provider, no key, a model it cannot serve.
        """
        key = (task.provider, task.model)
        if key not in self._chains:
            self._chains[key] = tuple(self._chain(task))
        return self._chains[key]

    def sent_to(self, task: Task, provider: str) -> Provider:
        """The provider that a call of this task was sent to, which today may be another.

        Raises UsageError if it can no longer be asked.
        """
        for one in self.chain(task):
            if one.name == provider:
                return one
        return self._fallback(provider)

    async def aclose(self) -> None:
        """Close all connections."""
        for one in self._providers.values():
            await one.client.aclose()

    def _chain(self, task: Task) -> Iterator[Provider]:
        name = task.provider or chosen(self.settings, self.env).name
        own = self._serve(self.resolve(name, self.settings, self.env, model=task.model))
        yield own
        seen = [own.name]
        for one in seen:  # grows while it is gone through
            for other in fallbacks(one, self.settings):
                if other not in seen:
                    seen.append(other)
                    yield self._fallback(other, of=one)

    def _fallback(self, name: str, of: str = "") -> Provider:
        """A provider with its own model: those of the task and the run are for another's."""
        settings = self.settings
        if settings.provider is None:
            settings = evolve(settings, model=None)
        try:
            profile = self.resolve(name, settings, self.env)
        except UsageError as error:
            where = f" (in providers.{of}.fallback)" if of else ""
            raise UsageError(f"{error}{where}", fix=error.fix, option=error.option) from error
        return self._serve(profile)

    def _serve(self, profile: Profile) -> Provider:
        if profile not in self._providers:
            price = price_of(self.settings.prices, profile.model, official=profile.official)
            self._providers[profile] = Provider(profile, self.make(profile), price)
        return self._providers[profile]
