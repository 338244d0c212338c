"""The user edits files between a stop and the resume: kept, in the way only where they must be."""

import shutil
import signal
from pathlib import Path

import pytest

from tests.support.crashing import CrashProject, tree_of

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace here"),
]


@pytest.fixture
def halfway(one_task: CrashProject) -> CrashProject:
    """Killed when the first of T1's four files had been renamed."""
    project = one_task
    words = ["strace", "-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e", "trace=renameat"]
    inject = ["-e", "signal=none", "-e", "inject=renameat:signal=SIGKILL:when=2"]
    code, printed = project.run("run", before=[*words, *inject])
    if code == 0:
        pytest.skip("the calls have other names here")
    assert code in {-signal.SIGKILL, 128 + signal.SIGKILL}, printed
    assert (project.root / "work/src/alpha.txt").exists()
    assert (project.root / "work/old.txt").read_text().startswith("old")
    return project


def conflicted(project: CrashProject) -> Path:
    """The user changed a file that was planned to change: nothing is touched."""
    file = project.root / "work/old.txt"
    file.write_text("the user's own\n")
    before = tree_of(project.root, leave_out=project.state)
    code, printed = project.run("resume")
    assert code == 1, printed
    assert "old.txt" in printed
    assert project.states()["T1"] == "escalated"
    assert tree_of(project.root, leave_out=project.state) == before
    return file


def test_a_planned_file_put_back_is_retried(halfway: CrashProject) -> None:
    file = conflicted(halfway)
    file.write_text("old\nand more\n")
    code, printed = halfway.run("retry", "T1")
    assert code == 0, printed
    code, printed = halfway.run("resume")
    assert code == 0, printed
    assert file.read_text() == "new\nand more\n"
    assert not list((halfway.root / "work").rglob(".*"))
    assert halfway.outcome().counts == {"T1": ("passed", 1, 0)}
    assert sum(halfway.outcome().calls.values()) == 2  # the plan is written, nobody asked again


def test_a_retry_that_finds_the_edit_again_stops_again(halfway: CrashProject) -> None:
    file = conflicted(halfway)
    assert halfway.run("retry", "T1")[0] == 0
    code, printed = halfway.run("resume")
    assert code == 1, printed
    assert halfway.states()["T1"] == "escalated"
    assert file.read_text() == "the user's own\n"


def test_what_the_user_did_can_be_checked(halfway: CrashProject) -> None:
    file = conflicted(halfway)
    file.write_text("new\nin the user's own words\n")
    for name in ("alpha", "deep/er/beta", "epsilon"):
        path = halfway.root / f"work/src/{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.stem}\none\n")
    assert halfway.run("check", "T1")[0] == 0
    code, printed = halfway.run("resume")
    assert code == 0, printed
    assert file.read_text() == "new\nin the user's own words\n"
    assert not list((halfway.root / "work").rglob(".*"))  # no temporary file


def test_a_skip_leaves_the_users_file(halfway: CrashProject) -> None:
    file = conflicted(halfway)
    assert halfway.run("skip", "T1")[0] == 0
    assert file.read_text() == "the user's own\n"
    assert not list((halfway.root / "work").rglob(".*"))


def test_edits_elsewhere_are_no_matter(halfway: CrashProject) -> None:
    mine = halfway.root / "work/mine.txt"
    mine.write_text("mine\n")
    (halfway.root / "work/src/alpha.txt").chmod(0o600)  # a planned file's mode is the user's too
    code, printed = halfway.run("resume")
    assert code == 0, printed
    assert mine.read_text() == "mine\n"
    assert (halfway.root / "work/old.txt").read_text() == "new\nand more\n"
    assert "Conflicted" not in {event for _, event, _ in halfway.outcome().moves}
