"""The provider, model and client that serve a task, resolved before anything is spent."""

from collections.abc import Callable, Iterable, Mapping

from attrs import define, field, frozen

from agent_runner.model.settings import Price, Settings
from agent_runner.model.task import Task
from agent_runner.model.usage import Usage
from agent_runner.providers.client import AgentClient
from agent_runner.providers.estimate import cost, highest_cost, price_of
from agent_runner.providers.listing import chosen
from agent_runner.providers.profiles import Profile, resolve


@frozen
class Served:
    """Who answers a task's calls."""

    profile: Profile
    client: AgentClient
    price: Price | None

    def cost(self, usage: Usage) -> float | None:
        """Dollars for this usage; None where no price is known."""
        return cost(usage, self.price) if self.price is not None else None


@define
class Clients:
    """Makes clients when they are first needed and closes them at the end of the run."""

    settings: Settings
    env: Mapping[str, str]
    make: Callable[[Profile], AgentClient]
    _served: dict[tuple[str, str | None], Served] = field(factory=dict)

    def check(self, tasks: Iterable[Task]) -> None:
        """Resolve every provider that the tasks will need.

        Raises UsageError before anything is spent.
        """
        for task in tasks:
            self.of(task)

    def of(self, task: Task) -> Served:
        """Who serves this task. Raises UsageError: no provider, no key, a model it cannot serve."""
        name = task.provider or chosen(self.settings, self.env).name
        key = (name, task.model)
        if key not in self._served:
            profile = resolve(name, self.settings, self.env, model=task.model)
            price = price_of(self.settings.prices, profile.model)
            self._served[key] = Served(profile, self.make(profile), price)
        return self._served[key]

    async def aclose(self) -> None:
        """Close all connections."""
        for served in self._served.values():
            await served.client.aclose()


def worst_cost(settings: Settings, model: str, input_tokens: int, output_cap: int) -> float | None:
    """Dollars that a call may cost at the most; None where no price is known."""
    price = price_of(settings.prices, model)
    return highest_cost(input_tokens, output_cap, price) if price is not None else None
