"""What is looked at and said before a run spends anything."""

import subprocess
from pathlib import Path

import pytest

from agent_runner.app.preflight import LONG_LIST, prepare
from agent_runner.app.wiring import Choices
from agent_runner.documents import has_c_parser
from agent_runner.engine.schedule import EVERYTHING
from agent_runner.model.errors import UsageError
from agent_runner.model.fold import Entry
from agent_runner.model.signals import HookOutput, Signal
from tests.engine.scene import Scene, hooks
from tests.engine.scripted import whole

GOOD = whole("a.txt", "one\n")


def prepared(scene: Scene, *, rerun_changed: bool = False) -> str:
    """What is said."""
    store = scene.open()
    scene.watcher.signals.clear()
    try:
        wiring = scene.wired(store)
        prepare(wiring.project, wiring, EVERYTHING, rerun_changed=rerun_changed)
    finally:
        store.close()
    return scene.watcher.said


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    tasks = [{"id": "T1", "post_hooks": []}, {"id": "T2", "post_hooks": []}]
    script = [whole("a.txt", f"{number}\n") for number in range(9)]
    return Scene(tmp_path / "p", tasks, {}, script)


def test_nothing_to_say_of_a_fresh_list(scene: Scene) -> None:
    assert prepared(scene) == ""


def test_a_passed_task_with_another_text_is_named_and_only_reset_if_asked_to(scene: Scene) -> None:
    scene.run()
    scene.tasks[0]["description"] = "Do more."
    scene.write()
    assert prepared(scene) == (
        "T1 has passed, but its text has changed since; to redo it: --rerun-changed"
    )
    assert scene.states() == {"T1": "passed", "T2": "passed"}
    prepared(scene, rerun_changed=True)
    assert scene.states() == {"T1": "pending", "T2": "passed"}
    assert scene.again().exit_code == 0
    assert prepared(scene) == ""


def test_a_task_that_changed_while_it_was_worked_on_goes_on(tmp_path: Path) -> None:
    task = {"id": "T1", "post_hooks": ["slow"]}
    scene = Scene(tmp_path / "p", [task], {"hooks": hooks(slow="echo now; sleep 60")}, [GOOD])

    def react(seen: Entry | Signal) -> None:
        if isinstance(seen, HookOutput):
            scene.control.stop("quit", 130)

    scene.watcher.react = react
    scene.run()
    scene.tasks[0]["description"] = "Do more."
    scene.write()
    said = prepared(scene)
    assert "T1 was edited in the list while it was in progress" in said
    assert "agent-runner reset T1" in said
    assert scene.states() == {"T1": "post_hooks"}


def test_tasks_that_left_the_list_are_named_and_kept(scene: Scene) -> None:
    scene.run()
    scene.tasks = [{"id": "T2", "post_hooks": []}]
    scene.write()
    assert prepared(scene) == "no longer in the list, kept in the state: T1"
    assert str(scene.record("T1").state) == "passed"


def test_a_provider_without_its_key_is_told_before_anything_is_spent(scene: Scene) -> None:
    scene.settings = {"provider": "claude"}
    scene.write()
    with pytest.raises(UsageError, match="key"):
        prepared(scene)
    assert scene.kinds("T1") == []


def test_finished_tasks_need_no_provider(scene: Scene) -> None:
    scene.run()
    scene.settings = {"provider": "claude"}
    scene.write()
    assert prepared(scene) == ""


def test_ignored_limits_are_said(scene: Scene) -> None:
    scene.choices = Choices(ignore_limits=True)
    assert "--ignore-config-limits" in prepared(scene)


def test_limits_that_contradict_each_other_are_said(scene: Scene) -> None:
    limits = {"replay": {"max_requests_hour": 9, "max_requests_day": 3}}
    scene.settings = {"rate_limits": limits}
    scene.write()
    assert "can never be reached" in prepared(scene)


def test_changes_that_are_not_committed_are_mentioned_once(scene: Scene) -> None:
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=scene.folder, check=True)
    assert prepared(scene).count("has uncommitted changes") == 1


def test_a_long_list_is_said_to_be_read_quicker_with_the_c_parser(tmp_path: Path) -> None:
    tasks = [{"id": f"T{n}", "post_hooks": []} for n in range(LONG_LIST)]
    scene = Scene(tmp_path / "p", tasks)
    assert prepared(scene) == "", "JSON needs no parser"
    (scene.folder / "tasks.json").rename(scene.folder / "tasks.yml")
    assert ("ruamel.yaml[oldlibyaml]" in prepared(scene)) is not has_c_parser()
