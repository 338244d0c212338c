"""Time, as a user limits it: of a hook, a task and a run."""

import json

import pytest

from tests.cli.scene import Scene, reply

HANGS = "test -f ../go || sleep 60"


@pytest.fixture
def hanging(scene: Scene) -> Scene:
    """A task whose judge hangs until there is a file beside the project."""
    scene.tasks({"id": "T1"}, {"id": "T2"})
    scene.config({"hooks": {"slow": {"command": HANGS}}, "defaults": {"post_hooks": ["slow"]}})
    for task in ("T1", "T2"):
        scene.reply(task, 1, reply(a__txt=task))
    return scene


def test_a_run_whose_time_is_over_stops_as_at_a_limit_and_goes_on(hanging: Scene) -> None:
    ended = hanging.run("run", "--max-minutes-run", "0.02")
    assert ended.code == 75
    assert "max_minutes_run" in ended.out + ended.err
    assert ["resume"] in ended.commands()
    assert hanging.states() == {"T1": "post_hooks", "T2": "pending"}
    (hanging.root / "go").touch()
    assert hanging.run("resume", "--max-minutes-run", "5").code == 0


def test_a_task_whose_time_is_over_needs_a_person(hanging: Scene) -> None:
    ended = hanging.run("run", "--max-minutes-task", "0.02", "--on-escalation", "continue")
    assert ended.code == 1
    assert hanging.states() == {"T1": "escalated", "T2": "escalated"}
    assert (
        "max_minutes_task"
        in json.loads(hanging.run("status", "--json").out)["tasks"][0]["last_error"]
    )
    (hanging.root / "go").touch()
    assert hanging.run("retry", "T1").code == 0
    assert hanging.run("check", "T2").code == 0
    assert hanging.run("resume").code == 0


@pytest.mark.parametrize("minutes", ["0", "-1", "x"])
def test_no_time_at_all_is_a_mistake(hanging: Scene, minutes: str) -> None:
    assert hanging.run("run", "--max-minutes-task", minutes).code == 2


def test_validate_warns_of_a_hook_without_a_time_out(hanging: Scene) -> None:
    warned = hanging.run("config", "validate")
    assert warned.code == 0
    assert "the hook slow has no time-out" in warned.err + warned.out
    assert "agent-runner.yml:1:" in warned.err + warned.out
    hanging.config({"hooks": {"slow": {"command": HANGS, "timeout": "10m"}}})
    assert "time-out" not in hanging.run("config", "validate").err
    hanging.config({"test_command": "pytest -q"})
    assert "the hook test has no time-out" in hanging.run("config", "validate").err
