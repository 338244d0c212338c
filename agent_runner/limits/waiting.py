"""When to come back.

In words and as a wait that survives a machine that sleeps and a clock that is set.
"""

import math
from collections.abc import Callable
from zoneinfo import ZoneInfo

from agent_runner.ground.clock import Clock
from agent_runner.limits.windows import local_time

_MINUTE = 60


def safe_after(not_before: float, zone: ZoneInfo | None = None) -> str:
    """Epoch seconds as `2026-11-24 13:00 CET`.

    Rounded up to the minute so that it is true (zone None: the machine's).
    """
    return local_time(_rounded_up(not_before), zone).strftime("%Y-%m-%d %H:%M %Z")


def limit_line(not_before: float, zone: ZoneInfo | None = None) -> str:
    """The one line that is said when a limit stops the run."""
    return f"Rate limit reached, safe to re-run after {safe_after(not_before, zone)}"


def soon(at: float, now: float, zone: ZoneInfo | None = None) -> str:
    """A time ahead as shortly as it is clear.

    `14:05` today, `Tue 09:00` this week, else with its date; `02:00 CET` if the clock is changed
    until then, for an hour may come twice.
    """
    when, today = local_time(_rounded_up(at), zone), local_time(now, zone)
    changed = " %Z" if when.utcoffset() != today.utcoffset() else ""
    days = (when.date() - today.date()).days
    if days == 0:
        return when.strftime(f"%H:%M{changed}")
    day = "%a" if 0 < days < len("smtwtfs") else "%Y-%m-%d"
    return when.strftime(f"{day} %H:%M{changed}")


async def wait_until(
    clock: Clock, until: float, tick: Callable[[float], None], *, longest_slice: float = 1.0
) -> None:
    """Wait until the wall clock says `until` (epoch seconds).

    Looking at it again after every slice.

    `tick` is given the seconds left. A machine that slept wakes up past the time and goes on at
    once. A clock set back does not lengthen the wait: when as much time as was left at first has
    really passed, it is over.
    """
    began = clock.monotonic()
    at_most = until - clock.now()
    while True:
        passed = clock.monotonic() - began
        left = min(until - clock.now(), at_most - passed)
        if left <= 0:
            return
        tick(left)
        await clock.sleep(min(left, longest_slice))


def _rounded_up(at: float) -> float:
    return math.ceil(at / _MINUTE) * _MINUTE
