"""What the fold counts: reservations, settlements, totals, and bounded over a year."""

import json
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from agent_runner.limits.room import Fits, Need, room_for
from agent_runner.model import events as e
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.meters import Amount, Meters, Reservation, Track
from agent_runner.model.settings import WindowKind
from agent_runner.model.spending import EARLIER, MAX_DAYS, MAX_TASKS, Spending
from agent_runner.model.usage import Usage
from agent_runner.store.codec import from_plain, to_plain
from tests.limits.scene import MODEL, PROVIDER, at, began, settings, settled

NOON = at("2026-11-24 12:00")
NEED = Need(1000, 500, 0.02)


def used(spending: Spending) -> Amount:
    (track,) = spending.meters.of(PROVIDER, MODEL)
    return track.since(NOON)


def test_a_call_counts_its_worst_case_until_its_real_use_is_known() -> None:
    spending = Spending()
    began(spending, NOON, "c1", NEED)
    assert used(spending) == Amount(1, 1500, 20_000_000)
    settled(spending, NOON + 90, "c1", Usage(800, 100, cached=300), cost=0.005)
    assert used(spending) == Amount(1, 900, 5_000_000, cached=300)
    total = spending.tasks["T1"]
    assert (total.calls, total.input, total.output, total.cached, total.reserved) == (
        1,
        800,
        100,
        300,
        0,
    )
    assert spending.models[PROVIDER][MODEL] == total == spending.days["2026-11-24"]


@pytest.mark.parametrize("outcome", ["throttled", "failed", "refused"])
def test_a_call_that_was_not_served_counts_a_request_and_no_tokens(outcome: str) -> None:
    spending = Spending()
    began(spending, NOON, "c1", NEED)
    settled(spending, NOON + 1, "c1", outcome=outcome)
    assert used(spending) == Amount(1, 0, 0)
    assert (spending.tasks["T1"].calls, spending.tasks["T1"].unanswered) == (0, 1)


@pytest.mark.parametrize("usage", [None, Usage(10, 10)])
def test_a_lost_call_stays_counted_as_reserved(usage: Usage | None) -> None:
    spending = Spending()
    began(spending, NOON, "c1", NEED)
    settled(spending, NOON + 1, "c1", usage, "lost")
    assert used(spending) == NEED.amount
    assert spending.tasks["T1"].reserved == 1500


def test_a_lost_call_whose_answer_is_found_later_is_settled_once() -> None:
    spending = Spending()
    began(spending, NOON, "c1", NEED)
    settled(spending, NOON + 1, "c1", outcome="lost")
    settled(spending, NOON + 2, "c1", Usage(700, 50))
    settled(spending, NOON + 3, "c1", Usage(700, 50))
    assert used(spending) == Amount(1, 750, 20_000_000)


def test_an_unknown_call_changes_nothing() -> None:
    spending = Spending()
    settled(spending, NOON, "c1", Usage(1, 1))
    assert spending.meters == Meters()


def test_a_run_begins_with_nothing_used_and_a_resumed_one_goes_on() -> None:
    spending = Spending()
    for run, calls in (("r1", 1), ("r1", 2), ("r2", 1)):
        spending.take(NOON, "", e.RunStarted(run, 1, "0", "list"))
        began(spending, NOON, f"c{run}{calls}", NEED)
        assert spending.run_total.calls == calls
    assert spending.tasks["T1"].calls == 3


def test_the_run_state_feeds_it() -> None:
    state = RunState()
    started = e.CallStarted("c1", 1, 1, 1, PROVIDER, MODEL, 10, 20, day="2026-11-25")
    state.take(Entry(1, NOON, "T1", started))
    assert state.spending.days["2026-11-25"].reserved == 30


def test_use_ahead_of_a_clock_that_was_set_back_counts_from_then_on() -> None:
    spending = Spending()
    began(spending, NOON + 86_400, "c1", NEED)
    spending.take(NOON, "", e.Aborted())
    (track,) = spending.meters.of(PROVIDER)
    assert track.since(NOON) == NEED.amount
    assert track.after(NOON) == Amount()
    settled(spending, NOON + 1, "c1", Usage(10, 0), cost=0.0)
    assert track.since(NOON) == Amount(1, 10, 0)


def calls_of_a_year(number: int, seed: int = 1) -> Iterator[tuple[float, int, int]]:
    """Times and tokens of calls: working days, with bursts."""
    chance = random.Random(seed)  # a reproducible year, no secret
    when = at("2026-01-01 00:00")
    for _ in range(number):
        when += chance.choice((2.0, 20.0, 20.0, 60.0)) if chance.random() < 0.8 else 0.0
        when += chance.expovariate(number / (365 * 86_400 * 0.9))
        yield when, chance.randint(100, 9000), chance.randint(10, 2000)


