"""What a hook costs: one that does nothing against a bare subprocess, and a gigabyte of output.

`python -m tests.bench.bench_hooks [ROUNDS]` (200). Best of all rounds: what else the machine does
only adds.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio

from agent_runner.ground.clock import SystemClock
from agent_runner.hooks.runner import HookRunner
from agent_runner.hooks.watch import ThreadWatch, WatchFactory, watch_exit
from agent_runner.model.hooks import Hook, Phase
from agent_runner.model.task import Task
from tests.bench.rows import row

GIGABYTE = 1 << 30
FLOODS = {
    "1 GiB of NULs, green": f"head -c {GIGABYTE} /dev/zero",
    "1 GiB of lines, red": f"yes some words and 12 numbers | head -c {GIGABYTE}; exit 1",
}
MOST, MOST_MEMORY = 3, 16  # times the bare command; MB
WATCHES: dict[str, WatchFactory] = {"as here": watch_exit, "with a thread": ThreadWatch}


def bare() -> float:
    """Seconds for `sh -c true` through subprocess alone."""
    begun = time.perf_counter()
    subprocess.run(["/bin/sh", "-c", "true"], stdin=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


async def hook(folder: Path, command: str, watch: WatchFactory) -> float:
    """Seconds for the same as a hook, with its log; the log is removed."""
    runner = HookRunner(SystemClock(), folder, {"PATH": "/usr/bin:/bin"}, watch=watch)
    begun = time.perf_counter()
    result = await runner.run(
        Hook("bench", command=command),
        phase=Phase.POST,
        task=Task("T1", "", "", folder),
        attempt=1,
        run_id="bench",
        changed=tuple,
        on_start=lambda _pid, _began: None,
        on_output=lambda _piece: None,
    )
    seconds = time.perf_counter() - begun
    (folder / result.log).unlink()
    return seconds


def peak() -> int:
    """The most memory this program ever had, in kilobytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most


async def main(rounds: int) -> int:
    """Measure; 1 if a bound does not hold."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor = min(bare() for _ in range(rounds))
        holds = []
        for how, watch in WATCHES.items():
            cost = min([await hook(folder, "true", watch) for _ in range(rounds)])
            what = f"a hook that does nothing, its end watched {how}"
            note = f"{cost * 1e3:.2f} and {floor * 1e3:.2f} ms"
            holds.append(row(what, cost / floor, "x `sh -c true`", MOST, note))
        before = peak()
        for what, command in FLOODS.items():
            row(f"a hook's output of {what}", await hook(folder, command, watch_exit), "s")
        grown = (peak() - before) / 1024
        holds.append(row("memory grown by them", grown, "MB", MOST_MEMORY))
        return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(anyio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 200))
