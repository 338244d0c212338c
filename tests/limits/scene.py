"""What the tests of the limits share.

Settings in one line, calls in two, and a plain count to compare with.
"""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from attrs import define, field

from agent_runner.ground.calendar import week_start
from agent_runner.limits.limit import Limit
from agent_runner.limits.room import Need
from agent_runner.limits.windows import SECONDS
from agent_runner.model import events as e
from agent_runner.model.meters import Amount
from agent_runner.model.settings import LimitSettings, Settings, WindowKind, WindowSettings
from agent_runner.model.spending import Spending
from agent_runner.model.usage import ReportedLimit, Usage

PROVIDER, MODEL = "claude", "claude-sonnet-5-5"


def settings(
    *, window: WindowKind = WindowKind.CALENDAR, zone: str = "UTC", **limits: Any
) -> Settings:
    return Settings(
        rate_limits={PROVIDER: LimitSettings(**limits)},
        limits=WindowSettings(window=window, timezone=zone),
    )


def at(text: str, zone: str = "UTC", *, fold: int = 0) -> float:
    """`2026-11-24 13:00` in a zone, as epoch seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def began(
    spending: Spending, when: float, call: str, need: Need, task: str = "T1", model: str = MODEL
) -> None:
    spending.take(
        when,
        task,
        e.CallStarted(
            call, 1, 1, 1, PROVIDER, model, need.input_estimate, need.output_cap, need.cost
        ),
    )


def settled(
    spending: Spending,
    when: float,
    call: str,
    usage: Usage | None = None,
    outcome: str = "answered",
    *,
    cost: float | None = None,
    not_before: float | None = None,
    limits: tuple[ReportedLimit, ...] = (),
) -> None:
    event = e.CallSettled(
        call, outcome, PROVIDER, usage, cost, not_before=not_before, limits=limits
    )
    spending.take(when, "T1", event)


@define
class Counted:
    """A call in the plain count."""

    at: float
    amount: Amount


@define
class PlainCount:
    """Every call of a journal in one list.

    And what counts in a window by the names that a clock gives to times.
    """

    window: WindowKind
    zone: ZoneInfo
    week_starts: str = "monday 00:00"
    calls: dict[str, Counted] = field(factory=dict)

    def turn_back(self, now: float) -> None:
        for call in self.calls.values():
            call.at = min(call.at, now)

    def used(self, limit: Limit, now: float) -> int:
        here = self._name(limit.window, now)
        return sum(
            limit.of(call.amount)
            for call in self.calls.values()
            if self._counts(min(call.at, now), now, limit.window, here)
        )

    def _counts(self, when: float, now: float, window: str, here: object) -> bool:
        if self.window is WindowKind.ROLLING:
            return when > now - SECONDS[window]
        return self._name(window, when) == here

    def _name(self, window: str, when: float) -> object:
        local = datetime.fromtimestamp(when, self.zone)
        if window == "minute":
            return when // 60
        if window == "hour":
            return local.date(), local.hour, local.utcoffset()
        if window == "day":
            return local.date()
        weekday, start = week_start(self.week_starts)
        shifted = local.replace(tzinfo=None) - timedelta(
            days=weekday, hours=start.hour, minutes=start.minute
        )
        return (shifted.toordinal() - 1) // 7
