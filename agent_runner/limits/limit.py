"""Configured limits and budgets, one by one, and which limits hold for a call."""

from collections.abc import Callable, Iterator

from attrs import frozen

from agent_runner.limits.windows import SECONDS
from agent_runner.model.meters import Amount, nanodollars
from agent_runner.model.settings import BudgetSettings, CachedTokens, LimitSettings, Settings

MEASURES: dict[str, Callable[[Amount], int]] = {
    "requests": lambda amount: amount.requests,
    "tokens": lambda amount: amount.tokens,
    "cost": lambda amount: amount.nanodollars,
}
"""What can be limited, and where an amount holds it (money in billionths of a dollar)."""

_BUDGET_WORDS = {"cost": "cost", "requests": "calls", "tokens": "tokens"}
"""The measures of budgets, as their options spell them."""

_DIME = 0.1
"""Dollars below which cents tell too little."""


@frozen
class Limit:
    """At most `most` of a measure (money in billionths of a dollar) in a window of time.

    `model` None: all models of the provider together. `cached_free`: tokens that were read from the
    provider's cache do not count.
    """

    provider: str
    model: str | None
    measure: str
    window: str
    most: int
    cached_free: bool = False

    @property
    def option(self) -> str:
        """The option's name."""
        return f"max_{self.measure}_{self.window}"

    @property
    def scope(self) -> str:
        """Whose use it limits, for people."""
        return f"{self.provider} {self.model}" if self.model else self.provider

    @property
    def shown(self) -> str:
        """The limit in words: `claude: 100,000 tokens an hour`."""
        article = "an" if self.window == "hour" else "a"
        return f"{self.scope}: {shown(self.measure, self.most)} {article} {self.window}"

    def of(self, amount: Amount) -> int:
        """What of an amount counts here."""
        return _counted(self.measure, amount, cached_free=self.cached_free)


@frozen
class Cap:
    """At most `most` of a measure in a whole `scope`: the `run`, or the `task`.

    `cached_free`: as for a `Limit`.
    """

    scope: str
    measure: str
    most: int
    cached_free: bool = False

    @property
    def option(self) -> str:
        """The option's name."""
        return f"max_{_BUDGET_WORDS[self.measure]}_{self.scope}"

    @property
    def shown(self) -> str:
        """The most, in words."""
        return shown(self.measure, self.most)

    def of(self, amount: Amount) -> int:
        """What of an amount counts here."""
        return _counted(self.measure, amount, cached_free=self.cached_free)


def limits_for(settings: Settings, provider: str, model: str) -> Iterator[Limit]:
    """The configured limits that hold for a call: the provider's, then the model's own."""
    configured = settings.rate_limits.get(provider)
    if configured is None:
        return
    yield from limits_in(configured, provider, None)
    own = configured.models.get(model)
    if own is not None:
        yield from limits_in(own, provider, model)


def limits_in(configured: LimitSettings, provider: str, model: str | None) -> Iterator[Limit]:
    """The limits of one group of options, shortest window first."""
    cached_free = configured.cached_tokens is CachedTokens.FREE
    for window in SECONDS:
        for measure in MEASURES:
            most = getattr(configured, f"max_{measure}_{window}")
            if most is not None:
                counted = nanodollars(most) if measure == "cost" else most
                yield Limit(provider, model, measure, window, counted, cached_free)


def caps_in(budget: BudgetSettings) -> Iterator[Cap]:
    """The budgets that are set: those of the run, then those of the task."""
    cached_free = budget.cached_tokens is CachedTokens.FREE
    for scope in ("run", "task"):
        for measure, word in _BUDGET_WORDS.items():
            most = getattr(budget, f"max_{word}_{scope}")
            if most is not None:
                counted = nanodollars(most) if measure == "cost" else most
                yield Cap(scope, measure, counted, cached_free)


def _counted(measure: str, amount: Amount, *, cached_free: bool) -> int:
    free = amount.cached if cached_free and measure == "tokens" else 0
    return MEASURES[measure](amount) - free


def shown(measure: str, count: int) -> str:
    """A count of a measure for people: `100,000 tokens`, `1 call`, `$2.50`."""
    if measure == "cost":
        dollars = Amount(nanodollars=count).cost
        return f"${dollars:,.4f}" if 0 < dollars < _DIME else f"${dollars:,.2f}"
    word = "call" if measure == "requests" else "token"
    return f"{count:,} {word}{'' if count == 1 else 's'}"
