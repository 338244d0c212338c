"""What hooks, other runs and rights do to a run: said in time, with the right exit code."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from agent_runner.model import events as e
from tests.support.crashing import ONE_TASK, CrashProject, processes_of

pytestmark = pytest.mark.crash

WAIT = 60.0
"""Seconds after which something that should have happened is given up on."""


def written(folder: Path, hook: str, **files: str) -> CrashProject:
    """The one-task project with another hook `first`."""
    config = ONE_TASK["agent-runner.yml"].replace("sh tools/hook first", hook)
    return CrashProject.write(folder, files={**ONE_TASK, "agent-runner.yml": config, **files})


def until(path: Path) -> None:
    """Wait for another process to make this file."""
    begun = time.monotonic()
    while not path.exists():
        assert time.monotonic() - begun < WAIT, f"{path} was not made"
        os.sched_yield()


def killed_in_hook(project: CrashProject) -> None:
    """Kill the runner alone while its hook, which says `running`, goes on."""
    child = project.start("run")
    until(project.folder / "running")
    child.kill()
    child.communicate()
    (project.folder / "running").unlink()


@pytest.mark.parametrize(
    "hook", ["rm -rf ../.agent-runner", "git -C .. clean -q -fdx -e replies -e '*.yml' -e work"]
)
def test_a_hook_removes_the_state(hook: str, tmp_path: Path) -> None:
    project = written(tmp_path, f'"{hook}; exit 1"')
    if hook.startswith("git"):
        subprocess.run(["git", "init", "-q", "."], cwd=project.root, check=True)
    code, printed = project.run("run")
    assert code == 3, printed
    assert "was removed or replaced during the run" in printed
    assert "next: " in printed
    assert "Traceback" not in printed


@pytest.mark.long
def test_git_clean_without_x_leaves_the_state(tmp_path: Path) -> None:
    project = written(tmp_path, "git clean -q -fd -e src -e tools; sh tools/hook first")
    subprocess.run(["git", "init", "-q", "."], cwd=project.root, check=True)
    subprocess.run(["git", "add", "."], cwd=project.root, check=True)
    code, printed = project.run("run")
    assert code == 0, printed


def test_two_runs_at_once(tmp_path: Path) -> None:
    project = written(
        tmp_path, '"touch ../../running; while [ ! -e ../../go ]; do sleep 0.05; done"'
    )
    first = project.start("run")
    until(tmp_path / "running")
    code, printed = project.run("run")
    assert code == 3, printed
    assert f"process {first.pid}, since 20" in printed
    code, printed = project.run("run", "--state-dir", "another")
    assert code == 3, printed
    assert "with its own state folder, is using" in printed
    code, printed = project.run("status")
    assert code == 0, printed
    (tmp_path / "go").touch()
    first.communicate()
    assert first.returncode == 0


def test_survivors_of_a_killed_run_end_before_the_hook_runs_again(tmp_path: Path) -> None:
    """The hook and its grandchild outlive a `kill -9` of the runner, but not the next run."""
    hook = (
        '"echo $$ >> ../../pids; sleep 600 & echo $! >> ../../pids; touch ../../running;'
        ' [ -e ../../go ] || wait"'
    )
    project = written(tmp_path, hook)
    killed_in_hook(project)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    (tmp_path / "go").touch()
    code, printed = project.run("resume")
    assert code == 0, printed
    assert "was still running (2 processes); ended" in printed
    assert processes_of(tmp_path) == []


def test_a_task_that_always_kills_the_runner_is_escalated(tmp_path: Path) -> None:
    project = written(tmp_path, '"sleep 0.2; kill -9 $PPID; sleep 60"')
    assert project.run("run")[0] == -signal.SIGKILL
    assert project.run("resume")[0] == -signal.SIGKILL
    assert project.run("resume")[0] == -signal.SIGKILL
    code, printed = project.run("resume")
    assert code == 1, printed
    assert "stopped uncleanly 3 times" in printed
    assert project.states() == {"T1": "escalated"}
    assert processes_of(tmp_path) == []


def test_finished_hooks_are_not_run_again(tmp_path: Path) -> None:
    """Two hooks, killed in the second: the first one's result stands."""
    files = {
        "agent-runner.yml": ONE_TASK["agent-runner.yml"].replace(
            "sh tools/hook second",
            '"[ -e ../../go ] || { touch ../../running; sleep 600; }"',
        ),
        "tasks.yml": ONE_TASK["tasks.yml"].replace(
            "pre_hooks: [ready], post_hooks: [first]", "pre_hooks: [ready, second], post_hooks: []"
        ),
    }
    project = CrashProject.write(tmp_path, files={**ONE_TASK, **files})
    killed_in_hook(project)
    (tmp_path / "go").touch()
    code, printed = project.run("resume")
    assert code == 0, printed
    assert project.hook_lines() == ["ready T1 0 begun", "ready T1 0 ended"]


