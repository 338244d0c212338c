"""Weekdays and time zones as people write them: one reading for all who check and count."""

import re
from datetime import time
from zoneinfo import ZoneInfo

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEK_START = re.compile(
    rf"({'|'.join(_WEEKDAYS)})(?: +([01]?[0-9]|2[0-3]):([0-5][0-9]))?", re.IGNORECASE
)


def week_start(text: str) -> tuple[int, time]:
    """`monday 00:00` as weekday (0: Monday) and time; without a time the day's beginning.

    Raises ValueError for anything else.
    """
    match = _WEEK_START.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a weekday and time: {text!r}")
    day, hour, minute = match.groups()
    return _WEEKDAYS.index(day.lower()), time(int(hour or 0), int(minute or 0))


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name such as `Europe/Berlin`. Raises ValueError if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # OSError: the name of a folder of zones
        raise ValueError(f"there is no time zone {name!r}") from error
