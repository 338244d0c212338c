"""Each agent's command through the whole program: limits, kills, and what comes of its work."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.providers.commands.test_situations import PRESETS, STAND_INS

pytestmark = pytest.mark.slow

FIX = {"do": "write", "path": "calc.py", "text": "def add(a, b):\n    return a + b\n"}
HALF = {"do": "write", "path": "half.py", "text": "half\n"}


class Project:
    """A repository with one task, and the stand-in of a command, which no sandbox hides."""

    def __init__(self, preset: str, folder: Path) -> None:
        self.preset, self.root, self.home = preset, folder / "project", folder / "home"
        self.script, self.calls = folder / "script.json", folder / "calls"
        own = self.home / ".agent-runner"
        own.mkdir(parents=True, mode=0o700)
        program, model, _ = PRESETS[preset]
        provider = {"command": [str(STAND_INS / program)], "params": {"sandbox": "off"}}
        provider |= {"model": model} if model else {}
        provider |= {"timeout": "3s"}
        (own / "config.yml").write_text(
            json.dumps({"provider": preset, "providers": {preset: provider}})
        )
        self.root.mkdir()
        (self.root / "calc.py").write_text("def add(a, b):\n    return 0\n")
        (self.root / "tasks.yml").write_text(
            "tasks: [{id: T1, title: Make add add, description: Make it add.}]\n"
        )
        (self.root / "agent-runner.yml").write_text(
            "hooks: {check: {command: \"grep -q 'a + b' calc.py\"}}\n"
            "defaults: {post_hooks: [check]}\non_escalation: continue\nretry: {max_wait: 1s}\n"
        )
        for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "one")):
            who = ("-c", "user.name=x", "-c", "user.email=x@example.invalid")
            subprocess.run(["git", *who, *words], cwd=self.root, check=True)

    def start(self, *words: str, steps: list[Mapping[str, Any]]) -> "subprocess.Popen[str]":
        self.script.write_text(json.dumps(steps))
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "STANDIN_SCRIPT": str(self.script),
            "STANDIN_RECORD": str(self.calls),
            **PRESETS[self.preset][2],
        }
        return subprocess.Popen(
            [sys.executable, "-m", "agent_runner", *words],
            cwd=self.root,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def run(self, *words: str, steps: list[Mapping[str, Any]]) -> tuple[int, str]:
        """The exit code and all that is said."""
        process = self.start(*words, steps=steps)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said

    @property
    def called(self) -> int:
        return len(self.calls.read_text().splitlines()) if self.calls.exists() else 0


@pytest.fixture(params=PRESETS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    return Project(request.param, tmp_path)


@pytest.mark.parametrize("project", ["claude-code", "codex-cli"], indirect=True)
def test_after_a_limit_in_the_middle_it_goes_on(project: Project) -> None:
    """Exit code 75, and after the reset, which these two tell, the rest of the work."""
    limit = {"do": "limit", "resets_in": 5, "window": "five_hour"}
    code, said = project.run("run", steps=[HALF, limit])
    assert code == 75, said
    assert not (project.root / "half.py").exists()
    time.sleep(5)  # until the limit is over
    code, said = project.run("resume", steps=[FIX])
    assert code == 0, said
    assert "goes on in its session" in said
    assert (project.root / "half.py").exists()
    assert project.called == 2


def test_a_run_that_is_killed_goes_on(project: Project) -> None:
    """Whatever the command had done, nothing of it is in the user's files, and the call counts."""
    process = project.start("run", steps=[HALF, {"do": "hang"}])
    while not project.called and process.poll() is None:
        time.sleep(0.02)  # real programs take real time
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (project.root / "half.py").exists()
    code, said = project.run("resume", steps=[FIX])
    assert code == 0, said
    assert "billed" in said
    assert project.called == 2
    assert not (project.root / "half.py").exists()
    code, said = project.run("undo", "T1", steps=[])
    assert code == 0, said
    assert "return 0" in (project.root / "calc.py").read_text()
