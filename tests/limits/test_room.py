"""The decision, one rule at a time."""

from typing import Any

import pytest

from agent_runner.limits.report import counters
from agent_runner.limits.room import Fits, Full, Need, Never, OverBudget, Room, room_for
from agent_runner.model.errors import UsageError
from agent_runner.model.settings import (
    BudgetSettings,
    CachedTokens,
    LimitSettings,
    Settings,
    WindowKind,
    WindowSettings,
)
from agent_runner.model.spending import Spending
from agent_runner.model.usage import ReportedLimit, Usage
from tests.limits.scene import MODEL, PROVIDER, at, began, settings, settled

NOW = at("2026-11-24 12:34:56")
NEED = Need(1000, 500, 0.02)


def ask(
    spending: Spending, configured: Settings, need: Need = NEED, now: float = NOW, **rest: Any
) -> Room:
    return room_for(spending, configured, PROVIDER, MODEL, need, now, task="T1", **rest)


def used(tokens: int, when: float = NOW) -> Spending:
    spending = Spending()
    began(spending, when, "c1", Need(tokens, 0, 0.0))
    return spending


def test_without_limits_everything_fits() -> None:
    assert ask(used(10**9), Settings()) == Fits()


@pytest.mark.parametrize(
    ("window", "zone", "expected"),
    [
        ("minute", "UTC", at("2026-11-24 12:35")),
        ("hour", "UTC", at("2026-11-24 13:00")),
        ("hour", "Asia/Kathmandu", at("2026-11-24 19:00", "Asia/Kathmandu")),
        ("day", "Europe/Berlin", at("2026-11-25 00:00", "Europe/Berlin")),
        ("week", "UTC", at("2026-11-30 00:00")),
    ],
)
def test_a_calendar_window_opens_at_its_boundary(window: str, zone: str, expected: float) -> None:
    limits: dict[str, Any] = {f"max_tokens_{window}": 10_000}
    decision = ask(used(9000), settings(zone=zone, **limits))
    assert isinstance(decision, Full)
    assert decision.not_before == expected
    assert decision.window == f"claude: 10,000 tokens {'an' if window == 'hour' else 'a'} {window}"
    assert "9,000 tokens used or reserved" in decision.reason
    assert "may need 1,500 tokens" in decision.reason


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-28 12:00", "2026-03-29 00:00"),
        ("2026-03-29 12:00", "2026-03-30 00:00"),
        ("2026-10-25 00:30", "2026-10-26 00:00"),
    ],
)
def test_days_of_23_and_25_hours_end_at_midnight(now: str, expected: str) -> None:
    zone = "Europe/Berlin"
    when = at(now, zone)
    decision = ask(used(9000, when), settings(zone=zone, max_tokens_day=10_000), now=when)
    assert isinstance(decision, Full)
    assert decision.not_before == at(expected, zone)


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    zone = "Europe/Berlin"
    first, second = (at("2026-10-25 02:30", zone, fold=fold) for fold in (0, 1))
    limited = settings(zone=zone, max_tokens_hour=10_000)
    decision = ask(used(9000, first), limited, now=first)
    assert isinstance(decision, Full)
    assert decision.not_before == at("2026-10-25 02:00", zone, fold=1)
    assert ask(used(9000, first), limited, now=second) == Fits()


def test_a_midnight_that_is_skipped_begins_the_day_with_the_jump() -> None:
    zone = "America/Havana"  # 2026-03-08 goes from 23:59 to 01:00
    when = at("2026-03-07 12:00", zone)
    decision = ask(used(9000, when), settings(zone=zone, max_tokens_day=10_000), now=when)
    assert isinstance(decision, Full)
    assert decision.not_before == at("2026-03-08 01:00", zone)


def test_a_week_begins_when_it_is_said_to() -> None:
    configured = Settings(
        rate_limits={PROVIDER: LimitSettings(max_requests_week=1)},
        limits=WindowSettings(timezone="America/New_York", week_starts="tuesday 09:00"),
    )
    decision = ask(used(1), configured)
    assert isinstance(decision, Full)
    assert decision.not_before == at("2026-11-24 09:00", "America/New_York")


def test_a_rolling_window_opens_when_enough_of_it_is_old() -> None:
    spending = Spending()
    for n, minutes in enumerate((50, 40, 30)):
        began(spending, NOW - minutes * 60, f"c{n}", Need(3000, 0))
    rolling = settings(window=WindowKind.ROLLING, max_tokens_hour=10_000)
    assert ask(spending, rolling, Need(1000, 0)) == Fits()
    decision = ask(spending, rolling, Need(5000, 0))
    assert isinstance(decision, Full)
    assert decision.not_before == NOW + 20 * 60


def test_of_several_full_windows_the_last_to_open_is_named() -> None:
    decision = ask(used(9000), settings(max_tokens_hour=10_000, max_tokens_week=10_000))
    assert isinstance(decision, Full)
    assert decision.window.endswith("a week")


