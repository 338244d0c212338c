"""Where a limit's windows begin and end: by the calendar of a time zone, or rolling.

Times are epoch seconds. Both kinds answer the same questions of a `Use`, so that nothing else asks
which kind it is.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from attrs import field, frozen

from agent_runner.ground.calendar import week_start, zone
from agent_runner.ground.clock import local_time
from agent_runner.model.errors import UsageError
from agent_runner.model.meters import NOTHING, Amount, Meters, Track
from agent_runner.model.settings import WindowKind, WindowSettings

SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0, "week": 604_800.0}
"""The windows a limit can have, shortest first, and their nominal lengths."""

_BOUNDARIES = 4
"""Boundaries looked at before a window counts as empty; only odd changes of the clock need two."""


@frozen
class Use:
    """What some tracks count, as seen at `now` (epoch seconds).

    What seems to lie ahead of it, since the clock was set back, counts as now.
    """

    tracks: Sequence[Track]
    now: float

    def since(self, start: float) -> Amount:
        """Use at or after `start`."""
        if start > self.now:
            return NOTHING
        return sum((track.since(start) for track in self.tracks), NOTHING)

    def after(self, start: float) -> Amount:
        """Use after `start`, not at it."""
        if start >= self.now:
            return NOTHING
        return sum((track.after(start) for track in self.tracks), NOTHING)

    def times_after(self, start: float) -> list[float]:
        """When there was use after `start`, in order."""
        times = [min(at, self.now) for track in self.tracks for at in track.times_after(start)]
        return sorted(times)


def use_of(meters: Sequence[Meters], provider: str, model: str | None, now: float) -> Use:
    """The use of a provider (or one of its models), as several meters count it together."""
    return Use([track for one in meters for track in one.of(provider, model)], now)


class Windows(Protocol):
    """One way to lay windows."""

    def used(self, use: Use, window: str) -> Amount:
        """What counts in the window (a key of `SECONDS`) now."""

    def fits_at(self, use: Use, window: str, fits: Callable[[Amount], bool]) -> float:
        """The earliest time after now at which `fits` holds of the use that then counts.

        It must hold of nothing.
        """

    def resets_at(self, use: Use, window: str) -> float | None:
        """When use next leaves the window; None: there is none in it."""


@frozen
class CalendarWindows:
    """Minutes, hours, days and weeks of the clock in `zone` (None: the machine's).

    A week begins on `weekday` (0: Monday) at `week_time`. Where the clock is changed, a day has 23
    or 25 hours; an hour that comes twice is two hours.
    """

    zone: ZoneInfo | None = None
    weekday: int = 0
    week_time: time = field(factory=time)

    def used(self, use: Use, window: str) -> Amount:
        """See `Windows`."""
        return use.since(self.start(window, use.now))

    def fits_at(self, use: Use, window: str, fits: Callable[[Amount], bool]) -> float:
        """See `Windows`."""
        at = use.now
        for _ in range(_BOUNDARIES):
            at = self.next_start(window, at)
            if fits(use.since(self.start(window, at))):
                break
        return at

    def resets_at(self, use: Use, window: str) -> float | None:
        """See `Windows`."""
        return self.next_start(window, use.now) if self.used(use, window) != NOTHING else None

    def start(self, window: str, at: float) -> float:
        """The beginning of the window that `at` lies in."""
        if window == "week":
            return self._week_start(at)
        if window == "day":
            return self._instant(local_time(at, self.zone).date(), time())
        length = SECONDS[window]
        # by the offset and not by the shown time: an hour that comes twice is then two hours, and
        # zones with half hours (India) begin theirs when their clocks say so
        offset = local_time(at, self.zone).utcoffset() or timedelta()
        return (at + offset.total_seconds()) // length * length - offset.total_seconds()

    def next_start(self, window: str, at: float) -> float:
        """The beginning of the next window after `at`."""
        if window == "week":
            # by days of the calendar: a week in which the clock is changed has 167 or 169 hours
            day = local_time(self._week_start(at), self.zone).date()
            return self._instant(day + timedelta(days=7), self.week_time)
        if window == "day":
            return self._instant(local_time(at, self.zone).date() + timedelta(days=1), time())
        return self.start(window, at) + SECONDS[window]

    def _week_start(self, at: float) -> float:
        today = local_time(at, self.zone).date()
        day = today - timedelta(days=(today.weekday() - self.weekday) % 7)
        start = self._instant(day, self.week_time)
        return start if start <= at else self._instant(day - timedelta(days=7), self.week_time)

    def _instant(self, day: date, at: time) -> float:
        """The first moment at which the clock shows this, or has just jumped over it.

        `fold` is 0 by default: of an hour that comes twice the first is meant.
        """
        return datetime.combine(day, at, tzinfo=self.zone).timestamp()


@frozen
class RollingWindows:
    """Windows that reach back from now: a call counts for exactly their length after it began."""

    def used(self, use: Use, window: str) -> Amount:
        """See `Windows`."""
        return use.after(use.now - SECONDS[window])

    def fits_at(self, use: Use, window: str, fits: Callable[[Amount], bool]) -> float:
        """See `Windows`."""
        length = SECONDS[window]
        times = use.times_after(use.now - length)
        # the later the call, the less counts: the first time that is late enough is found by halves
        first = bisect_left(times, True, key=lambda at: fits(use.after(at)))
        return times[first] + length

    def resets_at(self, use: Use, window: str) -> float | None:
        """See `Windows`."""
        length = SECONDS[window]
        times = use.times_after(use.now - length)
        return times[0] + length if times else None


def windows_of(settings: WindowSettings) -> Windows:
    """The windows as configured.

    Raises UsageError where `week_starts` is no weekday and time, or the time zone is unknown.
    """
    if settings.window is WindowKind.ROLLING:
        return RollingWindows()
    try:
        weekday, at = week_start(settings.week_starts)
    except ValueError as error:
        raise UsageError(
            f"limits.week_starts: {error}", fix='write it like "monday 00:00"'
        ) from error
    return CalendarWindows(zone_of(settings), weekday, at)


def zone_of(settings: WindowSettings) -> ZoneInfo | None:
    """The time zone of the windows, None for the machine's. Raises UsageError if it is unknown."""
    if settings.timezone is None:
        return None
    try:
        return zone(settings.timezone)
    except ValueError as error:
        raise UsageError(
            f"limits.timezone: {error}",
            fix="use a name such as Europe/Berlin, or null for the machine's",
        ) from error
