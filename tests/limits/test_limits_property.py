"""For random limits, calls, crashes, clock jumps, zones and changes of the clock.

Nothing is let through beyond a limit, nothing waits where there is room, and the time named is the
earliest.
"""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from attrs import define, evolve, field, frozen
from hypothesis import event as hypothesis_event, given, strategies as st

from agent_runner.limits.limit import Limit, limits_for
from agent_runner.limits.room import Fits, Full, Need, Never, Room, room_for
from agent_runner.limits.waiting import safe_after
from agent_runner.model import events as e
from agent_runner.model.meters import NOTHING, Amount, Meters, Reservation, nanodollars
from agent_runner.model.settings import LimitSettings, Settings, WindowKind, WindowSettings
from agent_runner.model.spending import Spending
from agent_runner.model.usage import Usage
from tests.limits.scene import MODEL, PROVIDER, Counted, PlainCount, at, began
from tests.support.exploring import examples

TICK = 1 / 1024
"""The smallest step of time in these tests: times stay exact."""

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "America/Nuuk",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Sydney",
    "Pacific/Chatham",
)

CHANGES = [
    at(f"2026-{day} 00:00")
    for day in ("03-08", "03-29", "04-05", "09-27", "10-04", "10-25", "11-01", "12-31")
]

starts = st.builds(
    lambda base, ticks: base + ticks * TICK,
    st.sampled_from(CHANGES),
    st.integers(-2 * 86_400 * 1024, 2 * 86_400 * 1024),
)
ahead = st.one_of(
    st.integers(0, 90 * 1024).map(lambda ticks: ticks * TICK),
    st.integers(0, 9 * 86_400).map(float),
)
jumps = st.one_of(st.just(0.0), st.just(0.0), st.just(0.0), st.floats(-400_000, 0).map(round))
counts = st.one_of(st.none(), st.none(), st.integers(1, 12))


@st.composite
def limit_settings(draw: st.DrawFn, scale: int) -> LimitSettings:
    chosen: dict[str, Any] = {}
    for window in ("minute", "hour", "day", "week"):
        for measure, unit in (("requests", 1), ("tokens", scale), ("cost", 0.01)):
            most = draw(counts)
            if most is not None:
                chosen[f"max_{measure}_{window}"] = most * unit
    return LimitSettings(**chosen)


@st.composite
def whole_settings(draw: st.DrawFn) -> Settings:
    models = {MODEL: draw(limit_settings(500)), "another": draw(limit_settings(300))}
    layout = WindowSettings(
        window=draw(st.sampled_from(WindowKind)),
        timezone=draw(st.sampled_from(ZONES)),
        week_starts=draw(st.sampled_from(("monday 00:00", "friday 18:30", "Wednesday 09:15"))),
    )
    limits = evolve(draw(limit_settings(500)), models=models if draw(st.booleans()) else {})
    return Settings(rate_limits={PROVIDER: limits}, limits=layout)


@frozen
class Call:
    """One call to try: `wait` and `jump` seconds later; it uses `share` of its worst case.

    `mine`: not another's.
    """

    wait: float
    jump: float
    need: Need
    outcome: str
    share: float
    mine: bool

    @property
    def usage(self) -> Usage | None:
        if self.outcome != "answered":
            return None
        need = self.need
        return Usage(int(need.input_estimate * self.share), int(need.output_cap * self.share))

    @property
    def used(self) -> Amount:
        """What it counts once it has ended."""
        if self.outcome in {"failed", "throttled"}:
            return Amount(1)
        if self.usage is not None:
            return Amount(1, self.usage.total, nanodollars(self.cost))
        return self.need.amount

    @property
    def cost(self) -> float:
        return (self.need.cost or 0.0) * self.share


calls = st.builds(
    Call,
    ahead,
    jumps,
    st.builds(Need, st.integers(1, 900), st.integers(1, 900), st.sampled_from((0.0, 0.01, 0.003))),
    st.sampled_from(("answered", "failed", "throttled", "lost", "crash")),
    st.floats(0, 1),
    st.booleans(),
)


