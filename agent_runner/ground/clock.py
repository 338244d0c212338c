"""The only place that knows what time it is and how to wait; tests hand in their own."""

import time
from datetime import UTC, datetime, tzinfo
from typing import Protocol

_FIRST, _LAST = -62_135_500_000.0, 253_402_200_000.0
"""Epoch seconds, a day within the years 1 and 9999: beyond them `datetime` raises."""


class Clock(Protocol):
    """Time as the program sees it, in seconds."""

    def now(self) -> float:
        """Wall time, epoch seconds. May jump: order things by sequence, never by this."""

    def monotonic(self) -> float:
        """Time that never goes back, for durations."""

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds, unless cancelled before."""


_shown_in: list[tzinfo | None] = [None]


class SystemClock:
    """The clock of the machine that the program runs on."""

    def now(self) -> float:
        """Epoch seconds, as the system has them."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds while other tasks go on, unless cancelled before."""
        import anyio  # lazy: pure commands that only need the time stay quick to start

        await anyio.sleep(seconds)


def process_seconds() -> float:
    """Seconds of processor time that this process has taken since its start."""
    return time.process_time()


def iso(at: float) -> str:
    """Epoch seconds as `2026-11-24T13:00:00.000000Z`, the form in which times are stored."""
    return _moment(at).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _moment(at: float) -> datetime:
    """A moment that a calendar has in every zone, whatever a damaged or forged file says."""
    return datetime.fromtimestamp(min(max(_FIRST, at), _LAST) if at == at else _FIRST, UTC)  # noqa: PLR0124  # nan is not


def from_iso(text: str) -> float:
    """The epoch seconds of a stored time."""
    return datetime.fromisoformat(text).timestamp()


def stored(at: float) -> float:
    """The time as it will be read back: live and replayed state are equal to the last bit."""
    return _moment(at).timestamp()


def show_times_in(zone: tzinfo | None) -> None:
    """Show all times of this process in `zone` (None: the machine's).

    For the process and not handed from room to room: a time of another zone among the others would
    be taken for one of theirs.
    """
    _shown_in[0] = zone


def local_time(at: float, zone: tzinfo | None = None) -> datetime:
    """Epoch seconds as the clock shows them in `zone` (None: the machine's), with their offset."""
    return _moment(at).astimezone(zone)


def local(at: float, *, seconds: bool = False, zone: tzinfo | None = None) -> str:
    """Epoch seconds as local time for people, with the zone's name.

    In `zone`; None: in that of all times shown.
    """
    shown = local_time(at, zone or _shown_in[0])
    return shown.strftime("%Y-%m-%d %H:%M:%S %Z" if seconds else "%Y-%m-%d %H:%M %Z")
