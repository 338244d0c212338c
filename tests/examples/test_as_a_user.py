"""Each example does what its page says, typed by a user in a copy of it, without a network."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from agent_runner.demo import copy_example, example_names
from tests.cli.scene import COMMAND, SOURCE, Scene, environment
from tests.e2e.wire import says
from tests.providers.server import serving

pytestmark = pytest.mark.slow

AGENT = SOURCE / "tests" / "support" / "agent_program.py"


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    """A copy of the example that the test is for, and a user with the commands on the PATH."""
    scene = Scene(tmp_path)
    copy_example(request.param, scene.project)
    python, *words = COMMAND
    programs = tmp_path / "programs"
    programs.mkdir()
    own = f'#!/bin/sh\nexec "{python}" -P {" ".join(words)} "$@"\n'
    for name, script in (("agent-runner", own), ("python3", f'#!/bin/sh\nexec "{python}" "$@"\n')):
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    scene.env = {"PATH": f"{programs}:{os.environ['PATH']}"}
    return scene


def for_example(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("scene", [name], indirect=True)


def recorded(scene: Scene, task: str) -> str:
    return scene.read(f"replies/{task}/1.md")


@pytest.mark.parametrize("scene", example_names(), indirect=True)
def test_it_passes_with_its_recorded_answers(scene: Scene) -> None:
    assert scene.run("config", "validate").code in {0, 2}  # 2: no key here, or no such command
    done = scene.run("run", "--provider", "replay")
    assert done.code == 0, done.out + done.err
    assert set(scene.states().values()) == {"passed"}


@for_example("ci")
def test_the_script_of_a_build_leaves_commits_a_report_and_a_summary(scene: Scene) -> None:
    me = {f"GIT_{who}_{what}": "me@example.invalid" for who in ("AUTHOR", "COMMITTER")
          for what in ("NAME", "EMAIL")}  # fmt: skip
    env = {**environment(scene.home, scene.env), **me, "GITHUB_STEP_SUMMARY": str(scene.root / "s")}

    def typed(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", command], cwd=scene.project, env=env, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    typed('git init -q && git add . && git commit -qm "Begin"')
    done = typed("sh tools/run-tasks")
    assert done.returncode == 0, done.stdout + done.stderr
    assert typed("git log --format=%s").stdout.splitlines() == [
        "Count words whatever their case",
        "Begin",
    ]
    assert typed("git status --porcelain").stdout == ""
    assert "Count words whatever their case" in (scene.root / "s").read_text()
    cases = ET.parse(scene.project / "report.xml").getroot().iter("testcase")
    assert [case.find("failure") for case in cases] == [None]
    assert "<html" in scene.read("report.html")


@for_example("ci")
@pytest.mark.parametrize(("code", "expected"), [(75, 0), (1, 1), (2, 2)])
def test_only_a_limit_is_no_failure_of_a_build(scene: Scene, code: int, expected: int) -> None:
    program = scene.root / "programs" / "agent-runner"
    program.write_text(f'#!/bin/sh\n[ "$1" = run ] && exit {code}\nexit 0\n')
    done = subprocess.run(
        ["sh", "tools/run-tasks"], cwd=scene.project, env=environment(scene.home, scene.env),
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == expected


@for_example("local-model")
def test_a_server_on_this_machine_is_asked_for_whole_files(scene: Scene) -> None:
    with serving(says(recorded(scene, "T1"))) as server:
        scene.env["AGENT_RUNNER_PROVIDERS__OLLAMA__BASE_URL"] = f"{server.url}/v1"
        done = scene.run("run")
        (request,) = server.requests
    assert done.code == 0, done.out + done.err
    assert request.body["model"] == "qwen3-coder:30b"
    assert request.body["max_tokens"] == 6000
    assert "authorization" not in request.headers


@for_example("subscription")
def test_the_command_works_in_a_copy_with_no_key(scene: Scene) -> None:
    program = scene.root / "programs" / "claude"
    python = os.path.realpath(sys.executable)
    own = shutil.copy(AGENT, scene.root / "programs" / "agent.py")
    program.write_text(f'#!/bin/sh\n[ -z "$ANTHROPIC_API_KEY" ] && exec "{python}" "{own}" "$@"\n')
    program.chmod(0o755)
    fixed = scene.read("version.py").replace(
        "one > other", 'one.split(".") != other.split(".") and len(one) > len(other)'
    )
    (scene.root / "steps").write_text(
        json.dumps([{"do": "write", "path": "version.py", "text": fixed, "mode": "644"}])
    )
    (scene.home / ".claude").mkdir()
    (scene.home / ".claude" / ".credentials.json").write_text("{}")  # it is logged in
    scene.env |= {
        "AGENT_STEPS": str(scene.root / "steps"),
        "AGENT_CALLS": str(scene.root / "calls"),
        "ANTHROPIC_API_KEY": "sk-ant-not-to-be-used",
    }
    own = scene.home / ".agent-runner"
    own.mkdir(mode=0o700)
    # a sandbox would hide what lies in a folder for temporary files, as this program does
    (own / "config.yml").write_text("providers: {claude-code: {params: {sandbox: 'off'}}}\n")
    done = scene.run("run")
    assert done.code == 0, done.out + done.err
    assert scene.read("version.py") == fixed
    assert (scene.root / "calls").exists()


@for_example("templates")
def test_each_task_is_presented_by_its_template(scene: Scene) -> None:
    bug = scene.run("debug", "prompt", "T1").out
    assert "# Bug ROM-12: Read IV as 4\n\nSeen: value(\"IV\") gives 6\n" in bug
    other = scene.run("debug", "prompt", "T2").out
    assert "Our rules: type hints" in other
    assert "for every task that names no template" not in other


@for_example("monorepo")
def test_without_node_its_hook_says_so(scene: Scene) -> None:
    bare = scene.root / "bare"
    bare.mkdir()
    for name in ("sh", "grep", "env"):
        (bare / name).symlink_to(str(shutil.which(name)))
    scene.env["PATH"] = f"{scene.root / 'programs'}:{bare}"
    done = scene.run("run", "feed-order")
    assert done.code == 0, done.out + done.err
    log = scene.read(".agent-runner/logs/feed-order/post.log")
    assert "node is not installed: the tests were not run" in log