SLOW = "[ -e ../../go ] || { touch ../../running; sleep 600; }\n"


def commanding(folder: Path, slow: str, edits: str) -> CrashProject:
    """The reply makes these edits and proposes a command, whose script is `slow`."""
    config = ONE_TASK["agent-runner.yml"].replace(
        "apply: {", "apply: {commands: allow, allow: [sh tools/slow], "
    )
    reply = f"{edits}\n```sh run\nsh tools/slow\n```\n"
    files = {"agent-runner.yml": config, "replies/T1/2.md": reply, "work/tools/slow": slow}
    return CrashProject.write(folder, files={**ONE_TASK, **files})


def test_an_interrupted_command_is_for_a_person(tmp_path: Path) -> None:
    project = commanding(tmp_path, SLOW, ONE_TASK["replies/T1/2.md"])
    killed_in_hook(project)
    code, printed = project.run("resume")
    assert code == 1, printed
    assert project.states() == {"T1": "escalated"}
    assert "the runner stopped while it ran" in printed
    (tmp_path / "go").touch()
    assert project.run("retry", "T1")[0] == 0
    code, printed = project.run("resume")
    assert code == 0, printed
    assert processes_of(tmp_path) == []


GONE = "".join(
    f"```diff\n--- a/{name}.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-{name}\n```\n" for name in "abc"
)


@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace here")
@pytest.mark.parametrize("number", [2, *(pytest.param(n, marks=pytest.mark.long) for n in (1, 3))])
def test_killed_halfway_through_a_rollback(number: int, tmp_path: Path) -> None:
    """A command fails, so three deleted files come back: renames, of which applying made none."""
    project = commanding(tmp_path, "exit 1\n", GONE)
    files = [project.root / f"work/{name}.txt" for name in "abc"]
    for file in files:
        file.write_text(f"{file.stem}\n")
    inject = f"inject=renameat:signal=SIGKILL:when={number}"
    before = ["strace", "-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e", "trace=renameat"]
    code, printed = project.run("run", before=[*before, "-e", "signal=none", "-e", inject])
    if "ptrace" in printed:
        pytest.skip(f"strace may not trace here: {printed}")
    assert code in {-signal.SIGKILL, 128 + signal.SIGKILL}, printed
    assert isinstance(list(project.entries())[-1].event, e.RollbackPlanned)
    assert sum(file.exists() for file in files) == number - 1
    (project.root / "replies/T1/3.md").write_text(ONE_TASK["replies/T1/2.md"])
    code, printed = project.run("resume")
    assert code == 0, printed
    events = [type(x.event).__name__ for x in project.entries()]
    assert events.count("RollbackDone") == 1
    assert events.index("RollbackDone") < events.index("Rejected")
    assert all(file.exists() for file in files)
    assert not list((project.root / "work").rglob(".*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop rights and own files still")
@pytest.mark.parametrize("place", [".agent-runner", "work", "."])
def test_without_rights_nothing_is_spent(place: str, one_task: CrashProject) -> None:
    """A folder of somebody else's, which may be read only."""
    folder = one_task.root / place
    folder.mkdir(exist_ok=True)
    os.chown(folder, 65534, 65534)
    bound = "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown"
    code, printed = one_task.run("run", before=["setpriv", bound])
    assert code == 3, printed
    assert "permission denied" in printed or "not permitted" in printed
    assert not any(isinstance(x.event, e.CallStarted) for x in one_task.entries())


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.parametrize("place", [".agent-runner", "work"])
def test_read_only_is_said_before_anything_is_spent(place: str, one_task: CrashProject) -> None:
    folder = one_task.root / place
    folder.mkdir(exist_ok=True)
    script = (
        f'mount --bind "{folder}" "{folder}" && mount -o remount,ro,bind "{folder}" && exec "$@"'
    )
    code, printed = one_task.run("run", before=["unshare", "-m", "sh", "-c", script, "sh"])
    if "unshare" in printed or "mount:" in printed:
        pytest.skip(f"nothing can be mounted here: {printed}")
    assert code == 3, printed
    assert "the file system is read-only" in printed
    assert not any(isinstance(x.event, e.CallStarted) for x in one_task.entries())
