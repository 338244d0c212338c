"""Times for people, and waits that survive clocks that are set and machines that sleep."""

from zoneinfo import ZoneInfo

import anyio
import pytest
from attrs import define, field

from agent_runner.limits.waiting import limit_line, safe_after, soon, wait_until
from tests.limits.scene import at


@pytest.mark.parametrize(
    ("when", "zone", "expected"),
    [
        (at("2026-11-24 13:00"), "UTC", "2026-11-24 13:00 UTC"),
        (at("2026-11-24 13:00") + 0.001, "UTC", "2026-11-24 13:01 UTC"),
        (at("2026-11-24 13:00:59"), "Europe/Berlin", "2026-11-24 14:01 CET"),
        (at("2026-10-25 00:59:30"), "Europe/Berlin", "2026-10-25 02:00 CET"),
        (at("2026-10-25 00:59:00"), "Europe/Berlin", "2026-10-25 02:59 CEST"),
        (at("2026-11-24 13:00"), "Asia/Kathmandu", "2026-11-24 18:45 +0545"),
    ],
)
def test_the_time_is_rounded_up_and_names_its_zone(when: float, zone: str, expected: str) -> None:
    assert safe_after(when, ZoneInfo(zone)) == expected
    line = limit_line(when, ZoneInfo(zone))
    assert line == f"Rate limit reached, safe to re-run after {expected}"


def test_without_a_zone_it_is_the_machines() -> None:
    assert safe_after(at("2026-11-24 13:00"))[:4] == "2026"


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-11-23 14:05", "14:05"),
        ("2026-11-24 09:00", "Tue 09:00"),
        ("2026-11-29 09:00", "Sun 09:00"),
        ("2026-11-30 09:00", "2026-11-30 09:00"),
    ],
)
def test_a_time_soon_is_short(when: str, expected: str) -> None:
    assert soon(at(when), at("2026-11-23 12:00"), ZoneInfo("UTC")) == expected


@define
class SetClock:
    """A clock that is set, or a machine that sleeps, at the n-th wait.

    `jumps` are added to the wall clock.
    """

    jumps: dict[int, float] = field(factory=dict)
    wall: float = 1000.0
    passed: float = 0.0
    waits: list[float] = field(factory=list)

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed += seconds
        self.wall += seconds + self.jumps.get(len(self.waits), 0.0)


def waited(clock: SetClock, until: float) -> list[float]:
    left: list[float] = []
    anyio.run(lambda: wait_until(clock, until, left.append))
    return left


def test_it_counts_down_in_slices() -> None:
    assert waited(SetClock(), 1002.5) == [2.5, 1.5, 0.5]
    assert waited(SetClock(), 1000.0) == []


def test_a_machine_that_slept_goes_on_at_once() -> None:
    assert waited(SetClock({2: 3600.0}), 1100.0) == [100.0, 99.0]


def test_a_clock_set_back_does_not_lengthen_the_wait() -> None:
    clock = SetClock({2: -86_400.0})
    assert waited(clock, 1005.0) == [5.0, 4.0, 3.0, 2.0, 1.0]
