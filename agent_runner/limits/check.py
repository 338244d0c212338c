"""The decision before a call: does its worst case fit into every limit, and if not, when."""

from collections.abc import Iterator

from agent_runner.limits.decision import Decision, Fits, Full, Need, Never, OverBudget
from agent_runner.limits.limit import MEASURES, Limit, limits_for, shown
from agent_runner.limits.reported import told_to_wait
from agent_runner.limits.windows import Use, Windows, use_of, windows_of
from agent_runner.model.meters import Meters, nanodollars
from agent_runner.model.settings import Settings
from agent_runner.model.spending import Spending, Total


def check(  # noqa: PLR0913  # one question with all that it depends on, nothing hidden
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
) -> Decision:
    """Whether a call fits at `now` (epoch seconds).

    Pure, and as quick after a year as on the first day.

    `others`: what other projects used of the same account. `ignore_config` skips the configured
    limits and budgets, not what the provider reports. A budget goes before `Never`, that before
    `Full`; of several full windows the one that opens last is named, for only then does the call
    fit them all.

    Raises:
        UsageError: the time zone or the start of the week is none.
    """
    meters = [spending.meters, *([others] if others else [])]
    account = use_of(meters, provider, None, now)
    full = list(told_to_wait(spending, provider, model, need, account))
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


def _full(limit: Limit, need: Need, use: Use, windows: Windows) -> Iterator[Full]:
    wanted = limit.of(need.amount)
    room = limit.most - wanted
    used = limit.of(windows.used(use, limit.window))
    if used <= room:
        return
    opens = windows.fits_at(use, limit.window, lambda amount: limit.of(amount) <= room)
    reason = f"{limit.shown}; {shown(limit.measure, used)} used or reserved, and the call may need"
    yield Full(limit.shown, opens, f"{reason} {shown(limit.measure, wanted)}")


def _never(limit: Limit, model: str, need: Need) -> Never | None:
    if limit.measure == "cost" and need.cost is None:
        return Never(
            f"{limit.option} of {limit.scope} cannot be kept: no price is known for model {model};"
            " add it under prices"
        )
    wanted = limit.of(need.amount)
    if wanted <= limit.most:
        return None
    return Never(
        f"the call may need {shown(limit.measure, wanted)}, more than the whole limit"
        f" ({limit.shown}); shorten the prompt, lower max_output_tokens or raise {limit.option}"
    )


def _over_budget(
    spending: Spending, settings: Settings, task: str, need: Need
) -> OverBudget | Never | None:
    totals = {"run": spending.run_total, "task": spending.tasks.get(task) or Total()}
    for scope, total in totals.items():
        for word, measure in (("cost", "cost"), ("calls", "requests"), ("tokens", "tokens")):
            option = f"max_{word}_{scope}"
            most = getattr(settings.budget, option)
            if most is None:
                continue
            if measure == "cost" and need.cost is None:
                return Never(f"{option} cannot be kept: no price is known; add it under prices")
            cap = nanodollars(most) if measure == "cost" else most
            used, wanted = MEASURES[measure](total.amount), MEASURES[measure](need.amount)
            if used + wanted > cap:
                return OverBudget(
                    scope,
                    f"{option} is {shown(measure, cap)}; {shown(measure, used)} used or reserved,"
                    f" and the next call may need {shown(measure, wanted)}",
                )
    return None
