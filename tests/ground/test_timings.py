"""Parts are added up while somebody records, and cost nothing else."""

import sys
import threading

from agent_runner.ground.timings import Timings, part, recording


class Watch:
    """A clock that moves a second at each look."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        self.seconds += 1.0
        return self.seconds


def lines(timings: Timings) -> list[list[str]]:
    return [line.split() for line in timings.lines()]


def test_parts_are_added_up_by_name_in_the_order_of_first_use() -> None:
    timings = Timings(Watch().now)
    with recording(timings):
        with part("outer"), part("inner"):
            pass
        with part("outer"):
            pass
    timings.add("elsewhere", 0.25)
    assert lines(timings) == [
        ["inner", "1.000", "s"],
        ["outer", "4.000", "s", "2", "times"],
        ["elsewhere", "0.250", "s"],
        ["in", "all", "7.000", "s"],
    ]


def test_a_part_that_fails_is_counted() -> None:
    timings = Timings(Watch().now)
    try:
        with recording(timings), part("broken"):
            raise ValueError
    except ValueError:
        pass
    assert lines(timings)[0] == ["broken", "1.000", "s"]


def test_nothing_is_recorded_outside_and_it_costs_no_new_object() -> None:
    assert part("x") is part("y")
    timings = Timings(Watch().now)
    with recording(timings):
        assert part("x") is not part("y")
    with part("after"):
        pass
    assert [line[0] for line in lines(timings)] == ["in"]


def test_imports_are_a_part_each_module_once() -> None:
    timings, plain = Timings(Watch().now), __import__
    sys.modules.pop("this", None)
    sys.modules.pop("colorsys", None)
    with recording(timings):
        import colorsys
        import colorsys as again  # loaded already: not timed
    assert colorsys is again
    assert lines(timings)[0] == ["import", "1.000", "s"]
    assert __import__ is plain


def test_threads_do_not_lose_each_others_parts() -> None:
    timings = Timings(Watch().now)

    def work() -> None:
        for _ in range(500):
            with part("x"):
                pass

    with recording(timings):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert lines(timings)[0][-2:] == ["2000", "times"]
