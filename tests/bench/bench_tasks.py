"""What a task costs: processes, syncs, time against a plain loop, and in large repositories.

`python -m tests.bench.bench_tasks [FILES ...]` (20,000 and 50,000). Counts do not depend on the
machine; times are the least of several tries taken in turn, and ratios of these.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from time import perf_counter

from tests.bench.projects import Project, each, environment, processor_seconds
from tests.bench.rows import row
from tests.support.processes import programs_started

SIZES = (20_000, 50_000)
TRIES = 5
FEW, MANY = 2, 22

BOUNDS = {"processes": 9, "processes without git": 3, "syncs": 12, "loop": 1.5}
AT_SIZE = {20_000: 4.0}  # x git status
FIRST_PROMPT = {50_000: 7.0}
"""x git status: half a second, where that takes 70 ms as on two quiet cores."""


def main() -> int:
    """Measure; the exit code says whether the bounds hold."""
    sizes = [int(arg) for arg in sys.argv[1:]] or list(SIZES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        holds = [*counts(folder), loop(folder)]
        for files in sizes:
            holds += large(folder, files)
    return 0 if all(holds) else 1


def counts(folder: Path) -> list[bool]:
    """Processes of a run with one task, and syncs of one more."""
    in_git = Project(folder / "counted")
    plain = Project(folder / "plain", in_git=False)
    holds = []
    for what, project, bound in (
        ("processes of one task in git", in_git, BOUNDS["processes"]),
        ("processes of one task without git", plain, BOUNDS["processes without git"]),
    ):
        (notes := folder / f"notes {project.root.name}").mkdir()
        env = environment(folder)
        found = programs_started(project.command(1), project.root, env, notes)
        note = f"{found.count('true')} of them hooks"
        holds.append(row(what, len(found), "processes", bound, note))
    if (few := syncs(in_git, 1)) is None:
        print("strace is not there, or not allowed: syncs are not counted")
        return holds
    many = syncs(in_git, 11) or 0
    holds.append(row("syncs of a task", (many - few) / 10, "fsync and fdatasync", BOUNDS["syncs"]))
    return holds


def syncs(project: Project, tasks: int) -> int | None:
    """How often a run syncs; None if that cannot be seen."""
    log = project.root.parent / "syncs"
    strace = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", str(log)]
    command, env = [*strace, *project.command(tasks)], environment(project.root.parent)
    try:
        subprocess.run(command, cwd=project.root, env=env, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return len(re.findall(r"^\d+ +f(?:data)?sync\(", log.read_text(), re.MULTILINE))


def loop(folder: Path) -> bool:
    """A task against a plain loop that does what cannot be left out."""
    project = Project(folder / "timed")
    ours: dict[int, float] = {}
    theirs: dict[int, float] = {}
    work: dict[int, float] = {}
    for tasks in (FEW, MANY) * TRIES:
        began = processor_seconds()
        ours[tasks] = min(ours.get(tasks, 1e9), project.seconds(tasks))
        work[tasks] = min(work.get(tasks, 1e9), processor_seconds() - began)
        theirs[tasks] = min(theirs.get(tasks, 1e9), plain_loop(project.root, tasks))
    note = (
        f"{each(ours) * 1e3:.0f} ms a task, {each(work) * 1e3:.0f} of them work of the processor,"
        f" {each(theirs) * 1e3:.0f} ms a round of the loop"
    )
    return row("time of a task", each(ours) / each(theirs), "x a plain loop", BOUNDS["loop"], note)


def plain_loop(root: Path, rounds: int) -> float:
    """Seconds of 3 hooks, 2 `git status`, 7 durable appends and 3 durable files a round."""
    began = perf_counter()
    with tempfile.TemporaryDirectory(dir=root.parent) as name:
        journal = os.open(f"{name}/journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for number in range(rounds):
            for command in (["true"],) * 3 + (["git", "status", "--porcelain"],) * 2:
                subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)
            for _ in range(7):
                os.write(journal, b"x" * 200)
                os.fdatasync(journal)
            for kept in range(3):
                durable_file(Path(name, f"{number}-{kept}"))
        os.close(journal)
    return perf_counter() - began


def durable_file(path: Path) -> None:
    """A kilobyte under its name: temporary file, sync, rename, sync of the folder."""
    with path.with_suffix(".new").open("wb") as file:
        file.write(b"x" * 1024)
        file.flush()
        os.fsync(file.fileno())
    path.with_suffix(".new").rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def large(folder: Path, files: int) -> list[bool]:
    """A further task, and the way to the first prompt, in a repository of so many files.

    The first in processor time: what else a machine does changes it least.
    """
    project = Project(folder / str(files), files=files)
    ours: dict[int, float] = {}
    status = status_wall = first = 1e9
    for _ in range(3):
        for tasks in (2, 12):
            began = processor_seconds()
            project.seconds(tasks)
            ours[tasks] = min(ours.get(tasks, 1e9), processor_seconds() - began)
            first = min(first, until_first_call(project.state))
            began, at = processor_seconds(), perf_counter()
            command = ["git", "status", "--porcelain"]
            subprocess.run(command, cwd=project.root, check=True, stdout=subprocess.DEVNULL)
            status = min(status, processor_seconds() - began)
            status_wall = min(status_wall, perf_counter() - at)
    note = f"{each(ours) * 1e3:.0f} and {status * 1e3:.0f} ms of processor time"
    what, bound = f"a task in {files:,} files", AT_SIZE.get(files)
    prompt = f"from a run's start to its first call in {files:,} files"
    times = f"{first:.2f} and {status_wall:.2f} s"
    return [
        row(what, each(ours) / status, "x git status", bound, note),
        row(prompt, first / status_wall, "x git status", FIRST_PROMPT.get(files), times),
    ]


def until_first_call(state: Path) -> float:
    """Seconds from a run's start, the program being loaded, to its first call."""
    at: dict[str, float] = {}
    for line in (state / "journal.jsonl").read_text().splitlines():
        entry = json.loads(line)
        at.setdefault(entry["kind"], datetime.fromisoformat(entry["at"]).timestamp())
    return at["CallStarted"] - at["RunStarted"]


if __name__ == "__main__":
    sys.exit(main())
