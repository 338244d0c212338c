"""Looking ahead without doing anything: the forecast and the dry run."""

from pathlib import Path

import pytest

from agent_runner.app.dry_run import dry_run
from agent_runner.app.forecast import forecast
from agent_runner.model.events import CallStarted
from agent_runner.model.fold import Entry
from agent_runner.model.signals import HookOutput, Signal
from agent_runner.store.store import read_state
from tests.engine.scene import Scene, hooks
from tests.engine.scripted import showing, whole

TASKS = [
    {"id": "T1", "depends_on": ["T2"], "pre_hooks": ["ready"], "post_hooks": ["judge"]},
    {"id": "T2", "post_hooks": ["judge"]},
    {"id": "T3", "post_hooks": []},
]
SETTINGS = {"hooks": hooks(ready="make ready", judge="grep -q green a.txt")}


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ahead(scene: Scene) -> str:
    """The dry run's lines; it leaves no trace."""
    project, before = scene.project, files(scene.folder)
    text = "\n".join(dry_run(project, scene.clock))
    assert files(scene.folder) == before
    assert scene.client.asked == []
    return text


def test_tasks_and_hooks_are_named_in_the_order_in_which_they_would_run(tmp_path: Path) -> None:
    text = ahead(Scene(tmp_path / "p", TASKS, SETTINGS))
    assert text.startswith("Would run 3 of 3 tasks, in this order:\n  1. T2  T2\n")
    assert text.index("2. T1") < text.index("pre-hook ready: make ready") < text.index("3. T3")
    assert "post-hook judge: grep -q green a.txt" in text
    assert "no post-hook: nothing judges this task" in text
    assert "Agent calls: at least 3, at most 9" in text
    assert "Limits: 3 of 3 now" in text


def test_green_judges_may_spare_calls(tmp_path: Path) -> None:
    settings = {**SETTINGS, "skip_if_green": True, "max_attempts_per_task": 2}
    text = ahead(Scene(tmp_path / "p", TASKS, settings))
    assert "at least 1, at most 6" in text


def test_what_waits_for_a_person_and_what_it_holds(tmp_path: Path) -> None:
    settings = {**SETTINGS, "max_attempts_per_task": 1}
    scene = Scene(tmp_path / "p", TASKS, settings, [whole("a.txt", "red\n")])
    scene.run()
    text = "\n".join(dry_run(scene.project, scene.clock))
    assert text.startswith("Would run 1 of 3 tasks")
    assert "T2 waits for a person" in text
    assert "T1 is held by T2" in text


def test_a_task_in_the_middle_goes_on_where_it_is(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [TASKS[2]], {}, [showing("a.txt")])
    scene.run()
    text = "\n".join(dry_run(scene.project, scene.clock))
    assert "1. T3  T3 (continues with agent)" in text
    assert len(scene.events(CallStarted)) == 2


def test_nothing_left(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [TASKS[2]], {}, [whole("a.txt", "x\n")])
    scene.run()
    assert list(dry_run(scene.project, scene.clock)) == ["Nothing is left to do."]


def test_limits_say_what_runs_now_and_what_later(tmp_path: Path) -> None:
    settings = {**SETTINGS, "rate_limits": {"replay": {"max_requests_hour": 2}}}
    scene = Scene(tmp_path / "p", TASKS, settings)
    told = forecast(scene.project, read_state(scene.state_dir)[0], scene.clock)
    assert told.plan.now == ("T2", "T1")
    assert [slot.tasks for slot in told.plan.later] == [("T3",)]
    assert told.line.startswith("2 of 3 now; T3 ")


def test_what_can_never_run_says_why(tmp_path: Path) -> None:
    settings = {**SETTINGS, "rate_limits": {"replay": {"max_tokens_hour": 50}}}
    text = ahead(Scene(tmp_path / "p", TASKS, settings))
    assert "T3 can never run: " in text


def test_costs_are_told_where_prices_are_known(tmp_path: Path) -> None:
    prices = {"replay": {"input": 1000.0, "output": 1000.0}}
    text = ahead(Scene(tmp_path / "p", TASKS, {**SETTINGS, "prices": prices}))
    assert ", $" in text


@pytest.mark.parametrize("size", [200])
def test_many_tasks_are_measured_by_some(tmp_path: Path, size: int) -> None:
    tasks = [{"id": f"T{n}", "post_hooks": []} for n in range(size)]
    scene = Scene(tmp_path / "p", tasks)
    told = forecast(scene.project, read_state(scene.state_dir)[0], scene.clock)
    assert len(told.order) == told.plan.calls == size


def test_an_answer_that_is_here_already_needs_no_call(tmp_path: Path) -> None:
    tasks = [{**TASKS[0], "depends_on": [], "post_hooks": ["quick", "slow"]}, TASKS[2]]
    commands = hooks(ready="true", quick="true", slow="echo now; sleep 60")
    settings = {"hooks": commands, "max_attempts_per_task": 3}
    scene = Scene(tmp_path / "p", tasks, settings, [whole("a.txt", "x\n")])

    def react(seen: Entry | Signal) -> None:
        if isinstance(seen, HookOutput) and seen.hook == "slow":
            scene.control.stop("quit", 130)

    scene.watcher.react = react
    scene.run()
    text = "\n".join(dry_run(scene.project, scene.clock))
    assert "1. T1  T1 (continues with post_hooks)" in text
    assert "answer is here already" in text
    assert "Agent calls: at least 1, at most 5" in text
    assert "Expected: 1 call," in text
    for line, shown in (("pre-hook ready", False), ("hook quick", False), ("hook slow", True)):
        assert (line in text) is shown, "finished hooks do not run again"


def test_services_are_started_again(tmp_path: Path) -> None:
    tasks = [{"id": "T1", "pre_hooks": ["service"], "post_hooks": []}]
    service = {"service": {"command": "true", "rerun_on_resume": True}}
    scene = Scene(tmp_path / "p", tasks, {"hooks": service}, [showing("a.txt")])
    scene.run()
    text = "\n".join(dry_run(scene.project, scene.clock))
    assert "(continues with agent)" in text
    assert "pre-hook service: true" in text
