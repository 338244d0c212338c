"""Use as rows for people and programs: totals by task, model or day, and how full windows are."""

import enum

from attrs import frozen

from agent_runner.limits.limit import Limit, limits_in
from agent_runner.limits.room import in_force
from agent_runner.limits.windows import Use, Windows, use_of, windows_of
from agent_runner.model.meters import NANO, Meters
from agent_runner.model.settings import Settings
from agent_runner.model.spending import Spending, Total
from agent_runner.model.usage import ReportedLimit


class By(enum.StrEnum):
    """What the rows of a usage report stand for."""

    TASK = "task"
    MODEL = "model"
    DAY = "day"


@frozen
class UsageRow:
    """One line of the report: calls, tokens, and `cost` in dollars.

    Attributes:
        unanswered: Calls that were certainly not billed.
        cached: Part of `input`.
        cached_share: That part as a fraction, 0 to 1; None without any input.
        reserved: Tokens of calls whose real use is not known.
        at_least: There were more tokens, which an agent did not report.
    """

    name: str
    calls: int
    unanswered: int
    input: int
    output: int
    cached: int
    reserved: int
    cost: float
    cached_share: float | None = None
    at_least: bool = False


@frozen
class Counter:
    """How full one limit is: counts of `measure`, dollars for `cost`, a fraction for `share`.

    Attributes:
        model: None for all models of the provider together.
        window: `hour` and its like, or a provider's own name for its limit.
        limit: None where the provider did not say.
        resets_at: Epoch seconds at which room comes back; None where nothing is used, or it is not
            known.
        read_at: When the provider reported it; None for what is counted here.
        status: The provider's verdict word.
    """

    provider: str
    model: str | None
    measure: str
    window: str
    used: float
    limit: float | None
    resets_at: float | None
    read_at: float | None = None
    status: str | None = None

    @property
    def fraction(self) -> float | None:
        """How full it is, for a bar: 0 to 1, may pass 1; None: not known."""
        return self.used / self.limit if self.limit else None


def usage_rows(spending: Spending, by: By) -> list[UsageRow]:
    """The report's rows: tasks and models in the order of first use, days in theirs."""
    if by is By.TASK:
        return [_row(name, total) for name, total in spending.tasks.items()]
    if by is By.DAY:
        return [_row(name, total) for name, total in sorted(spending.days.items())]
    return [
        _row(f"{provider} {model}".strip(), total)
        for provider, models in spending.models.items()
        for model, total in models.items()
    ]


def usage_total(spending: Spending) -> UsageRow:
    """The sum of all rows."""
    total = Total()
    for models in spending.models.values():
        for one in models.values():
            total.absorb(one)
    return _row("total", total)


def counters(
    spending: Spending, settings: Settings, now: float, others: Meters | None = None
) -> list[Counter]:
    """How full every configured limit is, by provider, and what providers reported, as of `now`.

    `others`: what other projects used. Raises UsageError where the time zone or the start of the
    week is none.
    """
    windows = windows_of(settings.limits)
    meters = [spending.meters, *([others] if others else [])]
    rows = []
    for provider, configured in settings.rate_limits.items():
        groups = [(None, configured), *configured.models.items()]
        for model, group in groups:
            use = use_of(meters, provider, model, now)
            rows += [_counter(limit, use, windows) for limit in limits_in(group, provider, model)]
    for provider, scopes in spending.reported.items():
        for model, limits in scopes.items():
            rows += [
                _reported(provider, model, limit)
                for limit in limits.values()
                if in_force(limit, now)
            ]
    return rows


def _counter(limit: Limit, use: Use, windows: Windows) -> Counter:
    unit = NANO if limit.measure == "cost" else 1
    return Counter(
        limit.provider,
        limit.model,
        limit.measure,
        limit.window,
        limit.of(windows.used(use, limit.window)) / unit,
        limit.most / unit,
        windows.resets_at(use, limit.window),
    )


def _reported(provider: str, model: str, limit: ReportedLimit) -> Counter:
    used, whole = limit.used, 1.0 if limit.used is not None else None
    # headers count down, bars fill up
    if used is None and limit.limit is not None and limit.remaining is not None:
        used, whole = float(limit.limit - limit.remaining), float(limit.limit)
    measure = "share" if limit.used is not None else limit.name
    return Counter(
        provider,
        model or None,
        measure,
        limit.name,
        used or 0.0,
        whole,
        limit.resets_at,
        limit.read_at,
        limit.status,
    )


def _row(name: str, total: Total) -> UsageRow:
    return UsageRow(
        name,
        total.calls,
        total.unanswered,
        total.input,
        total.output,
        total.cached,
        total.reserved,
        total.nanodollars / NANO,
        total.cached / total.input if total.input else None,
        total.at_least,
    )
