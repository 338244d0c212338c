"""Processor time per task, and memory, of whole runs with 100 to 10,000 tasks: both must stay flat.

Ratios are against the smallest list; what a run of one task costs, mostly the start, is subtracted
first, or it would flatter long lists. `python -m tests.bench.bench_scale [N ...]`
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.rows import row

SIZES = (100, 1_000, 10_000)
MANY, TRIES = 1_000, 3
MOST_TIME, MOST_MEMORY = 1.05, 2.0

_CONFIG = """provider: replay
ledger: false
baseline: never
providers: {replay: {replies: ../replies}}
hooks: {noop: {command: ["true"]}}
defaults: {pre_hooks: [noop], post_hooks: [noop]}
"""


def project(folder: Path, tasks: int) -> None:
    """A list of that many tasks, each answered by a reply that changes the same small file.

    The replies lie outside, or each look at the project's files would go through all of them.
    """
    folder.mkdir()
    (folder / "value.txt").write_text("value\n")
    rows = [f'  {{"id": "T{n}", "title": "Task {n}", "description": "x"}}' for n in range(tasks)]
    (folder / "tasks.json").write_text("[\n" + ",\n".join(rows) + "\n]\n")
    (folder / "agent-runner.yml").write_text(_CONFIG)
    for n in range(tasks):
        reply = folder.parent / f"replies/T{n}/1.md"
        reply.parent.mkdir(parents=True)
        reply.write_text(f"value.txt\n```\nvalue {n}\n```\n")


def run(tasks: int) -> tuple[float, float]:
    """Seconds of processor time, hooks included, and peak MB of `run --quiet` over so many tasks.

    What else a machine does changes them least.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "project")
        project(folder, tasks)
        command = [sys.executable, "-m", "agent_runner", "run", "--quiet", "tasks.json"]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL) as child:
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"the run of {tasks} tasks ended with {child.returncode}")
        return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def least(tasks: int) -> tuple[float, float]:
    """The same, the least of several runs where they are short."""
    tries = TRIES if tasks < MANY else 1
    runs = [run(tasks) for _ in range(tries)]
    return min(seconds for seconds, _ in runs), min(megabytes for _, megabytes in runs)


def main() -> int:
    """Measure; the exit code says whether the bounds hold."""
    sizes = [int(arg) for arg in sys.argv[1:]] or list(SIZES)
    start, _ = least(1)
    holds = []
    for tasks in sizes[1:]:
        # a long run meets another load than a short one before it: so one is after it, too
        before, memory = least(sizes[0])
        seconds, megabytes = least(tasks)
        after, _ = least(sizes[0])
        few = ((before + after) / 2 - start) / (sizes[0] - 1)
        each = (seconds - start) / (tasks - 1)
        against = f"x a list of {sizes[0]:,}"
        note = f"{each * 1e3:.1f} ms of processor time, {1e3 * seconds / tasks:.1f} with the start"
        what = f"a task in a list of {tasks:,}"
        holds.append(row(what, each / few, against, MOST_TIME, note))
        what, note = f"memory of a run of {tasks:,} tasks", f"{megabytes:.0f} MB"
        holds.append(row(what, megabytes / memory, against, MOST_MEMORY, note))
    return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(main())
