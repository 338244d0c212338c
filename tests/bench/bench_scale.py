"""Time and memory per task of whole runs, from 100 to 10,000 tasks: both must stay flat.

Ratios are against the same run's smallest list. `python -m tests.bench.bench_scale [N ...]`
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from tests.bench.rows import row

SIZES = (100, 1_000, 10_000)
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
    """Seconds and peak MB of `run --quiet` over that many tasks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "project")
        project(folder, tasks)
        command = [sys.executable, "-m", "agent_runner", "run", "--quiet", "tasks.json"]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        began = perf_counter()
        with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL) as child:
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"the run of {tasks} tasks ended with {child.returncode}")
        return perf_counter() - began, used.ru_maxrss / 1024


def main() -> None:
    """Print a line per size."""
    sizes = [int(arg) for arg in sys.argv[1:]] or list(SIZES)
    first = memory = 0.0
    for tasks in sizes:
        seconds, megabytes = run(tasks)
        each = 1000 * seconds / tasks
        first = first or each
        memory = memory or megabytes
        note = f"{each:.1f} ms a task"
        against = f"x a list of {sizes[0]:,}"
        row(f"time of a task in a list of {tasks:,}", each / first, against, MOST_TIME, note)
        note = f"{megabytes:.0f} MB"
        row(f"memory of {tasks:,} tasks", megabytes / memory, against, MOST_MEMORY, note)


if __name__ == "__main__":
    main()
