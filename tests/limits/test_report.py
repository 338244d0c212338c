"""Rows of use, and counters for the bars."""

import pytest

from agent_runner.limits.report import (
    By,
    Counter,
    counters,
    usage_rows,
    usage_total,
)
from agent_runner.limits.room import Need
from agent_runner.model.meters import Meters, Reservation
from agent_runner.model.settings import LimitSettings, Settings, WindowKind
from agent_runner.model.spending import Spending
from agent_runner.model.usage import ReportedLimit, Usage
from tests.limits.scene import MODEL, PROVIDER, at, began, settings, settled

NOW = at("2026-11-24 12:34:56")


@pytest.fixture
def spending() -> Spending:
    spending = Spending()
    began(spending, NOW - 86_400, "c1", Need(100, 100, 0.5), task="T1")
    settled(spending, NOW - 86_399, "c1", Usage(90, 10, cached=50), cost=0.25)
    began(spending, NOW, "c2", Need(100, 100, 0.5), task="T2")
    began(spending, NOW, "c3", Need(7, 3, 0.1), task="T1", model="other")
    settled(spending, NOW, "c3", outcome="failed")
    return spending


def test_use_is_told_by_task_model_and_day(spending: Spending) -> None:
    first, second = usage_rows(spending, By.TASK)
    assert (first.name, first.calls, first.unanswered, first.input, first.output, first.cached) == (
        "T1",
        1,
        1,
        90,
        10,
        50,
    )
    assert (second.name, second.reserved, second.cost) == ("T2", 200, 0.5)
    names = [row.name for row in usage_rows(spending, By.MODEL)]
    assert names == [f"{PROVIDER} {MODEL}", f"{PROVIDER} other"]
    days = usage_rows(spending, By.DAY)
    assert [(row.name, row.cost) for row in days] == [("2026-11-23", 0.25), ("2026-11-24", 0.5)]


@pytest.mark.parametrize("by", By)
def test_every_report_adds_up_to_the_same(spending: Spending, by: By) -> None:
    rows, total = usage_rows(spending, by), usage_total(spending)
    for column in ("calls", "unanswered", "input", "output", "cached", "reserved", "cost"):
        assert sum(getattr(row, column) for row in rows) == getattr(total, column)


def test_a_counter_tells_how_full_a_limit_is_and_when_room_comes_back(spending: Spending) -> None:
    limited = settings(max_requests_hour=4, max_cost_week=10.0)
    hour, week = counters(spending, limited, NOW)
    assert hour == Counter(
        PROVIDER, None, "requests", "hour", 2, 4, resets_at=at("2026-11-24 13:00")
    )
    assert hour.fraction == 0.5
    assert (week.used, week.limit) == (0.75, 10.0)
    rolling = settings(window=WindowKind.ROLLING, max_tokens_week=1000)
    (week,) = counters(spending, rolling, NOW)
    assert (week.used, week.resets_at) == (300, NOW + 6 * 86_400)


def test_a_counter_of_nothing_has_no_reset() -> None:
    (hour,) = counters(Spending(), settings(max_requests_hour=4), NOW)
    assert (hour.used, hour.resets_at, hour.fraction) == (0, None, 0.0)


def test_other_projects_and_single_models_are_counted(spending: Spending) -> None:
    others = Meters()
    others.reserve("x/c1", Reservation(NOW, PROVIDER, "other", 1000))
    limits = LimitSettings(
        max_tokens_day=9000, models={"other": LimitSettings(max_tokens_day=2000)}
    )
    whole, own = counters(spending, Settings(rate_limits={PROVIDER: limits}), NOW, others)
    assert (whole.model, whole.used) == (None, 1200)
    assert (own.model, own.used) == ("other", 1000)


def test_what_the_provider_reports_stands_beside_it_with_the_time_of_the_reading() -> None:
    spending = Spending()
    began(spending, NOW - 9, "c1", Need(1, 1))
    limits = (
        ReportedLimit("requests", NOW - 5, 50, 20, resets_at=NOW + 5),
        ReportedLimit("5h", NOW - 5, used=0.4, resets_at=NOW + 3600),
        ReportedLimit("tokens", NOW - 5, 50, 20, resets_at=NOW - 1),
    )
    settled(spending, NOW - 5, "c1", Usage(1, 1), limits=limits)
    requests, window = counters(spending, Settings(), NOW)
    assert requests == Counter(
        PROVIDER, MODEL, "requests", "requests", 30, 50, NOW + 5, read_at=NOW - 5
    )
    assert window == Counter(PROVIDER, None, "share", "5h", 0.4, 1.0, NOW + 3600, read_at=NOW - 5)
