"""How long a task may be worked on, and what a resume, a wait and a person make of that."""

from pathlib import Path
from typing import Any

import pytest

from agent_runner.model import events as e
from agent_runner.model.decisions import Choice, Decision
from agent_runner.model.flow import seconds_left
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.settings import Settings
from agent_runner.model.states import TaskState as S
from tests.engine.scene import PowerOut, Scene, ScriptedPerson, hooks
from tests.engine.scripted import whole

GOOD = whole("a.txt", "one\n")
HANGS = {"judge": {"command": "test -f ../go || sleep 60"}}
A_SECOND = 1 / 60


def scene_of(folder: Path, hook: dict[str, Any], place: str = "post_hooks") -> Scene:
    task = {"id": "T1", "pre_hooks": [], "post_hooks": [], place: [next(iter(hook))]}
    return Scene(folder / "p", [task], {"hooks": hook, "max_minutes_task": A_SECOND}, [GOOD])


@pytest.mark.parametrize("place", ["pre_hooks", "post_hooks"])
def test_a_task_whose_time_is_over_is_a_persons(tmp_path: Path, place: str) -> None:
    scene = scene_of(tmp_path, HANGS, place)
    assert scene.run().reason == "held"
    (over,) = scene.events(e.OutOfTime)
    assert over.step == place
    assert "max_minutes_task" in scene.record().last_error
    asked = len(scene.client.asked)
    (tmp_path / "go").touch()
    scene.person = ScriptedPerson([Decision(Choice.RETRY)])
    assert scene.again().exit_code == 0
    assert len(scene.client.asked) == max(asked, 1), "no answer was to be paid for twice"


def test_a_resume_counts_on(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, hooks(judge="false"))
    scene.settings = {**scene.settings, "max_minutes_task": 60, "max_no_progress": 99}
    scene.write()

    def die(seen: Any) -> None:
        if isinstance(seen, Entry) and isinstance(seen.event, e.HookStarted):
            scene.clock.at += 3_600
        if isinstance(seen, Entry) and isinstance(seen.event, e.PostHooksFailed):
            raise PowerOut

    scene.watcher.react = die
    assert scene.killed()
    assert scene.events(e.OutOfTime) == []
    assert scene.again().reason == "held"
    assert len(scene.events(e.OutOfTime)) == 1
    assert len(scene.client.asked) == 1


def test_a_wait_for_a_limit_is_not_the_tasks_time(tmp_path: Path) -> None:
    tasks = [{"id": "T1", "post_hooks": []}, {"id": "T2", "post_hooks": []}]
    settings = {"rate_limits": {"replay": {"max_requests_hour": 1}}, "max_minutes_task": 5}
    scene = Scene(tmp_path / "p", tasks, settings, [GOOD, whole("b.txt", "two\n")])
    scene.wait = 10_000.0
    assert scene.run().exit_code == 0
    assert len(scene.events(e.Deferred)) >= 1
    assert scene.record("T2").spent.seconds < 60


def test_a_person_grants_the_time_anew() -> None:
    settings, state = Settings(max_minutes_task=1), RunState()
    happened: list[tuple[float, str, e.Event, S | None]] = [
        (0, "", e.RunStarted("r", 1, "0", "l"), None),
        (0, "T1", e.Started(), S.PRE_HOOKS),
        (50, "T1", e.PreHooksPassed(), S.AGENT),
        (70, "T1", e.OutOfTime("agent", 1), S.ESCALATED),
        (900, "T1", e.Retried(), S.AGENT),
        (920, "T1", e.CallStarted("c", 1, 1, 1, "p", "m"), None),
    ]
    left = []
    for seq, (at, task, event, to) in enumerate(happened, 1):
        state.take(Entry(seq, at, task, event, to))
        left.append(seconds_left(state.record("T1"), settings))
    assert left == [60, 60, 10, -10, 60, 40]
    assert seconds_left(state.record("T1"), Settings()) is None
