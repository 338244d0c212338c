"""The plan: what fits now, when the rest could run."""

from typing import Any
from zoneinfo import ZoneInfo

from agent_runner.limits.plan import MAX_CALLS, Expected, Plan, Slot, Turns, expect, plan_calls
from agent_runner.limits.room import Need
from agent_runner.model.settings import BudgetSettings, Settings, WindowKind
from agent_runner.model.spending import Spending
from agent_runner.model.usage import Usage
from tests.limits.scene import MODEL, PROVIDER, at, began, settings, settled

NOW = at("2026-11-23 12:00")  # a Monday
UTC = ZoneInfo("UTC")
NEED = Need(4000, 6000, 0.1)


def tasks(number: int, calls: int = 1, need: Need = NEED) -> list[Expected]:
    return [
        Expected(f"T{n}", PROVIDER, MODEL, calls, calls, need, 3000, 1000, 0.02)
        for n in range(1, number + 1)
    ]


def plan(number: int, configured: Settings, spending: Spending | None = None, **rest: Any) -> Plan:
    return plan_calls(tasks(number, **rest), spending or Spending(), configured, NOW)


def test_everything_fits_where_nothing_is_limited() -> None:
    found = plan(9, Settings(), calls=2)
    assert found.line(NOW, UTC) == "9 of 9 now"
    assert (found.calls, found.tokens) == (18, 18 * 4000)
    assert found.cost is not None
    assert round(found.cost, 6) == 0.36


def test_the_rest_waits_for_the_window() -> None:
    found = plan(9, settings(max_requests_day=4))
    assert found.now == ("T1", "T2", "T3", "T4")
    assert found.line(NOW, UTC) == ("4 of 9 now; T5-T8 after Tue 00:00; T9 after Wed 00:00")


def test_a_call_reserves_its_worst_case_and_then_counts_what_it_is_likely_to_use() -> None:
    # five calls leave 10,000 of 30,000, which a sixth may just reserve; it leaves 6,000
    assert len(plan(9, settings(max_tokens_hour=30_000)).now) == 6


def test_what_is_used_already_counts_and_stays_untouched() -> None:
    spending = Spending()
    began(spending, NOW, "c1", NEED)
    before = str(spending)
    found = plan(5, settings(window=WindowKind.ROLLING, max_requests_hour=3), spending)
    assert found.now == ("T1", "T2")
    assert found.later == (Slot(NOW + 3600, ("T3", "T4", "T5")),)
    assert found.line(NOW, UTC) == "2 of 5 now; T3-T5 after 13:00"
    assert str(spending) == before


def test_tasks_that_can_never_run_are_named() -> None:
    found = plan(2, settings(max_tokens_day=9_999))
    assert [one.task for one in found.blocked] == ["T1", "T2"]
    assert found.line(NOW, UTC) == "0 of 2 now; T1, T2 never"
    budget = Settings(budget=BudgetSettings(max_calls_task=1))
    assert "max_calls_task" in plan(1, budget, calls=2).blocked[0].reason


def test_many_slots_are_summed_up_and_very_many_calls_not_played() -> None:
    found = plan(9, settings(max_requests_minute=1))
    assert found.line(NOW, UTC) == (
        "1 of 9 now; T2 after 12:01; T3 after 12:02; T4 after 12:03;"
        " T5-T9 later, the last after 12:08"
    )
    far = plan(2, settings(max_requests_minute=10_000), calls=MAX_CALLS)
    assert far.line(NOW, UTC) == "1 of 2 now; T2 at a time too far ahead to say"


def test_history_says_how_many_calls_and_how_much_each() -> None:
    spending = Spending()
    assert expect(spending, "T9", PROVIDER, MODEL, NEED, Turns(guess=8)) == Expected(
        "T9", PROVIDER, MODEL, 1, 8, NEED, 4000, 6000, 0.1
    )
    for n in range(6):
        began(spending, NOW, f"c{n}", NEED, task=f"T{n % 2}")
        settled(spending, NOW, f"c{n}", Usage(2000, 300), cost=0.03)
    assert expect(spending, "T9", PROVIDER, MODEL, NEED, Turns(guess=8)) == Expected(
        "T9", PROVIDER, MODEL, 3, 3, NEED, 2000, 300, 0.03
    )
    began(spending, NOW, "c9", NEED, task="T9")
    settled(spending, NOW, "c9", outcome="failed")
    assert expect(spending, "T9", PROVIDER, MODEL, NEED, Turns()).calls == 3
    assert expect(spending, "T1", PROVIDER, MODEL, NEED, Turns()).likely == 1


def test_one_task_that_took_very_many_calls_does_not_count_for_all() -> None:
    spending = Spending()
    for task, calls in (("T1", 2), ("T2", 3), ("T3", 25)):
        for n in range(calls):
            began(spending, NOW, f"{task}-{n}", NEED, task=task)
            settled(spending, NOW, f"{task}-{n}", Usage(2000, 300))
    assert expect(spending, "T9", PROVIDER, MODEL, NEED, Turns(guess=8)).likely == 3
