"""When to come back: in words, and as a wait that survives sleep and a clock that is set."""

import math
from collections.abc import Callable
from datetime import tzinfo

from agent_runner.ground.clock import Clock, local, local_time

_MINUTE = 60


def safe_after(not_before: float, zone: tzinfo | None = None) -> str:
    """Epoch seconds as `2026-11-24 13:00 CET`, in `zone` (None: the machine's).

    Rounded up to the minute, for before that it would not be true.
    """
    return local(_rounded_up(not_before), zone=zone)


def limit_line(not_before: float, zone: tzinfo | None = None) -> str:
    """The one line that stands on the screen when a limit stops the run."""
    return f"Rate limit reached, safe to re-run after {safe_after(not_before, zone)}"


def soon(at: float, now: float, zone: tzinfo | None = None) -> str:
    """A time ahead, in epoch seconds, in as few words as are clear.

    `14:05` today, `Tue 09:00` this week, else with its date; `02:00 CET` if the clock is changed
    before then, for an hour may come twice.
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
    """Wait until the wall clock says `until` (epoch seconds), looking at it after every slice.

    `tick` is given the seconds left; `longest_slice` is in seconds too. One long sleep would do
    worse: a machine that was suspended wakes up past the time and goes on at once. A clock that is
    set back does not lengthen the wait: it is over when as much time as was left at first has
    really passed.
    """
    started_at = clock.monotonic()
    at_most = until - clock.now()
    while True:
        passed = clock.monotonic() - started_at
        left = min(until - clock.now(), at_most - passed)
        if left <= 0:
            return
        tick(left)
        await clock.sleep(min(left, longest_slice))


def _rounded_up(at: float) -> float:
    return math.ceil(at / _MINUTE) * _MINUTE
