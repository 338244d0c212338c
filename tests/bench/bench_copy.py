"""What it takes to give an agent's command 20,000 files to work on, and to see what it did.

`python -m tests.bench.bench_copy [FILES]` (20,000). Seconds, of the runner and the sandbox; the
command writes one file. On a disk that lasts: `BENCH_FOLDER`, else the folder of temporary files.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agent_runner.engine.calls.confining import Cell
from agent_runner.ground.clock import SystemClock
from agent_runner.hooks.confining import Confining
from agent_runner.model.settings import SandboxSettings
from agent_runner.model.task import Task
from agent_runner.providers.client import Outfit, Start
from agent_runner.sandbox.confinement import Tier
from agent_runner.sandbox.probe import probed
from agent_runner.sandbox.sandbox import Sandbox
from agent_runner.workspace.names import Scope
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.overlaid import Overlaid
from agent_runner.workspace.scratch import Scratch
from agent_runner.workspace.snapshots import SnapshotReader
from agent_runner.workspace.spare_copies import SpareCopies
from agent_runner.workspace.workshop import Workshop
from tests.bench.projects import fill, git
from tests.bench.rows import row

FILES = 20_000
BOUND = 1.0  # seconds beside the command's own start
SETTLING = 2.5  # seconds after which a file is no longer too new to be remembered


class Bench:
    """A project of so many files, and places to work on it."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.root = folder, folder / "project"
        fill(self.root, count)
        git(self.root, "init", "-q")
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "-m", "b")
        time.sleep(SETTLING)
        git(self.root, "status")  # writes the index anew, younger than all files
        store = ObjectStore(folder / "state")
        self.reader = SnapshotReader(Scope(self.root), store, SystemClock())
        self.reader.look()
        self.home = folder / "copies"
        self.spare = SpareCopies(self.home)

    def seconds(self, room: Scratch | Overlaid, sandbox: Sandbox | None) -> float:
        """One call of a command that writes one file, from its place to its change."""
        began = time.perf_counter()
        workshop = Workshop(room)
        with workshop:
            workshop.fill("T1:1")
            self._run(workshop, sandbox)
            assert workshop.changed() == ("new",)
        return time.perf_counter() - began

    def _run(self, workshop: Workshop, sandbox: Sandbox | None) -> None:
        words = ("/bin/sh", "-c", f"cd {shlex.quote(str(workshop.folder))} && echo x > new")
        if sandbox is not None:
            words = ("/bin/sh", "-c", "echo x > new")
        start = Start(words, workshop.folder, dict(os.environ), self.folder)
        if sandbox is not None:
            confining = Confining(
                lambda: sandbox, SandboxSettings(), self.folder / "home", (), lambda _: ()
            )
            task = Task("T1", "One", "Do it.", self.root)
            start = Cell(confining, Outfit(sandbox="auto"), task, workshop).start(start)
        subprocess.run(start.words, cwd=start.folder, env=dict(start.env), check=True)


def main() -> int:
    """Measure; the exit code says whether the bound holds where there are overlays."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as folder:
        bench, holds = Bench(Path(folder), count), True
        overlays = probed(Tier.BWRAP_OVERLAY, os.environ)
        if isinstance(overlays, Sandbox):
            seconds = min(
                bench.seconds(Overlaid(bench.home, "T1", bench.reader), overlays) for _ in range(3)
            )
            what = f"an agent's call on {count:,} files, over an overlay"
            holds = row(what, seconds, "s", BOUND)
        for which in ("the first of a run", "a further one"):
            copy = Scratch(bench.home, "T1", bench.reader, spare=bench.spare)
            row(
                f"an agent's call on {count:,} files, in a copy, {which}",
                bench.seconds(copy, None),
                "s",
            )
        began = time.perf_counter()
        bench.spare.close()
        row(f"to remove a copy of {count:,} files", time.perf_counter() - began, "s")
        return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