def test_a_call_larger_than_the_whole_window_is_said_at_once() -> None:
    decision = ask(Spending(), settings(max_tokens_minute=1499))
    assert isinstance(decision, Never)
    assert "1,500 tokens" in decision.reason
    assert "max_tokens_minute" in decision.reason
    assert ask(Spending(), settings(max_tokens_minute=1500)) == Fits()


def test_a_limit_of_one_model_binds_that_model_alone() -> None:
    limits = LimitSettings(models={"other": LimitSettings(max_requests_day=1)})
    configured = Settings(rate_limits={PROVIDER: limits})
    spending = Spending()
    began(spending, NOW, "c1", NEED, model="other")
    assert ask(spending, configured) == Fits()
    decision = room_for(spending, configured, PROVIDER, "other", NEED, NOW, task="T1")
    assert isinstance(decision, Full)
    assert decision.window == "claude other: 1 call a day"


def test_all_models_share_the_limits_of_their_provider() -> None:
    spending = Spending()
    began(spending, NOW, "c1", NEED, model="other")
    assert isinstance(ask(spending, settings(max_requests_day=1)), Full)


def test_money_is_limited_exactly_and_never_without_prices() -> None:
    spending = Spending()
    for n in range(9):
        began(spending, NOW, f"c{n}", Need(1, 1, 0.1))
    limited = settings(max_cost_day=1.0)
    assert ask(spending, limited, Need(1, 1, 0.1)) == Fits()
    assert isinstance(ask(spending, limited, Need(1, 1, 0.101)), Full)
    unpriced = ask(spending, limited, Need(1, 1))
    assert isinstance(unpriced, Never)
    assert "prices" in unpriced.reason


@pytest.mark.parametrize("scope", ["run", "task"])
@pytest.mark.parametrize(("word", "most"), [("cost", 0.05), ("calls", 1), ("tokens", 2000)])
def test_a_budget_is_not_waited_for(scope: str, word: str, most: float) -> None:
    spending = Spending()
    began(spending, NOW, "c1", Need(1000, 500, 0.04))
    caps: dict[str, Any] = {f"max_{word}_{scope}": most}
    budget = BudgetSettings(**caps)
    configured = Settings(budget=budget, rate_limits={PROVIDER: LimitSettings(max_requests_day=1)})
    decision = ask(spending, configured)
    assert isinstance(decision, OverBudget)
    assert decision.scope == scope
    assert f"max_{word}_{scope}" in decision.reason
    assert ask(Spending(), configured) == Fits()
    assert ask(spending, configured, ignore_config=True) == Fits()


@pytest.mark.parametrize("rule", CachedTokens)
@pytest.mark.parametrize("scope", ["run", "task"])
def test_what_came_from_a_cache_may_be_free_in_a_budget(rule: CachedTokens, scope: str) -> None:
    """Ten turns that read a long beginning again and again."""
    spending = Spending()
    for turn in range(10):
        began(spending, NOW + turn, f"c{turn}", Need(1000, 100, cached_estimate=900))
        settled(spending, NOW + turn, f"c{turn}", Usage(1000, 50, cached=900))
    caps: dict[str, Any] = {f"max_tokens_{scope}": 3_000, "cached_tokens": rule}
    decision = ask(spending, Settings(budget=BudgetSettings(**caps)), Need(1000, 100, None, 900))
    assert isinstance(decision, Fits) is (rule is CachedTokens.FREE)


def test_throttled_calls_cost_no_budget() -> None:
    spending = Spending()
    began(spending, NOW - 9, "c1", NEED)
    settled(spending, NOW - 8, "c1", outcome="throttled")
    assert ask(spending, Settings(budget=BudgetSettings(max_calls_task=1))) == Fits()


def test_an_unknown_zone_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="Mars"):
        ask(Spending(), settings(zone="Mars/Base"))


# --- what the provider says ---


def told(limit: ReportedLimit) -> Spending:
    spending = Spending()
    began(spending, limit.read_at, "c1", NEED)
    settled(spending, limit.read_at, "c1", Usage(1000, 10), limits=(limit,))
    return spending


RESET = NOW + 40.0


