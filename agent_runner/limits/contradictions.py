"""The one judge of limits that cannot be meant: each is valid by itself, together they are not.

`run` and `config validate` both ask it, so that nothing is good for one and refused by the other.
"""

import enum
from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from agent_runner.limits.limit import Cap, Limit, caps_in, limits_for, limits_in, shown
from agent_runner.limits.room import Need, is_hopeless
from agent_runner.model.settings import Settings


class Kind(enum.Enum):
    """How bad it is."""

    NEVER_REACHED = enum.auto()
    """Harmless: another limit is always reached first."""
    NO_CALL_FITS = enum.auto()
    """Every call that it holds for is turned away when it comes."""
    UNPRICED = enum.auto()
    """It is in dollars and cannot be kept, since no price is known: nothing may be asked."""


@frozen
class Contradiction:
    """What cannot be meant. `path`: where the option stands in the configuration, key by key."""

    kind: Kind
    path: tuple[str, ...]
    text: str
    fix: str = ""


@frozen
class LeastCall:
    """The smallest call that can be made to a provider's model.

    `need`: one token of input, and the whole cap of the output, which is always reserved.
    """

    provider: str
    model: str
    need: Need


def contradictions(settings: Settings, calls: Iterable[LeastCall]) -> tuple[Contradiction, ...]:
    """Every limit that can never be reached, and those that no call of `calls` can be held to.

    A provider that is never asked may have limits into which no call fits.
    """
    return tuple(dict.fromkeys([*_hopeless(settings, calls), *_idle(settings)]))


def _hopeless(settings: Settings, calls: Iterable[LeastCall]) -> Iterator[Contradiction]:
    """What no call fits into, by the same judgement that would turn the call away when it comes."""
    for call in calls:
        limits = limits_for(settings, call.provider, call.model)
        bounds: list[Limit | Cap] = [*limits, *caps_in(settings.budget)]
        yield from (_hopeless_for(call, one) for one in bounds if is_hopeless(one, call.need))


def _hopeless_for(call: LeastCall, bound: Limit | Cap) -> Contradiction:
    if bound.measure == "cost" and call.need.cost is None:
        return Contradiction(
            Kind.UNPRICED,
            _path(bound),
            f"{bound.option} cannot be kept: no price is known for model {call.model}",
            f'add it: prices: {{"{call.model}": {{input: .., output: ..}}}} (0 for free ones)',
        )
    reserved = shown(bound.measure, bound.of(call.need.amount))
    return Contradiction(
        Kind.NO_CALL_FITS,
        _path(bound),
        f"no call fits into {_named(bound)}: the smallest reserves {reserved}, since"
        f" max_output_tokens is {call.need.output_cap:,}",
        f"raise {bound.option}, or lower max_output_tokens",
    )


def _idle(settings: Settings) -> Iterator[Contradiction]:
    """What can never be reached, since a wider limit is less."""
    for provider, configured in settings.rate_limits.items():
        whole = list(limits_in(configured, provider, None))
        yield from _wider_is_less(whole, whole)
        for model, group in configured.models.items():
            own = list(limits_in(group, provider, model))
            yield from _wider_is_less(own, own)
            yield from _provider_allows_less(own, whole)
    caps = list(caps_in(settings.budget))
    for cap in caps:
        of_run = [one for one in caps if one.measure == cap.measure and one.scope == "run"]
        if any(cap.most > one.most for one in of_run):
            yield _never_reached(cap, of_run[0])


def _wider_is_less(limits: Sequence[Limit], others: Sequence[Limit]) -> Iterator[Contradiction]:
    """Limits that one of the same measure and of a longer window makes meaningless."""
    for at, limit in enumerate(limits):
        wider = [one for one in others[at + 1 :] if one.measure == limit.measure]
        least = min(wider, key=lambda one: one.most, default=limit)
        if least.most < limit.most:
            yield _never_reached(limit, least)


def _provider_allows_less(own: Sequence[Limit], whole: Sequence[Limit]) -> Iterator[Contradiction]:
    """Limits of a model above those of all models of the provider together."""
    above = {limit.option: limit for limit in whole}
    for limit in own:
        if limit.option in above and limit.most > above[limit.option].most:
            yield _never_reached(limit, above[limit.option], "the provider's own ")


def _never_reached(limit: Limit | Cap, least: Limit | Cap, whose: str = "") -> Contradiction:
    text = f"{_named(limit)} can never be reached, since {whose}{_named(least)} is less"
    return Contradiction(Kind.NEVER_REACHED, _path(limit), text)


def _named(limit: Limit | Cap) -> str:
    return f"{limit.option} ({shown(limit.measure, limit.most)})"


def _path(limit: Limit | Cap) -> tuple[str, ...]:
    if isinstance(limit, Cap):
        return ("budget", limit.option)
    of_model = ("models", limit.model) if limit.model is not None else ()
    return ("rate_limits", limit.provider, *of_model, limit.option)
