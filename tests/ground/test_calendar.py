"""Weekdays and time zones are read as people write them."""

from datetime import time

import pytest

from agent_runner.ground.calendar import week_start, zone


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("monday 00:00", (0, time())),
        ("Sunday 6:30", (6, time(6, 30))),
        (" friday  23:59 ", (4, time(23, 59))),
        ("WEDNESDAY", (2, time())),
    ],
)
def test_a_weekday_and_its_time(text: str, meant: tuple[int, time]) -> None:
    assert week_start(text) == meant


@pytest.mark.parametrize("text", ["", "someday", "monday 24:00", "monday 0:5", "monday at 5", "0"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a weekday and time"):
        week_start(text)


@pytest.mark.parametrize("name", ["Mars/Base", "Europe", "../etc", "", "/etc/localtime"])
def test_an_unknown_zone_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="there is no time zone"):
        zone(name)


def test_a_zone() -> None:
    assert zone("Europe/Berlin").key == "Europe/Berlin"