@pytest.mark.parametrize(
    ("limit", "fits"),
    [
        (ReportedLimit("requests", NOW, 50, 0, resets_at=RESET), False),
        (ReportedLimit("requests", NOW, 50, 1, resets_at=RESET), True),
        (ReportedLimit("tokens", NOW, 9000, 1499, resets_at=RESET), False),
        (ReportedLimit("tokens", NOW, 9000, 1500, resets_at=RESET), True),
        (ReportedLimit("tokens", NOW, 1200, 1200, resets_at=RESET), True),
        (ReportedLimit("input-tokens", NOW, 9000, 999, resets_at=RESET), False),
        (ReportedLimit("input-tokens", NOW, 9000, 1000, resets_at=RESET), True),
        (ReportedLimit("output-tokens", NOW, 9000, 1, resets_at=RESET), True),
        (ReportedLimit("output-tokens", NOW, 9000, 0, resets_at=RESET), False),
        (ReportedLimit("tokens", NOW, 9000, 0), True),
        (ReportedLimit("5h", NOW, used=0.99, resets_at=RESET, status="allowed_warning"), True),
        (ReportedLimit("5h", NOW, used=1.04, resets_at=RESET, status="allowed"), True),
        (ReportedLimit("7d", NOW, used=0.7, resets_at=RESET, status="rejected"), False),
        (ReportedLimit("7d", NOW, used=1.0, resets_at=RESET), False),
    ],
)
def test_what_the_provider_reports_is_obeyed_until_it_resets(
    limit: ReportedLimit, *, fits: bool
) -> None:
    spending = told(limit)
    for ignore in (False, True):
        decision = ask(spending, Settings(), ignore_config=ignore)
        assert isinstance(decision, Fits) is fits
        if isinstance(decision, Full):
            assert decision.not_before == RESET
            assert limit.name in decision.window
    assert ask(spending, Settings(), now=RESET) == Fits()


def test_use_after_a_reading_is_taken_off_what_was_left() -> None:
    spending = told(ReportedLimit("requests", NOW, 50, 2, resets_at=RESET))
    began(spending, NOW + 1, "c2", NEED)
    assert ask(spending, Settings(), now=NOW + 2) == Fits()
    began(spending, NOW + 2, "c3", NEED)
    assert isinstance(ask(spending, Settings(), now=NOW + 3), Full)


def test_a_subscription_window_binds_all_models_and_a_models_limit_only_its_own() -> None:
    account = told(ReportedLimit("5h", NOW, used=1.1, resets_at=RESET))
    own = told(ReportedLimit("seven_day_opus", NOW, used=1.1, resets_at=RESET))
    for spending, kind in ((account, Full), (own, Fits)):
        decision = room_for(spending, Settings(), PROVIDER, "other", NEED, NOW, task="T1")
        assert isinstance(decision, kind)


def test_a_reading_of_a_clock_that_ran_ahead_binds_nothing() -> None:
    ahead = NOW + 365 * 86_400
    spending = told(ReportedLimit("requests", ahead, 50, 0, resets_at=ahead + 60))
    assert ask(spending, Settings()) == Fits()


def test_a_wish_to_be_left_alone_holds_for_every_task_until_an_answer_comes() -> None:
    spending = Spending()
    began(spending, NOW, "c1", NEED)
    settled(spending, NOW, "c1", outcome="throttled", not_before=RESET)
    decision = room_for(spending, Settings(), PROVIDER, MODEL, NEED, NOW, task="T2")
    assert isinstance(decision, Full)
    assert decision.not_before == RESET
    assert ask(spending, Settings(), now=RESET) == Fits()
    began(spending, NOW + 1, "c2", NEED)
    settled(spending, NOW + 2, "c2", Usage(1, 1))
    assert ask(spending, Settings(), now=NOW + 3) == Fits()


@pytest.mark.parametrize(
    ("rule", "fits"), [(CachedTokens.FREE, True), (CachedTokens.COUNT, False), (None, False)]
)
def test_tokens_read_from_the_cache_count_where_they_are_said_to(
    rule: CachedTokens | None, *, fits: bool
) -> None:
    """A conversation of many turns sends nearly all of its input again and again."""
    spending = Spending()
    limited = settings(max_tokens_hour=5000, cached_tokens=rule)
    for turn in range(10):
        began(spending, NOW + turn, f"c{turn}", NEED)
        settled(spending, NOW + turn, f"c{turn}", Usage(1000, 50, cached=900))
    assert isinstance(ask(spending, limited, now=NOW + 20), Fits) is fits
    [counter] = counters(spending, limited, NOW + 20)
    assert counter.used == (1500 if fits else 10_500)


def test_a_call_whose_use_is_not_known_yet_counts_whole() -> None:
    spending = Spending()
    limited = settings(max_tokens_hour=2000, cached_tokens=CachedTokens.FREE)
    began(spending, NOW, "c1", NEED)
    assert isinstance(ask(spending, limited, now=NOW + 1), Full)


def test_what_is_most_likely_cached_is_not_asked_of_a_reported_limit_on_input() -> None:
    spending = told(ReportedLimit("input-tokens", NOW, 9000, 300, resets_at=RESET))
    need = Need(NEED.input_estimate, NEED.output_cap, NEED.cost, cached_estimate=800)
    room = room_for(spending, Settings(), PROVIDER, MODEL, need, NOW, task="T1")
    assert room == Fits()
    assert isinstance(ask(spending, Settings()), Full)
