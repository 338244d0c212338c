"""How long a decision takes on the first day and after a year, and how much room a year takes.

`python -m tests.bench.bench_limits [CALLS]` (100,000)
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
from tests.bench.rows import row

CALLS, IN_LEDGER = 100_000, 3_000
MOST, MOST_KEPT = 3, 1_024  # times the first ones; KB
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


def year(settings: Settings, room: str, calls: int) -> bool:
    """Decide before and fold after each call of a year; compare its first and last tenth."""
    spending, decisions, folds = Spending(), [], []
    for number in range(calls):
        now = START + number * YEAR / calls

        def decide(now: float = now) -> Room:
            return room_for(spending, settings, "claude", "m", NEED, now, task="T1")

        if number % 10 == 0:
            decisions.append(timed(decide))
        folds.append(timed(lambda now=now, number=number: one_call(spending, number, now)))  # type: ignore[misc]
    after, holds = f"after {calls:,} calls, {settings.limits.window} windows, {room}", []
    for name, times in (("a limit's decision", decisions), ("counting a call", folds)):
        tenth = len(times) // 10
        first, last = statistics.median(times[:tenth]), statistics.median(times[-tenth:])
        note = f"{last * 1e6:.0f} us"
        holds.append(row(f"{name} {after}", last / first, "x the first ones", MOST, note))
    size = len(json.dumps(to_plain(spending), separators=(",", ":"))) / 1024
    holds.append(row(f"what the snapshot keeps {after}", size, "KB", MOST_KEPT))
    return all(holds)


def ledger() -> bool:
    """What the shared ledger adds to a call, small and after many calls."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.jsonl"
        gate = Gate(limited(WindowKind.ROLLING, 1), CLOCK, Ledger(path, "a", CLOCK))
        spending, times = Spending(), []
        for number in range(IN_LEDGER):
            call = f"c{number}"
            event = e.CallSettled(call, "answered", "claude", Usage(1, 1), 0.0)
            times.append(
                timed(lambda call=call: gate.admit(spending, call, "claude", "m", NEED, task="T"))  # type: ignore[misc]
                + timed(lambda event=event: gate.settle(event))  # type: ignore[misc]
            )
        first, last = statistics.median(times[:300]), statistics.median(times[-300:])
        size = path.stat().st_size / 1024
        what = f"admitting and settling a call in the ledger, after {IN_LEDGER:,} calls"
        note = f"{last * 1e6:.0f} us; the file has {size:.0f} KB"
        return row(what, last / first, "x the first ones", MOST, note)


def main() -> int:
    """Measure; the exit code says whether the bounds hold."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    holds = [ledger()]
    for kind in WindowKind:
        holds.append(year(limited(kind, 1), "room left", calls))
        holds.append(year(limited(kind, 0), "hardly any room", calls))
    return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(main())
