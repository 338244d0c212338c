"""Times are shown and stored whatever they are: a damaged or forged file may hold any."""

import math
from datetime import timedelta, timezone

import pytest

from agent_runner.ground.clock import from_iso, iso, local, stored


@pytest.mark.parametrize("at", [1e300, -1e300, math.inf, -math.inf, math.nan, 253_402_300_799.9])
@pytest.mark.parametrize("hours", [-14, 0, 14])
def test_no_time_is_an_error(at: float, hours: int) -> None:
    assert local(at, seconds=True, zone=timezone(timedelta(hours=hours)))
    assert from_iso(iso(at)) == stored(at)


def test_what_a_calendar_has_stays_as_it_is() -> None:
    assert iso(1_800_000_000.25) == "2027-01-15T08:00:00.250000Z"
    assert stored(1_800_000_000.25) == 1_800_000_000.25
