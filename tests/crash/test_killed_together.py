"""The runner, its threads, its git and its hooks killed together before each call that changes.

As when a container is removed or memory runs out. `test_system_calls.py` kills the runner alone.
"""

import functools
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.crashing import (
    BRANCHES,
    COMMITS,
    ROOT,
    CrashProject,
    Reference,
    branched_all,
    committed_all,
    committing,
)
from tests.support.exploring import Share
from tests.workspace.repos import Repo

SAMPLE = 2
"""Points tried where not all are asked for."""

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(
        (sys.platform, platform.machine()) != ("linux", "x86_64"),
        reason="system calls have other numbers here",
    ),
]


def killed_at(project: CrashProject, number: int) -> int:
    """Run, and kill all before that call; 0: kill nobody. How many calls were made."""
    if obstacle := obstacle_to_tracing():
        pytest.skip(f"nothing may be traced here: {obstacle}")
    counted = project.folder / "counted"
    code, printed = project.run("run", "-q", kill_at=(number, counted))
    assert code in {-signal.SIGKILL, 0}, printed
    assert code or not number or int(counted.read_text()) < number, printed
    return int(counted.read_text())


@functools.cache
def obstacle_to_tracing() -> str:
    """What stands in the way of it; "" where programs may be followed."""
    command = [sys.executable, "-m", "tests.support.kill_at", "0", os.devnull, "true"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stderr


def resumes(folder: Path, number: int, reference: Reference) -> None:
    project = CrashProject.write(folder)
    killed_at(project, number)
    code, printed = project.go_on()
    assert code == 0, printed
    project.must_be_like(reference.outcome, kills=1)
    shutil.rmtree(folder)


def resumes_and_commits(
    folder: Path,
    number: int,
    files: Mapping[str, str] = COMMITS,
    judge: Callable[[Repo], None] = committed_all,
) -> None:
    """Git reads all that it has, holds no lock, and has every commit in the end."""
    project, git = committing(folder, files)
    killed_at(project, number)
    git.git("fsck", "--no-dangling", "--no-progress")
    code, printed = project.go_on()
    assert code == 0, printed
    judge(git)
    assert project.lost_calls() <= 1
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def points(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many calls a run makes that change something."""
    return killed_at(CrashProject.write(tmp_path_factory.mktemp("counted")), 0)


@pytest.fixture(scope="session")
def committing_points(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The same with commits on, git's own among them."""
    project, _ = committing(tmp_path_factory.mktemp("counted"))
    return killed_at(project, 0)


def test_killed_together_before_some(
    tmp_path: Path, points: int, reference: Reference, dice: random.Random
) -> None:
    for _ in range(SAMPLE):
        number = dice.randint(1, points)
        print(f"all killed before call {number} of {points}")  # noqa: T201  # shown on failure
        resumes(tmp_path / str(number), number, reference)


def test_killed_together_before_some_with_commits(
    tmp_path: Path, committing_points: int, dice: random.Random
) -> None:
    for _ in range(SAMPLE):
        number = dice.randint(1, committing_points)
        print(f"all killed before call {number} of {committing_points}")  # noqa: T201  # shown
        resumes_and_commits(tmp_path / str(number), number)


@pytest.mark.long
def test_killed_together_before_each(
    tmp_path: Path, points: int, reference: Reference, share: Share
) -> None:
    for number in share.of(range(1, points + 1)):
        print(f"all killed before call {number} of {points}")  # noqa: T201  # shown on failure
        resumes(tmp_path / str(number), number, reference)


@pytest.mark.long
def test_killed_together_before_each_with_commits(
    tmp_path: Path, committing_points: int, share: Share
) -> None:
    for number in share.of(range(1, committing_points + 1)):
        print(f"all killed before call {number} of {committing_points}")  # noqa: T201  # shown
        resumes_and_commits(tmp_path / str(number), number)


@pytest.fixture(scope="session")
def branching_points(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The same with each commit on a branch of its own."""
    project, git = committing(tmp_path_factory.mktemp("counted"), BRANCHES)
    points = killed_at(project, 0)
    branched_all(git)
    return points


def test_killed_together_before_some_with_branches(
    tmp_path: Path, branching_points: int, dice: random.Random
) -> None:
    for _ in range(SAMPLE):
        number = dice.randint(1, branching_points)
        print(f"all killed before call {number} of {branching_points}")  # noqa: T201  # shown
        resumes_and_commits(tmp_path / str(number), number, BRANCHES, branched_all)


@pytest.mark.long
def test_killed_together_before_each_with_branches(
    tmp_path: Path, branching_points: int, share: Share
) -> None:
    for number in share.of(range(1, branching_points + 1)):
        print(f"all killed before call {number} of {branching_points}")  # noqa: T201  # shown
        resumes_and_commits(tmp_path / str(number), number, BRANCHES, branched_all)
