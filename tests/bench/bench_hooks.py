"""What a hook costs: one that does nothing against a bare subprocess, and a gigabyte of output.

Run it as a script: `python tests/bench/bench_hooks.py [rounds]` prints one line per figure; it
fails if a hook costs more than three times the bare command, or memory grows by over 16 MB. Best of
all rounds: what else the machine does only adds.
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

GIGABYTE = 1 << 30
FLOODS = {
    "1 GiB of NULs, green": f"head -c {GIGABYTE} /dev/zero",
    "1 GiB of lines, red": f"yes some words and 12 numbers | head -c {GIGABYTE}; exit 1",
}


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
    """Print the figures; 1 if one is too high."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor = min(bare() for _ in range(rounds))
        print(f"sh -c true, bare: {floor * 1e3:.2f} ms")
        worst = 0.0
        for watch in (watch_exit, ThreadWatch):
            cost = min([await hook(folder, "true", watch) for _ in range(rounds)])
            worst = max(worst, cost / floor)
            print(f"as a hook, {watch.__name__}: {cost * 1e3:.2f} ms, {cost / floor:.2f} times")
        before = peak()
        for what, command in FLOODS.items():
            print(f"{what}: {await hook(folder, command, watch_exit):.2f} s")
        grown = peak() - before
        print(f"memory grown by {grown} kB")
        return int(worst > 3 or grown > 16_000)


if __name__ == "__main__":
    sys.exit(anyio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 200))
