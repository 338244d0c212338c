"""`agent-runner status --watch`: the table of tasks, drawn anew as the run goes on."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence

import anyio

from agent_runner.app.overview import Overview, Part
from agent_runner.cli.output import drawn
from agent_runner.ground.clock import SystemClock
from agent_runner.model.states import FINAL
from agent_runner.store.layout import Layout
from agent_runner.ui.live import LivePart
from agent_runner.ui.output import Output

_LOOKS_EVERY = 0.5
"""Seconds between two looks at the journal's size."""

_REST = 5
"""How many times as long as reading took there is a pause: a long list must not fill a core."""


def watch(read: Callable[[], Overview], parts_of: Callable[[Overview], Iterator[Part]]) -> int:
    """Draw what `read` finds until a run that is on ends, or Ctrl+C; the last picture stays.

    Where no run is on, the next one is waited for. `parts_of` has the table first.
    """
    out = Output(sys.stdout)
    live = LivePart(out)
    last: list[list[str]] = [[]]

    async def draw() -> None:
        clock, was_on, seen = SystemClock(), False, None
        while out.broken is None:
            started = clock.monotonic()
            view = read()
            is_on = view.run_is_on
            if seen != (now := (_size(view), is_on, out.size)):
                seen = now
                last[0] = _frame(
                    view, [*parts_of(view)], out.size.lines - 1, waiting=not (is_on or was_on)
                )
                live.draw(last[0])
            if was_on and not is_on:
                return
            was_on = was_on or is_on
            while _size(view) == seen[0] and view.run_is_on == is_on and out.size == seen[2]:
                await clock.sleep(max(_LOOKS_EVERY, _REST * (clock.monotonic() - started)))
                started = clock.monotonic()

    try:
        anyio.run(draw)
    finally:
        live.draw((), above=last[0])
    return 0


def _size(view: Overview) -> int:
    """The journal's size, which every entry changes; 0 where there is none."""
    try:
        return os.stat(Layout(view.known.place.state_dir).journal).st_size
    except OSError:
        return 0


def _frame(view: Overview, parts: Sequence[Part], rows: int, *, waiting: bool) -> list[str]:
    """What fits on `rows` lines: all about the run, and the tasks around the one in hand."""
    table, below = list(drawn(parts[:1])), list(drawn(parts[1:]))
    if waiting:
        below += drawn(["No run is on; waiting for one. Ctrl+C to leave."])
    room = max(2, rows - len(below) - 1)
    heading, tasks = table[0], table[1:]
    if len(tasks) <= room:
        return [*table, *below][:rows]
    tally = view.tally
    left = (at for at, task in enumerate(tally.listed) if tally.record(task.id).state not in FINAL)
    start = max(0, min(next(left, 0) - room // 3, len(tasks) - room + 1))
    shown = tasks[start : start + room - 1]
    more = f"... {len(tasks) - len(shown)} more; agent-runner status shows all"
    return [heading, *shown, *drawn([more]), *below][:rows]
