"""Limits that cannot be meant.

Each is valid by itself, together they never let a call through or never matter.
"""

from collections.abc import Iterator
from itertools import combinations

from agent_runner.limits.limit import Limit, limits_for, limits_in, shown
from agent_runner.limits.windows import week_start, zone_of
from agent_runner.model.errors import UsageError
from agent_runner.model.settings import BudgetSettings, LimitSettings, Settings


def contradictions(settings: Settings) -> tuple[str, ...]:
    """One sentence for each contradiction; empty: none."""
    return tuple(_all(settings))


def limit_in_dollars(settings: Settings, provider: str, model: str) -> str | None:
    """The first limit of a call that cannot be kept unless the model has a price."""
    limits = limits_for(settings, provider, model)
    named = [f"{limit.option} of {limit.scope}" for limit in limits if limit.measure == "cost"]
    budget = ("max_cost_run", "max_cost_task")
    named += [option for option in budget if getattr(settings.budget, option) is not None]
    return named[0] if named else None


def _all(settings: Settings) -> Iterator[str]:
    yield from _unreadable(settings)
    for provider, configured in settings.rate_limits.items():
        whole = f"rate_limits.{provider}"
        yield from _in_group(configured, whole, settings)
        for model, own in configured.models.items():
            name = f"{whole}.models.{model}"
            yield from _in_group(own, name, settings)
            yield from _beside(own, name, configured, whole)
        yield from _unpriced(provider, configured, settings)
    yield from _in_budget(settings.budget, settings)


def _unreadable(settings: Settings) -> Iterator[str]:
    for read in (
        lambda: zone_of(settings.limits),
        lambda: week_start(settings.limits.week_starts),
    ):
        try:
            read()
        except UsageError as error:
            yield str(error)


def _in_group(configured: LimitSettings, name: str, settings: Settings) -> Iterator[str]:
    limits = list(limits_in(configured, name, None))
    for shorter, longer in combinations(limits, 2):
        if shorter.measure == longer.measure and longer.most < shorter.most:
            yield (
                f"{name}: {_named(shorter)} can never be reached, since {_named(longer)} is less"
            )
    cap = settings.max_output_tokens
    for limit in limits:
        if limit.measure == "tokens" and limit.most <= cap:
            yield (
                f"{name}: no call fits into {_named(limit)}, since each reserves"
                f" max_output_tokens ({cap:,}) for its answer"
            )


def _beside(own: LimitSettings, name: str, configured: LimitSettings, whole: str) -> Iterator[str]:
    above = {limit.option: limit for limit in limits_in(configured, whole, None)}
    for limit in limits_in(own, name, None):
        other = above.get(limit.option)
        if other is not None and limit.most > other.most:
            yield (
                f"{name}: {_named(limit)} can never be reached, since the provider's own"
                f" {_named(other)} is less"
            )


def _unpriced(provider: str, configured: LimitSettings, settings: Settings) -> Iterator[str]:
    known = settings.providers.get(provider)
    model = settings.model or (known.model if known else None)
    limits = limits_in(configured, provider, None)
    costs = [limit.option for limit in limits if limit.measure == "cost"]
    if costs and model is not None and model not in settings.prices:
        yield f"rate_limits.{provider}: {costs[0]} needs a price for model {model} under prices"


def _in_budget(budget: BudgetSettings, settings: Settings) -> Iterator[str]:
    for word in ("cost", "calls", "tokens"):
        run, task = (getattr(budget, f"max_{word}_{scope}") for scope in ("run", "task"))
        if run is not None and task is not None and task > run:
            yield (
                f"budget: max_{word}_task ({task:,}) can never be reached, since"
                f" max_{word}_run ({run:,}) is less"
            )
    for scope in ("run", "task"):
        most = getattr(budget, f"max_tokens_{scope}")
        if most is not None and most <= settings.max_output_tokens:
            yield (
                f"budget: no call fits into max_tokens_{scope} ({most:,}), since each reserves"
                f" max_output_tokens ({settings.max_output_tokens:,}) for its answer"
            )


def _named(limit: Limit) -> str:
    return f"{limit.option} ({shown(limit.measure, limit.most)})"
