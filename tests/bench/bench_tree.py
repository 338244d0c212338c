"""What a look at the files costs in 20,000 files, against `git status`, and without git.

Run it with `python tests/bench/bench_tree.py [files]`. It prints medians, ratios and how many git
processes were started, and fails if a look at an unchanged tree is dearer than the bounds.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agent_runner.ground.clock import SystemClock
from agent_runner.workspace.names import Scope
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.snapshots import SnapshotReader
from tests.bench.projects import fill, git
from tests.bench.rows import row

FILES = 20_000
ROUNDS = 9
BOUND = 2.5  # times `git status`
MOST_PROCESSES = 2  # one lists files; in so many another one says which may have changed
SETTLING = 2.5  # seconds after which a file is no longer too new to be remembered


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
        print(f"{count} files, git status: {status * 1e3:.0f} ms")
        with_git = SnapshotReader(Scope(root), ObjectStore(Path(folder, "state")), SystemClock())
        tell("with git, first look", median(with_git.look, rounds=1), status)
        again = median(with_git.look)
        tell("with git, unchanged", again, status)
        processes = git_processes(with_git.look, Path(folder, "bin"))
        print(f"with git, unchanged: {processes} git process")
        change(root)
        tell("with git, 100 changed, 100 new", median(with_git.look, rounds=1), status)
        path = "package0/part0/file0.py"
        tell("with git, one path of our own", median(lambda: with_git.look_at([path])), status)

        walking = SnapshotReader(Scope(plain), ObjectStore(Path(folder, "other")), SystemClock())
        tell("without git, first look", median(walking.look, rounds=1), status)
        tell("without git, unchanged", median(walking.look), status)
        what = f"a look at {count:,} unchanged files"
        holds = row(what, again / status, "x git status", BOUND)
        return 0 if holds and processes <= MOST_PROCESSES else 1


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


def tell(what: str, seconds: float, status: float) -> None:
    """One line."""
    print(f"{what}: {seconds * 1e3:.0f} ms, {seconds / status:.1f} x git status")


if __name__ == "__main__":
    sys.exit(main())
