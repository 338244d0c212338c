"""The power goes: an ext4 of its own is shut down without flushing, so all unsynced is lost.

Needs root, loop devices and mkfs.ext4.
"""

import fcntl
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define

from tests.crash.test_conversations import FILES as CONVERSATION, SETTINGS, TURNS, ran, speaker
from tests.e2e.wire import KEY, settings
from tests.providers.server import serving
from tests.support.crashing import (
    CrashProject,
    Reference,
    committed_all,
    committing,
    processes_of,
)
from tests.support.vendors.server import StrictServer

SHUTDOWN = 0x8004587D
"""`ioctl(EXT4_IOC_SHUTDOWN)`; 2: nothing is flushed, not even the file system's own journal."""

GONE = 30.0
"""Seconds in which every hook finds out that its disk is gone."""

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("mkfs.ext4") is None or shutil.which("losetup") is None,
        reason="a file system of its own needs root",
    ),
]


@define
class Machine:
    """A disk in a file, mounted on `disk` while the power is on."""

    image: Path
    disk: Path

    def power_on(self) -> None:
        """Mount it."""
        self._run("mount", "-o", "loop,commit=300", str(self.image), str(self.disk))

    def cut(self) -> None:
        """Lose everything that was not synced."""
        descriptor = os.open(self.disk, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", 2))
        finally:
            os.close(descriptor)

    def power_off(self) -> None:
        """Unmount; whoever was at work there must be gone."""
        begun = time.monotonic()
        while processes_of(self.disk) and time.monotonic() - begun < GONE:
            os.sched_yield()
        self._run("umount", str(self.disk))
        # On a busy machine the kernel lets go of it later; a mount would bring the dead one back.
        while self._held() and time.monotonic() - begun < GONE:
            os.sched_yield()

    def cut_run(self, project: CrashProject, seconds: float) -> None:
        """Begin a run on what is synced, and lose the power in the middle of it; on again."""
        subprocess.run(["sync", "-f", str(self.disk)], check=True)
        child = project.start("run")
        try:
            child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGSTOP)
        self.cut()
        child.kill()
        child.communicate()
        self.power_off()
        self.power_on()

    def off(self) -> None:
        """Unmount, whatever state it is in."""
        subprocess.run(["umount", "-l", str(self.disk)], capture_output=True, check=False)

    def _held(self) -> bool:
        words = ["losetup", "-j", str(self.image)]
        return bool(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

    @staticmethod
    def _run(*words: str) -> None:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no such file system can be used here: {done.stderr.strip()}")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A fresh disk of 32 MB with the power on."""
    machine = Machine(tmp_path / "image", tmp_path / "disk")
    machine.disk.mkdir()
    machine.image.touch()
    os.truncate(machine.image, 32 << 20)
    machine._run("mkfs.ext4", "-q", "-F", str(machine.image))
    machine.power_on()
    yield machine
    machine.off()


def cut_and_resumed(machine: Machine, reference: Reference, moment: float) -> None:
    """Kill at that part of a run, cut the power, go on; the files, but no log, are as they were.

    What the hooks had written themselves is theirs to sync: only the end is compared.
    """
    project = CrashProject.write(machine.disk)
    machine.cut_run(project, moment * reference.seconds)
    code, printed = project.go_on()
    assert code == 0, printed
    outcome = project.outcome()
    assert outcome.tree == reference.outcome.tree
    assert outcome.counts == reference.outcome.counts
    assert outcome.moves == reference.outcome.moves
    assert outcome.calls == reference.outcome.calls
    assert project.lost_calls() <= 1


def test_the_power_goes(machine: Machine, reference: Reference, dice: random.Random) -> None:
    cut_and_resumed(machine, reference, dice.uniform(0.2, 1.0))


@pytest.mark.long
@pytest.mark.parametrize("number", range(30))
def test_the_power_goes_at_many_moments(
    number: int, machine: Machine, reference: Reference
) -> None:
    cut_and_resumed(machine, reference, (number + 0.5) / 30)


def conversation_cut_and_resumed(machine: Machine, folder: Path, part: float) -> None:
    """What is asked after it is what would have been asked, and only a lost call is paid twice.

    `part`: how much of the time passes before the cut that an undisturbed run takes.
    """
    begun = time.monotonic()
    _, whole, _ = ran(folder / "whole", "chat", 0)
    seconds = time.monotonic() - begun
    strict = StrictServer(speaker)
    with serving(strict) as server:
        config = json.dumps(settings(server.url, protocol="chat", **SETTINGS))
        files = {**CONVERSATION, "agent-runner.yml": config}
        project = CrashProject.write(machine.disk, files=files, env={"THE_KEY": KEY})
        machine.cut_run(project, part * seconds)
        code, printed = project.go_on()
    assert code == 0, (strict.refused, printed)
    assert strict.refused == []
    asked = bodies(strict)
    assert list(dict.fromkeys(asked)) == bodies(whole)
    assert len(asked) - len(TURNS) <= project.lost_calls() <= 1
    assert (project.root / "work/a.py").read_text() == "alpha = 3\n"


def bodies(strict: StrictServer) -> list[str]:
    """What was asked, but for the log of a hook: it is not synced, and may be lost."""
    asked = (json.dumps(charge.body) for charge in strict.charges)
    return [re.sub(r'"(hook_output: the )?output of [^"]*"', "", body) for body in asked]


def test_the_power_goes_in_a_conversation(
    machine: Machine, tmp_path: Path, dice: random.Random
) -> None:
    conversation_cut_and_resumed(machine, tmp_path, dice.uniform(0.2, 1.0))


@pytest.mark.long
@pytest.mark.parametrize("number", range(30))
def test_the_power_goes_at_many_moments_of_a_conversation(
    number: int, machine: Machine, tmp_path: Path
) -> None:
    conversation_cut_and_resumed(machine, tmp_path, (number + 0.5) / 30)


def commits_cut_and_resumed(machine: Machine, moment: float) -> None:
    """The same with commits on: git reads all that it has, and in the end has every commit."""
    project, git = committing(machine.disk)
    machine.cut_run(project, moment)
    git.git("fsck", "--no-dangling", "--no-progress")
    git.git("status")
    code, printed = project.go_on()
    assert code == 0, printed
    committed_all(git)


def test_the_power_goes_while_git_commits(machine: Machine, reference: Reference) -> None:
    commits_cut_and_resumed(machine, 4 * reference.seconds)  # right after the end


@pytest.mark.long
@pytest.mark.parametrize("number", range(30))
def test_the_power_goes_at_many_moments_while_git_commits(
    number: int, machine: Machine, reference: Reference
) -> None:
    commits_cut_and_resumed(machine, 1.5 * reference.seconds * (number + 0.5) / 30)
