"""The demo, killed as anybody might: what is left is finished by `resume` in its folder."""

import random
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.crashing import CrashProject, tree_of

pytestmark = pytest.mark.crash


def demo(folder: Path) -> CrashProject:
    """The folder in which the demo is made: its project has the name of ours."""
    (folder / "home").mkdir(parents=True)
    return CrashProject(folder, folder / "project" / ".agent-runner")


def start(project: CrashProject) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        project.command("demo", "project", "-q"),
        cwd=project.folder,
        env=project.env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def tree(project: CrashProject) -> Mapping[str, tuple[int, bytes]]:
    """What the demo wrote; what its tests cache is their own business."""
    return {
        name: content
        for name, content in tree_of(project.root, leave_out=project.state).items()
        if "cache" not in name
    }


@pytest.mark.long
def test_killed_and_stopped(tmp_path: Path, dice: random.Random) -> None:
    """Once whole, once killed, once told to stop."""
    whole = demo(tmp_path / "whole")
    child = start(whole)
    printed, _ = child.communicate()
    assert child.returncode == 0, printed
    moves = whole.outcome().moves
    for number in (signal.SIGKILL, signal.SIGINT):
        project = demo(tmp_path / number.name)
        child = start(project)
        wanted = dice.randrange(2, len(moves))
        while child.poll() is None and sum(e.to is not None for e in project.entries()) < wanted:
            pass
        child.send_signal(number)
        printed, _ = child.communicate()
        assert child.returncode in {-signal.SIGKILL, 130, 0}, printed
        code, printed = project.go_on()
        assert code == 0, printed
        assert project.outcome().moves == moves
        assert tree(project) == tree(whole)