def year(number: int) -> tuple[Spending, float]:
    spending, when = Spending(), 0.0
    for n, (when, given_in, given_out) in enumerate(calls_of_a_year(number)):
        began(spending, when, f"c{n}", Need(10_000, 16_000, 0.1), task=f"T{n % 300}")
        if n % 97:
            settled(spending, when + 1, f"c{n}", Usage(given_in, given_out), cost=0.01)
    return spending, when


def size_of(spending: Spending) -> int:
    return len(json.dumps(to_plain(spending), separators=(",", ":")))


@pytest.mark.parametrize("calls", [20_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_a_year_of_calls_takes_no_more_room_than_its_last_days(calls: int) -> None:
    spending, when = year(calls)
    (track,) = spending.meters.of(PROVIDER)
    assert len(track.times) < 4200
    assert len(spending.meters.open) <= 256
    assert size_of(spending) < 250_000
    rolling = settings(window=WindowKind.ROLLING, max_tokens_week=10**12, max_requests_minute=99)
    assert room_for(spending, rolling, PROVIDER, MODEL, NEED, when, task="T1") == Fits()


def test_it_survives_the_snapshot() -> None:
    spending, _ = year(400)
    settled(spending, NOON, "c399", None, "throttled", not_before=NOON + 5)
    assert from_plain(json.loads(json.dumps(to_plain(spending))), Spending) == spending


def test_days_and_tasks_of_long_ago_are_added_up() -> None:
    spending = Spending()
    for n in range(MAX_DAYS + 40):
        began(spending, NOON + n * 86_400, f"c{n}", Need(1, 1))
    settled(spending, NOON + 10**8, "c0", Usage(1, 0))
    assert len(spending.days) <= MAX_DAYS + 3
    assert spending.days["2026-11"].calls == 7
    assert sum(total.calls for total in spending.days.values()) == MAX_DAYS + 40
    for n in range(MAX_TASKS + 5):
        began(spending, NOON + 10**8, f"d{n}", Need(1, 1), task=f"N{n}")
    assert len(spending.tasks) == MAX_TASKS + 1
    assert spending.tasks[EARLIER].calls > 6


@given(st.integers(0, 10_000), st.integers(150, 4000), st.floats(0, 691_200))
def test_thinned_use_leaves_a_window_late_never_early(seed: int, rows: int, back: float) -> None:
    chance = random.Random(seed)  # reproducible, no secret
    track, plain, now = Track(), [], NOON
    for _ in range(rows):
        now += chance.choice((0.0, 0.5, 7.0, 40.0, 300.0))
        track.add(now, Amount(1, 10))
        plain.append(now)
    start = now - back
    exact = sum(when >= start for when in plain)
    coarse = sum(when >= start - 900.0 for when in plain)
    assert exact <= track.since(start).requests <= coarse
    assert track.since(now - 60.0).requests == sum(when >= now - 60.0 for when in plain)


def test_a_day_is_kept_by_the_minute_however_many_calls_there_are() -> None:
    track, now = Track(), NOON
    for _ in range(12_000):
        now += 61.0
        track.add(now, Amount(1))
    assert len(track.times) < 4500
    assert track.after(now - 86_400.0) == Amount(1416 + 1)


def test_settling_a_call_older_than_all_windows_leaves_them_alone() -> None:
    meters = Meters()
    meters.reserve("old", Reservation(NOON, PROVIDER, MODEL, 5000))
    for n in range(1, 400):
        meters.reserve(f"c{n}", Reservation(NOON + n * 86_400, PROVIDER, MODEL, 1))
        meters.settle(f"c{n}", Amount(1, 1))
    (track,) = meters.of(PROVIDER)
    before = track.since(NOON + 398 * 86_400)
    meters.settle("old", Amount(1))
    assert track.since(NOON + 398 * 86_400) == before == Amount(2, 2)


def test_a_snapshot_of_before_has_no_cached_tokens() -> None:
    spending = Spending()
    began(spending, NOON, "c1", NEED)
    plain = to_plain(spending)
    for models in plain["meters"]["tracks"].values():
        for track in models.values():
            del track["cached"]
    again = from_plain(plain, Spending)
    assert again == spending
    settled(again, NOON + 1, "c1", Usage(800, 100, cached=300))
    assert used(again) == Amount(1, 900, 20_000_000, cached=300)
