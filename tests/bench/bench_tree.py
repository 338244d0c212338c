"""What a look at the files costs in 20,000 files, against `git status`, and without git.

`python -m tests.bench.bench_tree [FILES]` (20,000). Medians.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from agent_runner.ground.clock import SystemClock
from agent_runner.workspace.names import Scope
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.snapshots import SnapshotReader
from tests.bench.projects import SETTLING, fill, git
from tests.bench.rows import row

FILES = 20_000
ROUNDS = 9
BOUND = 2.5  # times `git status`
MOST_PROCESSES = 1


def main() -> int:
    """Measure; the exit code says whether the bounds hold."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "git")
        fill(root, count)
        plain = shutil.copytree(root, Path(folder, "plain"))
        git(root, "init", "-q")
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "b")
        time.sleep(SETTLING)
        git(root, "status")  # writes the index anew, younger than all files

        status = median(lambda: git(root, "status", "--porcelain"))
        with_git = SnapshotReader(Scope(root), ObjectStore(Path(folder, "state")), SystemClock())
        look = Measured(count, status)
        look.row("a first look", median(with_git.look, rounds=1))
        holds = [look.row("a look, unchanged", median(with_git.look), BOUND)]
        processes = git_processes(with_git.look, Path(folder, "bin"))
        what = f"git's processes of a look at {count:,} files"
        holds.append(row(what, processes, "processes", MOST_PROCESSES))
        change(root)
        look.row("a look, 100 files changed, 100 new", median(with_git.look, rounds=1))
        path = "package0/part0/file0.py"
        look.row("a look at one file of our own", median(lambda: with_git.look_at([path])))

        walking = SnapshotReader(Scope(plain), ObjectStore(Path(folder, "other")), SystemClock())
        look.row("a first look without git", median(walking.look, rounds=1))
        look.row("a look without git, unchanged", median(walking.look))
        return 0 if all(holds) else 1


@frozen
class Measured:
    """Rows of a look at so many files, against `git status` in seconds."""

    files: int
    status: float

    def row(self, what: str, seconds: float, bound: float | None = None) -> bool:
        """Add one; whether it is within its bound."""
        note = f"{seconds * 1e3:.0f} and {self.status * 1e3:.0f} ms"
        what = f"{what}, in {self.files:,} files"
        return row(what, seconds / self.status, "x git status", bound, note)


def git_processes(what: Callable[[], object], folder: Path) -> int:
    """How many git processes a call starts, counted by a script before the real git in PATH."""
    folder.mkdir()
    log, script = folder / "log", folder / "git"
    script.write_text(f'#!/bin/sh\necho >> "{log}"\nexec "{shutil.which("git")}" "$@"\n')
    script.chmod(0o755)
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{folder}{os.pathsep}{path}"
    try:
        what()
    finally:
        os.environ["PATH"] = path
    return log.stat().st_size


def change(root: Path) -> None:
    """A hundred files get other content, a hundred come."""
    for number in range(100):
        file = root / f"package{number // 1000}" / f"part{number // 100}" / f"file{number}.py"
        file.write_text("changed\n")
        (root / f"new{number}.py").write_text("new\n")


def median(what: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median seconds of a call."""
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        what()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


if __name__ == "__main__":
    sys.exit(main())
