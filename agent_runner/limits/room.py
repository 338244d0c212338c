"""Whether there is room for a call: does its worst case fit into every limit, and if not, when.

Three kinds of bounds are looked at: what the provider itself said (obeyed even where configured
limits are not, since it would only turn the call away), budgets, and configured limits. All of it
is pure, and as quick after a year as on the first day.
"""

from collections.abc import Iterator
from statistics import median
from typing import TypeAlias

from attrs import frozen

from agent_runner.limits.limit import Cap, Limit, caps_in, limits_for, shown
from agent_runner.limits.windows import Use, Windows, use_of, windows_of
from agent_runner.model.meters import KEPT, Amount, Meters, nanodollars
from agent_runner.model.settings import Settings
from agent_runner.model.spending import Spending, Total
from agent_runner.model.usage import REJECTED, ReportedLimit


@frozen
class Need:
    """A call's worst case: its estimated input and the cap of its output, in tokens.

    `cost` is in dollars, None where no price is known. `cached_estimate`: the part of the input
    that the provider most likely has in its cache, since it was sent before.
    """

    input_estimate: int
    output_cap: int
    cost: float | None = None
    cached_estimate: int = 0

    @property
    def tokens(self) -> int:
        """All tokens that are reserved."""
        return self.input_estimate + self.output_cap

    @property
    def amount(self) -> Amount:
        """What the call counts while it is not settled."""
        return Amount(1, self.tokens, nanodollars(self.cost))


FIRST_GUESS = 20_000
"""Tokens reserved for the first call of an agent that asks its model by itself."""


def expected(spending: Spending, provider: str, model: str) -> Need:
    """What a call of an agent may need that asks its model by itself: the median of its last ones.

    Its prompt says nothing of that. What it may cost goes by what its tokens cost until now; None
    where that is not known.
    """
    recent = spending.recent.get(provider)
    tokens = round(median(recent)) if recent else FIRST_GUESS
    total = spending.models.get(provider, {}).get(model)
    dollars = None
    if total is not None and total.tokens and total.nanodollars:
        dollars = total.nanodollars / 1e9 / total.tokens * tokens
    return Need(tokens, 0, dollars)


@frozen
class Fits:
    """There is room: reserve and call."""


@frozen
class Full:
    """No room before `not_before` (epoch seconds), the earliest time at which the call fits.

    `window`: which limit, in words. `reported`: the provider says so, and not our own count.
    """

    window: str
    not_before: float
    reason: str
    reported: bool = False


@frozen
class Never:
    """The call can never fit: waiting changes nothing."""

    reason: str


@frozen
class OverBudget:
    """A cap on the whole `scope` (`run` or `task`) is reached: a person decides."""

    scope: str
    reason: str


Room: TypeAlias = Fits | Full | Never | OverBudget


def room_for(  # noqa: PLR0913  # one question with all that it depends on, nothing hidden
    spending: Spending,
    settings: Settings,
    provider: str,
    model: str,
    need: Need,
    now: float,
    *,
    task: str,
    ignore_config: bool = False,
    others: Meters | None = None,
) -> Room:
    """Whether a call fits at `now` (epoch seconds).

    `others`: what other projects used of the same account. `ignore_config` skips the configured
    limits and budgets, not what the provider reports. Raises UsageError where the time zone or the
    start of the week is none.

    A budget goes before `Never`, since it may be raised for this run alone, and that before `Full`,
    since waiting for a call that never fits would be in vain. Of several full windows the one that
    opens last is named, for only then does the call fit them all.
    """
    # the provider counts the whole account: a reading of its limits is compared with what all
    # models and all projects used since
    meters = [spending.meters, *([others] if others else [])]
    account = use_of(meters, provider, None, now)
    full = list(_reported(spending, provider, model, need, account))
    if not ignore_config:
        over = _over_budget(spending, settings, task, need)
        if over is not None:
            return over
        windows = windows_of(settings.limits)
        for limit in limits_for(settings, provider, model):
            never = _never(limit, model, need)
            if never is not None:
                return never
            use = use_of(meters, provider, limit.model, now) if limit.model else account
            full.extend(_full(limit, need, use, windows))
    return max(full, key=lambda one: one.not_before) if full else Fits()


def is_hopeless(limit: Limit | Cap, need: Need) -> bool:
    """Whether a call is too large for the whole limit, or has no price that it could be held to."""
    if limit.measure == "cost" and need.cost is None:
        return True
    return limit.of(need.amount) > limit.most


def in_force(limit: ReportedLimit, now: float) -> bool:
    """Whether what a provider said still binds at `now` (epoch seconds).

    Not once it was reset, nor when it is older than any window, nor where it comes from a clock
    that ran ahead.
    """
    if limit.resets_at is None:
        return False
    return limit.read_at <= now < min(limit.resets_at, limit.read_at + KEPT)


