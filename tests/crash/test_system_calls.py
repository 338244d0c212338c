"""Killed right before each system call that changes anything, then resumed (needs strace).

`strace` counts calls per thread; the n-th kill meets the first thread that comes to its n-th call.
Hooks are left alone: `-b execve` lets go of a process as soon as it becomes another program.
"""

import random
import re
import shutil
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.crashing import CrashProject, Reference
from tests.support.exploring import Share

CALLS = (
    *("write", "pwrite64", "ftruncate", "fallocate", "fsync", "fdatasync"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat"),
    *("mkdir", "mkdirat", "rmdir", "chmod", "fchmod"),
    *("clone", "clone3", "vfork", "fork"),
)

SAMPLE = 2
"""Points tried where not all are asked for."""

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace here"),
]


def strace(*words: str) -> list[str]:
    return ["strace", "-f", "-b", "execve", "-qq", "-e", "signal=none", *words]


@pytest.fixture(scope="session")
def points(tmp_path_factory: pytest.TempPathFactory, reference: Reference) -> Mapping[str, int]:
    """How often a run makes each call, in the thread that makes it most often."""
    project = CrashProject.write(tmp_path_factory.mktemp("counted"))
    trace = project.folder / "trace"
    code, printed = project.run(
        "run", "-q", before=strace("-o", str(trace), "-e", "trace=" + ",".join(CALLS))
    )
    if "ptrace" in printed:
        pytest.skip(f"strace may not trace here: {printed}")
    assert code == 0, printed
    found = re.findall(r"^(\d+) +(\w+)\(", trace.read_text(), re.MULTILINE)
    most: Counter[str] = Counter()
    for (_thread, call), times in Counter(found).items():
        most[call] = max(most[call], times)
    return most


def killed_before(folder: Path, call: str, number: int, reference: Reference) -> None:
    """Kill at the n-th call, go on, compare; a temporary file or a process that is left is told."""
    project = CrashProject.write(folder)
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    code, printed = project.run(
        "run", "-q", before=strace("-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
    )
    killed = code in {-signal.SIGKILL, 128 + signal.SIGKILL}
    assert killed or code == 0, printed
    code, printed = project.go_on()
    assert code == 0, printed
    project.must_be_like(reference.outcome, kills=1)
    shutil.rmtree(folder)


def test_killed_before_some(
    tmp_path: Path, points: Mapping[str, int], reference: Reference, dice: random.Random
) -> None:
    """A sample, which draws each kind of call as likely as the next."""
    calls = sorted(points)
    for _ in range(SAMPLE):
        call = dice.choice(calls)
        number = dice.randint(1, points[call])
        print(f"killed before {call} {number} of {points[call]}")  # noqa: T201  # shown on failure
        killed_before(tmp_path / f"{call}-{number}", call, number, reference)


@pytest.mark.long
@pytest.mark.parametrize("call", CALLS)
def test_killed_before_each(
    call: str, tmp_path: Path, points: Mapping[str, int], reference: Reference, share: Share
) -> None:
    for number in share.of(range(1, points.get(call, 0) + 1)):
        print(f"killed before {call} {number}")  # noqa: T201  # shown on failure
        killed_before(tmp_path / f"{call}-{number}", call, number, reference)
