"""Recovery from a journal of a million records, and an append against its floor.

`python -m tests.bench.bench_journal [RECORDS]`
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from agent_runner.model import events as e
from agent_runner.model.states import TaskState
from agent_runner.store.store import Store
from tests.bench.rows import row
from tests.support.clocks import FakeClock

RECORDS = 1_000_000
TASKS = 1_000
MOST_WITH_SNAPSHOT, MOST_APPEND = 0.1, 2


def fill(folder: Path, records: int) -> None:
    """A journal of that many records over a thousand tasks, without a snapshot."""
    store = open_store(folder)
    store.append("", e.RunStarted("r", 1, "0", "tasks.yml"))
    moves = (
        (e.Started("d"), TaskState.PRE_HOOKS),
        (e.PreHooksPassed(), TaskState.AGENT),
        (e.Replied("c"), TaskState.APPLY),
        (e.Applied(("a.py",), "t"), TaskState.POST_HOOKS),
        (e.PostHooksPassed((e.Judged("h", 0, 0.1),)), TaskState.PASSED),
        (e.Reset(), TaskState.PENDING),
    )
    for number in range(records - 1):
        event, to = moves[number // TASKS % len(moves)]
        store.append(f"T{number % TASKS}", event, to)
    store.abandon()


def open_store(folder: Path) -> Store:
    """The store of that folder."""
    clock = FakeClock()
    return Store.open(folder / "state", project=folder, list_id="tasks.yml", clock=clock)


def recover(folder: Path) -> tuple[float, float]:
    """Seconds to fold what is there, and the peak MB of a process that does nothing else."""
    code = (
        "import sys, resource, time\n"
        "from pathlib import Path\n"
        "from agent_runner.store.store import read_state\n"
        "began = time.perf_counter()\n"
        "read_state(Path(sys.argv[1]))\n"
        "print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", code, str(folder / "state")]
    told = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    seconds, kilobytes = told.stdout.split()
    return float(seconds), float(kilobytes) / 1024


def appends(folder: Path, count: int = 300) -> float:
    """How many times an append with its sync takes longer than a bare write and fdatasync."""
    store = open_store(folder)
    bare = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    ours, floor = [], []
    for _ in range(count):
        began = perf_counter()
        store.append("T1", e.PreHooksPassed(), TaskState.AGENT)
        store.sync()
        ours.append(perf_counter() - began)
        began = perf_counter()
        os.write(bare, b"x" * 200)
        getattr(os, "fdatasync", os.fsync)(bare)
        floor.append(perf_counter() - began)
    os.close(bare)
    store.abandon()
    return median(ours) / median(floor)


def main() -> int:
    """Measure; the exit code says whether the bounds hold."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, records)
        size = (folder / "state/journal.jsonl").stat().st_size / 1e6
        seconds, megabytes = recover(folder)
        note = f"{size:.0f} MB; {megabytes:.0f} MB of memory"
        row(f"reading a journal of {records:,} records", seconds, "s", None, note)
        open_store(folder).close()  # writes the snapshot
        again, megabytes = recover(folder)
        what, note = "the same with its snapshot", f"{megabytes:.0f} MB of memory"
        holds = [row(what, again / seconds, "x without", MOST_WITH_SNAPSHOT, note)]
        ratio = appends(folder)
        holds.append(row("an append with its sync", ratio, "x write and fdatasync", MOST_APPEND))
    return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(main())
