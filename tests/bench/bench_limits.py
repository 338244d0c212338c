"""How long a decision takes on the first day and after a year, and how much room a year takes.

Run it with `python -m tests.bench.bench_limits`. It prints ratios: times do not travel between
machines, they do.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from agent_runner.ground.clock import SystemClock
from agent_runner.limits.gate import Gate
from agent_runner.limits.ledger import Ledger
from agent_runner.limits.room import Need, Room, room_for
from agent_runner.model import events as e
from agent_runner.model.settings import LimitSettings, Settings, WindowKind, WindowSettings
from agent_runner.model.spending import Spending
from agent_runner.model.usage import Usage
from agent_runner.store.codec import to_plain

CALLS = 100_000
YEAR = 365 * 86_400.0
START = 1_767_225_600.0
NEED = Need(10_000, 16_000, 0.1)
CLOCK = SystemClock()


def limited(kind: WindowKind, scale: float) -> Settings:
    """Limits of every measure and window: `scale` 1 leaves room, 0 none."""
    windows = ("minute", "hour", "day", "week")
    limits = {f"max_tokens_{window}": 30_000 + int(10**9 * scale) for window in windows}
    limits |= {f"max_requests_{window}": 1 + int(10**6 * scale) for window in windows}
    return Settings(
        rate_limits={"claude": LimitSettings(**limits)},  # type: ignore[arg-type]  # built by name
        limits=WindowSettings(window=kind, timezone="Europe/Berlin"),
    )


def timed(act: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    began = CLOCK.monotonic()
    act()
    return CLOCK.monotonic() - began


def one_call(spending: Spending, number: int, now: float) -> None:
    """Fold one call in, begun and settled."""
    task, call = f"T{number % 300}", f"c{number}"
    spending.take(now, task, e.CallStarted(call, 1, 1, 1, "claude", "m", 10_000, 16_000, 0.1))
    usage = Usage(8_000, 900)
    spending.take(now, task, e.CallSettled(call, "answered", "claude", usage, 0.03))


def year(settings: Settings, room: str) -> None:
    """Decide before and fold after each call of a year; compare its first and last tenth."""
    spending, decisions, folds = Spending(), [], []
    for number in range(CALLS):
        now = START + number * YEAR / CALLS

        def decide(now: float = now) -> Room:
            return room_for(spending, settings, "claude", "m", NEED, now, task="T1")

        if number % 10 == 0:
            decisions.append(timed(decide))
        folds.append(timed(lambda now=now, number=number: one_call(spending, number, now)))  # type: ignore[misc]
    say(f"{settings.limits.window}, {room}")
    for name, times in (("decision", decisions), ("fold of a call", folds)):
        tenth = len(times) // 10
        first, last = statistics.median(times[:tenth]), statistics.median(times[-tenth:])
        say(f"  {name}: {last * 1e6:.0f} us after a year, {last / first:.2f} x the first month's")
    (track,) = spending.meters.of("claude")
    size = len(json.dumps(to_plain(spending), separators=(",", ":")))
    say(f"  {len(track.times)} rows, {size / 1024:.0f} KB in the snapshot after {CALLS:,} calls")


def ledger() -> None:
    """What the shared ledger adds to a call, small and after many calls."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.jsonl"
        gate = Gate(limited(WindowKind.ROLLING, 1), CLOCK, Ledger(path, "a", CLOCK))
        spending, times = Spending(), []
        for number in range(3000):
            call = f"c{number}"
            event = e.CallSettled(call, "answered", "claude", Usage(1, 1), 0.0)
            times.append(
                timed(lambda call=call: gate.admit(spending, call, "claude", "m", NEED, task="T"))  # type: ignore[misc]
                + timed(lambda event=event: gate.settle(event))  # type: ignore[misc]
            )
        first, last = statistics.median(times[:300]), statistics.median(times[-300:])
        say("ledger, admit and settle")
        size = path.stat().st_size / 1024
        say(f"  {last * 1e6:.0f} us, {last / first:.2f} x the first ones; {size:.0f} KB")


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    for kind in WindowKind:
        year(limited(kind, 1), "room")
        year(limited(kind, 0), "hardly any room")
    ledger()