def _over_budget(
    spending: Spending, settings: Settings, task: str, need: Need
) -> OverBudget | Never | None:
    totals = {"run": spending.run_total, "task": spending.tasks.get(task) or Total()}
    for cap in caps_in(settings.budget):
        if cap.measure == "cost" and need.cost is None:
            return Never(f"{cap.option} cannot be kept: no price is known; add it under prices")
        used, wanted = cap.of(totals[cap.scope].amount), cap.of(need.amount)
        if used + wanted > cap.most:
            return OverBudget(
                cap.scope,
                f"{cap.option} is {cap.shown}; {shown(cap.measure, used)} used or reserved,"
                f" and the next call may need {shown(cap.measure, wanted)}",
            )
    return None


def _never(limit: Limit, model: str, need: Need) -> Never | None:
    if not is_hopeless(limit, need):
        return None
    if limit.measure == "cost" and need.cost is None:
        return Never(
            f"{limit.option} of {limit.scope} cannot be kept: no price is known for model {model};"
            " add it under prices"
        )
    return Never(
        f"the call may need {shown(limit.measure, limit.of(need.amount))}, more than the whole"
        f" limit ({limit.shown}); shorten the prompt, lower max_output_tokens or raise"
        f" {limit.option}"
    )


def _full(limit: Limit, need: Need, use: Use, windows: Windows) -> Iterator[Full]:
    wanted = limit.of(need.amount)
    room = limit.most - wanted
    used = limit.of(windows.used(use, limit.window))
    if used <= room:
        return
    # when the call fits, and not when the window next resets: of a rolling window only as much has
    # to leave as the call needs
    opens = windows.fits_at(use, limit.window, lambda amount: limit.of(amount) <= room)
    reason = f"{limit.shown}; {shown(limit.measure, used)} used or reserved, and the call may need"
    yield Full(limit.shown, opens, f"{reason} {shown(limit.measure, wanted)}")


def _reported(
    spending: Spending, provider: str, model: str, need: Need, use: Use
) -> Iterator[Full]:
    """Every reason of the provider's own for which a call must wait; `use`: the whole account's."""
    holds = spending.holds.get(provider, {})
    for hold in (holds.get(""), holds.get(model)):
        # a wish from a clock that ran ahead, or for longer than any window, does not bind
        if hold is not None and hold.at <= use.now < min(hold.until, hold.at + KEPT):
            reason = hold.reason or f"{provider} asked to wait"
            yield Full(f"{provider}: asked to wait", hold.until, reason, reported=True)
    for limit in spending.limits_reported(provider, model):
        if in_force(limit, use.now) and not _leaves_room(limit, need, use.after(limit.read_at)):
            assert limit.resets_at is not None  # noqa: S101  # in_force says so
            window = f"{provider}: {limit.name}, as the provider reports"
            says = f"{provider} says: {_in_words(limit)}"
            yield Full(window, limit.resets_at, says, reported=True)


def _leaves_room(limit: ReportedLimit, need: Need, since: Amount) -> bool:
    """Whether a call fits into what was left; `since` is what was used after the reading.

    A need beyond the whole limit passes once that is full again: then the provider decides, who
    knows better what it counts (Anthropic, for one, counts neither the cap of the output nor input
    from its cache).
    """
    if limit.status is not None:
        # a subscription's verdict: its use may pass the whole window on credit
        return limit.status != REJECTED
    if limit.used is not None:
        return limit.used < 1
    if limit.remaining is None:
        return True
    wanted, used = _counted(limit.name, need, since)
    if limit.limit is not None:
        wanted = min(wanted, limit.limit)
    return limit.remaining - used >= wanted


def _counted(name: str, need: Need, since: Amount) -> tuple[int, int]:
    """What of a need, and of the use since the reading, counts towards a limit of this name."""
    if "requests" in name:
        return 1, since.requests
    if "output" in name:
        return 1, since.tokens  # the output's cap is not charged up front, what was written is
    if "input" in name:
        # Anthropic's, which leaves out what is read from its cache
        return need.input_estimate - need.cached_estimate, since.tokens - since.cached
    return need.tokens, since.tokens


def _in_words(limit: ReportedLimit) -> str:
    if limit.status is not None or limit.used is not None:
        used = "" if limit.used is None else f" {limit.used:.0%} used"
        return f"window {limit.name}{used}{f', {limit.status}' if limit.status else ''}"
    whole = "" if limit.limit is None else f" of {limit.limit:,}"
    return f"{limit.remaining:,}{whole} {limit.name} left"