@define
class Play:
    """The fold and the plain count, side by side."""

    configured: Settings
    now: float
    plain: PlainCount
    spending: Spending = field(factory=Spending)
    others: Meters = field(factory=Meters)

    def decide(self, when: float, need: Need) -> Room:
        return room_for(
            self.spending,
            self.configured,
            PROVIDER,
            MODEL,
            need,
            when,
            task="T1",
            others=self.others,
        )

    def over(self, when: float, wanted: Amount = NOTHING) -> list[Limit]:
        """The limits that would be passed by the plain count."""
        return [
            limit
            for limit in limits_for(self.configured, PROVIDER, MODEL)
            if self.plain.used(limit, when) + limit.of(wanted) > limit.most
        ]

    def note(self, event: e.Event) -> None:
        """An entry of the journal; what else knows the time learns it too."""
        self.spending.take(self.now, "T1", event)
        self.others.turn_back(self.now)
        self.plain.turn_back(self.now)

    def call(self, name: str, call: Call) -> None:
        need = call.need
        if call.mine:
            tokens = need.input_estimate, need.output_cap
            self.note(e.CallStarted(name, 1, 1, 1, PROVIDER, MODEL, *tokens, need.cost))
        else:
            self.note(e.Aborted())
            money = nanodollars(need.cost)
            self.others.reserve(name, Reservation(self.now, PROVIDER, MODEL, need.tokens, money))
        self.plain.calls[name] = Counted(self.now, need.amount)

    def end(self, name: str, call: Call) -> None:
        if call.outcome == "crash":
            return
        if call.mine:
            cost = call.cost if call.usage else None
            self.note(e.CallSettled(name, call.outcome, PROVIDER, call.usage, cost))
        else:
            self.others.settle(name, call.used)
        self.plain.calls[name].amount = call.used


@examples(250)
@given(whole_settings(), starts, st.lists(calls, min_size=5, max_size=40))
def test_no_limit_is_passed_and_no_time_is_wasted(
    configured: Settings, start: float, todo: list[Call]
) -> None:
    zone = ZoneInfo(configured.limits.timezone or "")
    plain = PlainCount(configured.limits.window, zone, configured.limits.week_starts)
    play = Play(configured, start, plain)
    for number, call in enumerate(todo):
        play.now += call.wait + call.jump
        decision = play.decide(play.now, call.need)
        hypothesis_event(type(decision).__name__)
        if isinstance(decision, Fits):
            assert not play.over(play.now, call.need.amount)
            play.call(f"c{number}", call)
            assert not play.over(play.now)
            play.now += round(call.share)
            play.end(f"c{number}", call)
        elif isinstance(decision, Full):
            expect_earliest(play, decision, call.need, zone)
        else:
            assert isinstance(decision, Never)
            limits = limits_for(configured, PROVIDER, MODEL)
            assert any(limit.of(call.need.amount) > limit.most for limit in limits)


def expect_earliest(play: Play, full: Full, need: Need, zone: ZoneInfo) -> None:
    """There is no room now nor until just before the time, there is at it.

    And what is printed is true.
    """
    assert play.over(play.now, need.amount)
    assert full.not_before > play.now
    play.note(e.Deferred(PROVIDER, full.window, full.not_before))
    assert play.over(full.not_before - TICK, need.amount)
    assert not play.over(full.not_before, need.amount)
    assert isinstance(play.decide(full.not_before, need), Fits)
    minute = datetime.fromisoformat(safe_after(full.not_before, zone)[:16])
    shown = datetime.fromtimestamp(full.not_before, zone).replace(tzinfo=None)
    assert timedelta(0) <= minute - shown < timedelta(minutes=1)


@given(st.sampled_from(["Australia/Lord_Howe"]), starts, st.lists(ahead, max_size=30))
def test_half_an_hour_of_summer_time_never_lets_more_through(
    zone: str, start: float, waits: list[float]
) -> None:
    configured = Settings(
        rate_limits={PROVIDER: LimitSettings(max_requests_hour=3)},
        limits=WindowSettings(timezone=zone),
    )
    plain = PlainCount(WindowKind.CALENDAR, ZoneInfo(zone))
    (limit,) = limits_for(configured, PROVIDER, MODEL)
    spending, now = Spending(), start
    for number, wait in enumerate(waits):
        now += wait / 100
        decision = room_for(spending, configured, PROVIDER, MODEL, Need(1, 1), now, task="T1")
        if isinstance(decision, Full):
            assert decision.not_before > now
            after = room_for(
                spending, configured, PROVIDER, MODEL, Need(1, 1), decision.not_before, task="T1"
            )
            assert isinstance(after, Fits)
            continue
        began(spending, now, f"c{number}", Need(1, 1))
        plain.calls[f"c{number}"] = Counted(now, Amount(1, 2))
        assert plain.used(limit, now) <= limit.most
