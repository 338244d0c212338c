"""An agent's command as provider, through the whole program: its copy, its change, its limits."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[1] / "support" / "agent_program.py"
FIXED = "def add(a, b):\n    return a + b\n"


class Project:
    """A repository with one task, and a command that does what its steps say.

    `folder` is what the test and the command share: no sandbox hides it.
    """

    def __init__(self, folder: Path) -> None:
        self.root, self.home, self.folder = folder / "project", folder / "home", folder / "shared"
        self.steps, self.calls_file = self.folder / "steps.json", self.folder / "calls"
        self.folder.mkdir()
        (self.root / "src").mkdir(parents=True)
        self.home.mkdir()
        self.write("src/calc.py", "def add(a, b):\n    return 0\n")
        self.write("old.bin", "\x00old")
        self.write(".gitignore", "ignored/\n")
        self.write(
            "tasks.yml", "tasks: [{id: T1, title: Make add add, description: Make it add.}]\n"
        )
        self.configure()
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-qm", "one")

    def configure(self, more: str = "", sandbox: str = "") -> None:
        """The project's own configuration; what it is to start stands in the user's."""
        own = self.home / ".agent-runner"
        own.mkdir(mode=0o700, exist_ok=True)
        # a sandbox has a /tmp of its own: neither checkout nor environment may lie there
        program = shutil.copy(PROGRAM, self.folder)
        command = json.dumps([os.path.realpath(sys.executable), program])
        params = f", params: {{sandbox: {sandbox!r}}}" if sandbox else ""
        (own / "config.yml").write_text(
            f"provider: claude-code\nproviders: {{claude-code: {{command: {command}{params}}}}}\n"
            f"sandbox: {{writable: [{json.dumps(str(self.folder))}]}}\n"
        )
        self.write(
            "agent-runner.yml",
            "hooks: {check: {command: \"grep -q 'a + b' src/calc.py\"}}\n"
            f"defaults: {{post_hooks: [check]}}\non_escalation: continue\n{more}",
        )

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=x", "-c", "user.email=x@example.invalid")
        done = subprocess.run(
            ["git", *who, *words], cwd=self.root, check=True, capture_output=True, text=True
        )
        return done.stdout

    @property
    def env(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "AGENT_STEPS": str(self.steps),
            "AGENT_CALLS": str(self.calls_file),
            "ANTHROPIC_API_KEY": "sk-mine-0123456789",
        }

    def start(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "agent_runner", *words],
            cwd=self.root,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def run(self, *steps: dict[str, Any], words: tuple[str, ...] = ("run",)) -> tuple[int, str]:
        """The exit code and all that is said."""
        self.steps.write_text(json.dumps(steps))
        process = self.start(*words)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said

    def killed(self, *steps: dict[str, Any], at: Path) -> None:
        """Start a run and kill it, and nobody else, once the agent made the file `at`."""
        self.steps.write_text(json.dumps(steps))
        process = self.start("run")
        wait_for(at.exists)
        process.kill()
        process.communicate()

    @property
    def calls(self) -> list[dict[str, Any]]:
        """How the command was called, each time."""
        if not self.calls_file.exists():
            return []
        return [json.loads(line) for line in self.calls_file.read_text().splitlines()]


def is_at_work(lingering: Path) -> bool:
    """Whether the program that `linger` left is still there. In a sandbox its number is another."""
    listed = subprocess.run(["ps", "-Awwo", "args"], check=True, capture_output=True, text=True)
    return str(lingering) in listed.stdout


def wait_for(condition: Any) -> None:
    for _ in range(1500):
        if condition():
            return
        time.sleep(0.02)  # real programs take real time
    raise AssertionError("it never came")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def write(path: str, text: str = FIXED, mode: str = "644") -> dict[str, Any]:
    return {"do": "write", "path": path, "text": text, "mode": mode}


FIX = write("src/calc.py")


def test_what_it_left_is_a_change_like_any_other(project: Project) -> None:
    """Bytes that are no text, rights, new and deleted files; and all of it can be undone."""
    before = project.git("rev-parse", "HEAD"), project.git("ls-files", "-s")
    code, said = project.run(
        FIX,
        write("bin/run.sh", "#!/bin/sh\r\n", "755"),
        write("data.bin", "\x00\xff\r\n"),
        {"do": "delete", "path": "old.bin"},
        write("ignored/x", "nobody's"),
    )
    assert code == 0, said
    assert (project.root / "src/calc.py").read_text() == FIXED
    assert (project.root / "data.bin").read_bytes() == b"\x00\xff\r\n"
    assert (project.root / "bin/run.sh").read_bytes() == b"#!/bin/sh\r\n"
    assert (project.root / "bin/run.sh").stat().st_mode & 0o111
    assert not (project.root / "old.bin").exists()
    assert not (project.root / "ignored").exists()
    assert "3.2k tokens" in said
    assert "$0.25" in said
    assert before == (project.git("rev-parse", "HEAD"), project.git("ls-files", "-s"))
    code, said = project.run(words=("undo", "T1"))
    assert code == 0, said
    assert (project.root / "old.bin").read_bytes() == b"\x00old"
    assert not (project.root / "data.bin").exists()


def test_its_own_commits_and_settings_of_git_stay_in_its_copy(project: Project) -> None:
    ran = project.folder / "ran"
    before = project.git("rev-parse", "HEAD"), (project.root / ".git/config").read_text()
    monitor = project.folder / "monitor"
    monitor.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(ran))}\n")
    monitor.chmod(0o755)
    code, said = project.run(FIX, {"do": "commit", "monitor": str(monitor)})
    assert code == 0, said
    assert before == (project.git("rev-parse", "HEAD"), (project.root / ".git/config").read_text())
    assert not ran.exists()


def test_what_steers_it_is_not_in_its_copy_and_stays_as_it_is(project: Project) -> None:
    project.write(".mcp.json", "{}")
    project.write(".claude/settings.json", "{}")
    code, said = project.run(FIX, write(".mcp.json", "evil"))
    assert ".mcp.json" not in project.calls[0]["files"]
    assert ".claude/settings.json" not in project.calls[0]["files"]
    assert code != 0
    assert "steers agents' commands" in said
    assert (project.root / ".mcp.json").read_text() == "{}"


def test_a_link_is_refused_and_nothing_of_the_change_applied(project: Project) -> None:
    code, said = project.run(FIX, {"do": "link", "path": "src/link", "to": "/etc/passwd"})
    assert code != 0
    assert "symbolic link" in said
    assert "return 0" in (project.root / "src/calc.py").read_text()


def test_a_limit_is_nobodys_fault_and_the_second_start_is_free(project: Project) -> None:
    limit = {"do": "limit", "in": 9000}
    assert project.run(limit)[0] == 75
    code, said = project.run(limit)
    assert code == 75, said
    assert "safe to re-run after" in said
    assert len(project.calls) == 1


def test_after_the_reset_it_goes_on(project: Project) -> None:
    project.configure("retry: {max_wait: 1s}\n")
    once = {"do": "once", "steps": [{"do": "limit", "in": 3}]}
    assert project.run(once, FIX)[0] == 75
    time.sleep(3.1)  # until the limit is over
    code, said = project.run(once, FIX, words=("resume",))
    assert code == 0, said


def test_after_a_limit_in_the_middle_it_goes_on_with_what_it_had_done(project: Project) -> None:
    """In the next run too: in its session, in a copy with its changes, none of them lost."""
    project.configure("retry: {max_wait: 1s}\n")
    limit = {"do": "limit", "in": 3}
    steps = ({"do": "once", "steps": [write("src/half.py", "x\n"), limit]}, FIX)
    assert project.run(*steps)[0] == 75
    assert not (project.root / "src/half.py").exists()
    time.sleep(3.1)  # until the limit is over
    code, said = project.run(*steps, words=("resume",))
    assert code == 0, said
    assert "goes on in its session" in said
    first, second = project.calls
    assert second["argv"][second["argv"].index("--resume") + 1] == "5e55-1"
    assert "src/half.py" not in first["files"]
    assert "src/half.py" in second["files"]
    assert (project.root / "src/half.py").read_text() == "x\n"
    assert not list((project.home / ".agent-runner/scratch").glob("T1*"))


def test_what_it_had_done_is_dropped_where_the_same_file_was_changed_since(
    project: Project,
) -> None:
    project.configure("retry: {max_wait: 1s}\n")
    steps = ({"do": "once", "steps": [FIX, {"do": "limit", "in": 3}]}, write("src/b.py", "x\n"))
    assert project.run(*steps)[0] == 75
    project.write("src/calc.py", "def add(a, b):\n    return a + b + 0\n")
    time.sleep(3.1)  # until the limit is over
    code, said = project.run(*steps, words=("resume",))
    assert "it begins anew" in said
    assert code == 0, said
    assert "--resume" not in project.calls[1]["argv"]
    assert "a + b + 0" in (project.root / "src/calc.py").read_text()


def test_after_red_hooks_it_goes_on_in_its_session_and_place(project: Project) -> None:
    steps = ({"do": "once", "steps": [write("src/half.py", "x\n")]}, write("src/b.py"))
    project.run(*steps)
    first, second = project.calls[:2]
    assert "--resume" not in first["argv"]
    assert second["argv"][second["argv"].index("--resume") + 1] == "5e55-1"
    assert first["cwd"] == second["cwd"]
    assert "src/half.py" in second["files"]  # the state so far


def test_its_use_is_reserved_and_capped(project: Project) -> None:
    project.configure("budget: {max_tokens_task: 25000}\n")
    code, said = project.run({"do": "use", "tokens": 30000}, {"do": "sleep", "seconds": 60})
    assert code != 0
    assert "20,000 tokens are reserved, a first guess" in said
    assert "max_tokens_task" in said
    assert len(project.calls) == 1


def test_its_dollars_are_capped_by_what_they_were_before(project: Project) -> None:
    """It tells its cost at the end alone; on the way the cost of a token until now is taken."""
    project.configure("budget: {max_cost_run: 0.9}\nretry: {max_wait: 1s}\n")
    big = ({"do": "use", "tokens": 30000}, {"do": "sleep", "seconds": 60})
    half = [write("src/half.py", "x\n"), {"do": "end"}]
    once = {"do": "once", "steps": half}
    code, said = project.run(once, *big)
    assert code != 0
    assert "max_cost_run" in said
    assert len(project.calls) == 2
    assert "+ at least" in project.run(words=("usage",))[1]


def test_its_answers_are_not_recorded_without_its_files(project: Project) -> None:
    code, said = project.run(FIX, words=("run", "--record", "recorded"))
    assert code == 2, said
    assert "--record cannot keep what claude-code does for T1" in said
    assert project.calls == []


def test_denials_are_told(project: Project) -> None:
    code, said = project.run(FIX, {"do": "deny", "command": "curl x"})
    assert code == 0
    assert "Claude Code was not allowed: running curl x" in said


def test_what_it_changes_outside_of_its_copy_is_told(project: Project) -> None:
    project.configure(sandbox="off")
    code, said = project.run(FIX, write(str(project.root / "there.txt"), "x"))
    assert code == 0, said
    assert "changed outside of its copy" in said
    assert "there.txt" in said


@pytest.mark.crash
def test_a_call_that_nobody_saw_the_end_of_is_lost_and_its_programs_ended(
    project: Project,
) -> None:
    mark, pid = project.folder / "mark", project.folder / "pid"
    linger = {"do": "linger", "file": str(pid)}
    sleep = {"do": "sleep", "seconds": 60}
    project.killed(FIX, linger, {"do": "touch", "file": str(mark)}, sleep, at=mark)
    code, said = project.run(FIX, words=("resume",))
    assert code == 0, said
    assert "possibly billed" in said or "may have been billed" in said
    assert len(project.calls) == 2
    assert not is_at_work(pid)


@pytest.mark.crash
def test_what_was_finished_when_the_runner_died_is_adopted(project: Project) -> None:
    mark = project.folder / "mark"
    project.killed(FIX, {"do": "finish", "file": str(mark)}, at=mark)
    code, said = project.run(FIX, words=("resume",))
    assert code == 0, said
    assert len(project.calls) == 1
    assert (project.root / "src/calc.py").read_text() == FIXED
    assert not list((project.home / ".agent-runner/scratch").glob("T1*"))


@pytest.mark.crash
def test_ctrl_c_ends_it_and_all_that_it_started(project: Project) -> None:
    pid = project.folder / "pid"
    steps = ({"do": "linger", "file": str(pid)}, {"do": "sleep", "seconds": 60})
    project.steps.write_text(json.dumps(steps))
    process = project.start("run")
    wait_for(lambda: pid.exists() and pid.read_text())
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert not is_at_work(pid)
