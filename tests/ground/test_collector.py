"""The garbage collector stays away from what is there, and comes back afterwards."""

import gc
import weakref

import pytest

from agent_runner.ground.collector import kept_from_collector, paused_collector


class _Ring:
    """Refers to itself, so that only the collector can take it away."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _collector_as_before() -> None:
    assert gc.isenabled(), "the tests below need a collector that runs"
    gc.unfreeze()


def test_nothing_is_collected_while_the_collector_is_paused() -> None:
    with paused_collector():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_pause_within_a_pause_does_not_end_it() -> None:
    with paused_collector():
        with paused_collector():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_collector_that_somebody_has_switched_off_stays_off() -> None:
    gc.disable()
    try:
        with paused_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_is_there_already_is_not_looked_at_until_the_end() -> None:
    ring = _Ring()
    seen = weakref.ref(ring)
    with kept_from_collector():
        del ring
        gc.collect()
        assert seen() is not None
    gc.collect()
    assert seen() is None


def test_what_comes_later_is_collected_meanwhile() -> None:
    with kept_from_collector():
        ring = _Ring()
        seen = weakref.ref(ring)
        del ring
        gc.collect()
        assert seen() is None


def test_an_error_brings_the_collector_back() -> None:
    with pytest.raises(ValueError, match="x"), kept_from_collector(), paused_collector():
        raise ValueError("x")
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
