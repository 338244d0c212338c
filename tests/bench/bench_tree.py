"""What the tree's state costs in 20,000 files, against `git status`, and without git.

Run it with `python tests/bench/bench_tree.py [files]`. It prints medians and ratios, and fails if
an unchanged tree takes more than five times what `git status` takes.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agent_runner.ground.clock import SystemClock
from agent_runner.workspace.tree import TreeReader

FILES = 20_000
ROUNDS = 9
BOUND = 5.0
LONG_AGO = 10**18  # nanoseconds: older than the index, so that git need not look twice
SETTLING = 2.5  # seconds after which a new file's hash is remembered


def main() -> int:
    """Measure; the exit code says whether the bound holds."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "git")
        fill(root, count)
        plain = shutil.copytree(root, Path(folder, "plain"))
        git(root, "init", "-q")
        git(root, "add", "-A")
        git(root, "-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-q", "-m", "b")

        status = median(lambda: git(root, "status", "--porcelain"))
        print(f"{count} files, git status: {status * 1e3:.0f} ms")
        with_git = TreeReader(root, SystemClock())
        first = median(lambda: TreeReader(root, SystemClock()).read())
        again = median(with_git.read)
        tell("with git, first look", first, status)
        tell("with git, unchanged", again, status)
        change(root)
        tell("with git, 100 changed, 100 new", median(with_git.read), status)

        walking = TreeReader(plain, SystemClock())
        tell("without git, first look", median(walking.read, rounds=1), status)
        time.sleep(SETTLING)
        walking.read()
        tell("without git, unchanged", median(walking.read), status)
        return 0 if again <= BOUND * status else 1


def fill(root: Path, count: int) -> None:
    """Files of about 3 KB in folders of a hundred."""
    for number in range(count):
        file = root / f"package{number // 1000}" / f"part{number // 100}" / f"file{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"value = {number}\n" * 200)
        os.utime(file, ns=(LONG_AGO, LONG_AGO))


def change(root: Path) -> None:
    """A hundred files get other content, a hundred come."""
    for number in range(100):
        file = root / f"package{number // 1000}" / f"part{number // 100}" / f"file{number}.py"
        file.write_text("changed\n")
        (root / f"new{number}.py").write_text("new\n")


def git(root: Path, *args: str) -> None:
    """Call git in `root`."""
    subprocess.run(["git", *args], cwd=root, check=True, capture_output=True)


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
