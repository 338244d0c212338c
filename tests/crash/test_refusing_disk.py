"""A disk that refuses: the run stops with code 3 and says why; with room again it goes on."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_runner.model import events as e
from tests.support.crashing import ONE_TASK, CrashProject
from tests.support.exploring import Share

pytestmark = pytest.mark.crash

as_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="mounting needs root"
)
with_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace here")

ANSWERS = 2
"""Calls that the task takes."""


def mount(target: Path, options: str) -> None:
    target.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"tmpfs cannot be mounted here: {made.stderr}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on which a test mounts something; unmounted at the end."""
    folder = tmp_path / "small"
    yield folder
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def stops_and_goes_on(project: CrashProject, words: str, disk: Path, room: str) -> None:
    code, printed = project.run("run", "-q")
    assert code == 3, printed
    assert words in printed
    assert "Traceback" not in printed
    subprocess.run(["mount", "-o", f"remount,{room}", str(disk)], check=True)
    code, printed = project.go_on()
    assert code == 0, printed
    whole(project)


def whole(project: CrashProject, lost: int = 0) -> None:
    """Everything was done, no paid answer was thrown away, nothing is left over in the tree."""
    outcome = project.outcome()
    assert outcome.counts == {"T1": ("passed", 1, 0)}
    assert sum(outcome.calls.values()) == ANSWERS
    assert project.lost_calls() <= lost
    assert not list((project.root / "work").rglob(".*"))
    assert (project.root / "work/old.txt").read_text() == "new\nand more\n"


def full_at(kilobytes: int, tmp_path: Path, disk: Path) -> bool:
    """The state folder on a disk of that size; whether it was too small."""
    folder = tmp_path / f"of-{kilobytes}k"
    project = CrashProject.write(folder, files=ONE_TASK, state=disk / f"state-{kilobytes}")
    code, printed = project.run("run", "-q")
    if code == 0:
        return False
    assert code == 3, printed
    assert "the disk is full" in printed
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
    code, printed = project.go_on()
    assert code == 0, printed
    whole(project)
    return True


@as_root
@pytest.mark.parametrize("kilobytes", [pytest.param(8, marks=pytest.mark.long), 120, 160, 200])
def test_the_states_disk_is_full(kilobytes: int, tmp_path: Path, small_disk: Path) -> None:
    mount(small_disk, f"size={kilobytes}k")
    assert full_at(kilobytes, tmp_path, small_disk)


@as_root
@pytest.mark.long
def test_the_states_disk_is_full_at_every_size(
    tmp_path: Path, small_disk: Path, share: Share
) -> None:
    """In pages of 4 KiB, up to the size at which everything fits."""
    for kilobytes in share.of(range(4, 4000, 4)):
        mount(small_disk, f"size={kilobytes}k")
        was_full = full_at(kilobytes, tmp_path, small_disk)
        subprocess.run(["umount", str(small_disk)], check=True)
        if not was_full:
            assert kilobytes > 100
            return
    raise AssertionError("the state never fitted")


@as_root
def test_there_are_no_more_names_for_the_state(tmp_path: Path, small_disk: Path) -> None:
    mount(small_disk, "size=8m,nr_inodes=12")
    project = CrashProject.write(tmp_path, files=ONE_TASK, state=small_disk / "state")
    stops_and_goes_on(project, "the disk is full", small_disk, "nr_inodes=1000")


@as_root
@pytest.mark.parametrize("room", [pytest.param("nr_inodes=9", marks=pytest.mark.long), "size=60k"])
def test_the_projects_disk_is_full(
    room: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """While the files are written; then all are as before."""
    work = tmp_path / "project/work"
    mount(work, room)
    request.addfinalizer(lambda: subprocess.run(["umount", "-l", str(work)], check=False))
    big = ONE_TASK["replies/T1/2.md"] + "\nbig.txt\n```\n" + "big\n" * 20_000 + "```\n"
    files = {**ONE_TASK, "replies/T1/2.md": big}
    project = CrashProject.write(tmp_path, files=files)
    code, printed = project.run("run", "-q")
    assert code == 3, printed
    assert "the disk is full" in printed
    assert not (project.root / "work/src").exists()
    assert (project.root / "work/old.txt").read_text() == "old\nand more\n"
    for _ in range(4):  # not a crash, however often
        assert project.run("resume", "-q")[0] == 3
    subprocess.run(["mount", "-o", "remount,size=8m,nr_inodes=1000", str(work)], check=True)
    code, printed = project.go_on()
    assert code == 0, printed
    whole(project)


def test_a_file_size_limit(one_task: CrashProject) -> None:
    code, printed = one_task.run("run", "-q", before=["prlimit", "--fsize=4096"])
    assert code == 3, printed
    assert "the file size limit is reached" in printed
    assert one_task.go_on()[0] == 0
    whole(one_task)


@with_strace
@pytest.mark.parametrize(
    ("inject", "words"),
    [
        ("fdatasync:error=EIO:when=9", "input/output error"),
        pytest.param("fsync:error=EIO:when=3", "input/output error", marks=pytest.mark.long),
        ("write:error=ENOSPC:when=20", "the disk is full"),
        pytest.param("rename:error=EROFS:when=2", "read-only", marks=pytest.mark.long),
    ],
)
def test_one_call_fails(inject: str, words: str, one_task: CrashProject) -> None:
    failed_once(one_task, inject, words)
    assert one_task.go_on()[0] == 0
    whole(one_task, lost=inject.count("fdatasync"))  # it may have been the sync of a call's start


def failed_once(project: CrashProject, inject: str, words: str) -> None:
    call = inject.partition(":")[0]
    before = ["strace", "-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e", "signal=none"]
    code, printed = project.run(
        "run", "-q", before=[*before, "-e", f"trace={call}", "-e", f"inject={inject}"]
    )
    if "ptrace" in printed:
        pytest.skip(f"strace may not trace here: {printed}")
    assert code in {0, 3}, printed
    if code == 3:
        assert words in printed


@with_strace
@pytest.mark.long
@pytest.mark.parametrize(
    ("call", "error"),
    [
        *[("fdatasync", "EIO"), ("fsync", "EIO"), ("write", "ENOSPC"), ("rename", "EROFS")],
        *[("renameat", "EIO"), ("mkdir", "ENOSPC"), ("mkdirat", "ENOSPC"), ("fallocate", "ENOSPC")],
    ],
)
def test_each_call_fails_once(call: str, error: str, tmp_path: Path, share: Share) -> None:
    for number in share.of(range(1, 60)):
        project = CrashProject.write(tmp_path / f"{call}-{number}", files=ONE_TASK)
        failed_once(project, f"{call}:error={error}:when={number}", "")
        code, printed = project.go_on()
        assert code == 0, printed
        outcome = project.outcome()
        assert outcome.counts == {"T1": ("passed", 1, 0)}
        assert sum(outcome.calls.values()) == ANSWERS


def test_the_fact_of_the_stop_is_kept(tmp_path: Path, one_task: CrashProject) -> None:
    """A disk that refuses is no crash: the journal says why the run stopped, where it still can."""
    one_task.run("run", "-q", before=["prlimit", "--fsize=100000"])  # the reservation is larger
    stops = [x.event for x in one_task.entries() if isinstance(x.event, e.RunStopped)]
    assert [(stop.reason, stop.exit_code) for stop in stops] == [("storage", 3)]
