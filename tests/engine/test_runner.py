"""Whole runs over real files, hooks and state: order, escalation, stops, skips, crashes."""

from pathlib import Path

import pytest

from agent_runner.model import events as e
from agent_runner.model.decisions import Choice, Decision
from agent_runner.model.errors import StateLostError
from agent_runner.model.fold import Entry
from agent_runner.model.signals import HookOutput, Signal
from agent_runner.model.states import STEPS, TaskState
from tests.engine.scene import PowerOut, Scene, ScriptedPerson, hooks
from tests.engine.scripted import whole

RED, GREEN = whole("a.txt", "red\n"), whole("a.txt", "green\n")
JUDGE = hooks(judge="grep -q green a.txt")
T1 = {"id": "T1", "post_hooks": ["judge"]}


def test_every_state_with_an_effect_has_a_step(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1], {"hooks": JUDGE}, [GREEN])
    scene.run()
    assert set(scene.wiring.steps) == STEPS


def test_a_task_goes_through_its_steps(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1], {"hooks": JUDGE}, [GREEN])
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code) == ("finished", 0)
    assert (scene.folder / "a.txt").read_text() == "green\n"
    assert scene.kinds() == [
        "Started",
        "PreHooksPassed",
        "CallStarted",
        "CallSettled",
        "Replied",
        "ApplyPlanned",
        "Applied",
        "HookStarted",
        "HookFinished",
        "PostHooksPassed",
    ]
    assert scene.again().reason == "finished"
    assert len(scene.client.asked) == 1


def test_tasks_run_in_list_order_after_what_they_need(tmp_path: Path) -> None:
    tasks = [
        {"id": "late", "depends_on": ["early"], "post_hooks": []},
        {"id": "early", "post_hooks": []},
        {"id": "free", "post_hooks": []},
    ]
    scene = Scene(tmp_path / "p", tasks, script=[GREEN, RED, GREEN])
    assert scene.run().exit_code == 0
    assert [request.task for request in scene.client.asked] == ["early", "late", "free"]


def test_red_judges_lead_to_another_attempt_that_is_told_why(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1], {"hooks": JUDGE}, [RED, GREEN])
    assert scene.run().exit_code == 0
    first, second = scene.client.asked
    assert (first.attempt, second.attempt) == (1, 2)
    assert "hook judge failed with exit code 1" not in first.prompt.messages[-1].text
    assert "hook judge failed with exit code 1" in second.prompt.messages[-1].text


def test_used_up_attempts_hold_the_run_and_its_dependents(tmp_path: Path) -> None:
    tasks = [T1, {"id": "T2", "depends_on": ["T1"]}, {"id": "T3", "post_hooks": []}]
    settings = {"hooks": JUDGE, "max_attempts_per_task": 2}
    scene = Scene(tmp_path / "p", tasks, settings, [RED, whole("a.txt", "redder\n")])
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code) == ("held", 1)
    assert "T1 needs a person: hook judge failed" in stopped.detail
    assert scene.states() == {"T1": "escalated", "T2": "pending", "T3": "pending"}
    assert scene.shown == ["about T1"]


def test_a_run_may_go_on_with_other_tasks(tmp_path: Path) -> None:
    tasks = [T1, {"id": "T2", "depends_on": ["T1"]}, {"id": "T3", "post_hooks": []}]
    settings = {"hooks": JUDGE, "max_attempts_per_task": 1, "on_escalation": "continue"}
    scene = Scene(tmp_path / "p", tasks, settings, [RED, GREEN])
    stopped = scene.run()
    assert stopped.reason == "held"
    assert stopped.detail == "T1 needs a person; T2 is held by tasks that have not passed"
    assert scene.states()["T3"] == "passed"


def test_tasks_that_escalate_in_a_row_stop_the_run(tmp_path: Path) -> None:
    tasks = [{"id": f"T{n}", "post_hooks": ["judge"]} for n in range(1, 5)]
    settings = {
        "hooks": JUDGE,
        "max_attempts_per_task": 1,
        "on_escalation": "continue",
        "max_escalations_in_row": 2,
    }
    scene = Scene(tmp_path / "p", tasks, settings, [RED] * 4)
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code) == ("escalations", 1)
    assert list(scene.states().values()) == ["escalated", "escalated", "pending", "pending"]


def test_a_person_retries_with_a_hint_that_the_agent_reads(tmp_path: Path) -> None:
    settings = {"hooks": JUDGE, "max_attempts_per_task": 1}
    scene = Scene(tmp_path / "p", [T1], settings, [RED, GREEN])
    scene.person = person = ScriptedPerson([Decision(Choice.RETRY, "try green")])
    assert scene.run().exit_code == 0
    assert "try green" in scene.client.asked[1].prompt.messages[-1].text
    assert person.asked[0].summary == ("about T1",)
    assert scene.record().counts.extra_attempts == 1


@pytest.mark.parametrize(
    ("choice", "reason", "state"),
    [(Choice.SKIP, "finished", "skipped"), (Choice.ABORT, "aborted", "escalated")],
)
def test_a_person_skips_or_aborts(tmp_path: Path, choice: Choice, reason: str, state: str) -> None:
    scene = Scene(tmp_path / "p", [T1], {"hooks": JUDGE, "max_attempts_per_task": 1}, [RED])
    scene.person = ScriptedPerson([Decision(choice)])
    assert scene.run().reason == reason
    assert scene.states() == {"T1": state}


def test_a_person_mends_the_files_and_has_them_judged(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1], {"hooks": JUDGE, "max_attempts_per_task": 1}, [RED])
    scene.run()
    (scene.folder / "a.txt").write_text("green by hand\n")
    scene.person = ScriptedPerson([Decision(Choice.CHECK)])
    assert scene.again().exit_code == 0
    assert len(scene.client.asked) == 1


def test_a_check_that_is_red_comes_back_to_the_person(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1], {"hooks": JUDGE}, [RED, GREEN])
    scene.settings = {"hooks": JUDGE, "max_attempts_per_task": 1}
    scene.write()
    scene.person = ScriptedPerson([Decision(Choice.CHECK), Decision(Choice.RETRY)])
    assert scene.run().exit_code == 0
    assert scene.record().counts.failures == 2
    assert len(scene.client.asked) == 2


def test_what_an_earlier_run_left_is_asked_about_first(tmp_path: Path) -> None:
    tasks = [{"id": "T0", "post_hooks": [], "depends_on": ["T1"]}, T1]
    scene = Scene(tmp_path / "p", tasks, {"hooks": JUDGE, "max_attempts_per_task": 1}, [RED, GREEN])
    scene.run()
    assert scene.again().reason == "held"
    scene.person = ScriptedPerson([Decision(Choice.ABORT)])
    assert scene.again().reason == "aborted"
    scene.person = ScriptedPerson([Decision(Choice.SKIP)])
    stopped = scene.again()
    assert (stopped.reason, stopped.detail) == ("held", "T0 is held by tasks that have not passed")


class Key:
    """Does something when a hook of the scene says its word."""

    def __init__(self, scene: Scene, press: str) -> None:
        self.scene, self.press = scene, press
        scene.watcher.react = self

    def __call__(self, seen: Entry | Signal) -> None:
        if isinstance(seen, HookOutput) and b"now" in seen.chunk:
            control = self.scene.control
            control.stop("quit", 130) if self.press == "q" else control.skip()


def test_a_stop_in_a_hook_records_nothing_of_it_and_the_next_run_goes_on(tmp_path: Path) -> None:
    slow = "test -f ../go || { echo now; sleep 60; }; grep -q green a.txt"
    scene = Scene(tmp_path / "p", [T1], {"hooks": hooks(judge=slow)}, [GREEN])
    Key(scene, "q")
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code) == ("quit", 130)
    assert scene.states() == {"T1": "post_hooks"}
    assert scene.events(e.HookFinished) == []
    (tmp_path / "go").touch()
    assert scene.again().exit_code == 0
    assert len(scene.client.asked) == 1


def test_a_skip_takes_the_task_in_hand_only(tmp_path: Path) -> None:
    tasks = [{"id": "T1", "post_hooks": ["slow"]}, {"id": "T2", "post_hooks": []}]
    settings = {"hooks": hooks(slow="echo now; sleep 60")}
    scene = Scene(tmp_path / "p", tasks, settings, [GREEN, RED])
    scene.control.skip()  # nothing is in hand yet
    Key(scene, "s")
    assert scene.run().exit_code == 0
    assert scene.states() == {"T1": "skipped", "T2": "passed"}
    assert "its changes stay in the files" in scene.watcher.said
    assert "agent-runner undo T1" in scene.watcher.said


def test_a_skip_at_the_last_moment_is_not_the_next_tasks(tmp_path: Path) -> None:
    tasks = [{"id": "T1", "post_hooks": ["quick"]}, {"id": "T2", "post_hooks": []}]
    scene = Scene(tmp_path / "p", tasks, {"hooks": hooks(quick="true")}, [GREEN, RED])

    def react(seen: Entry | Signal) -> None:
        if isinstance(seen, Entry) and isinstance(seen.event, e.PostHooksPassed | e.HookFinished):
            scene.control.skip()

    scene.watcher.react = react
    scene.run()
    assert scene.states()["T2"] == "passed"


def test_a_stop_before_the_first_task_begins(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1], {"hooks": JUDGE}, [GREEN])
    scene.control.stop("interrupted", 143)
    scene.control.stop("quit", 130)  # the first reason counts
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code) == ("interrupted", 143)
    assert scene.states() == {"T1": "pending"}


def test_a_stop_at_the_question_leaves_it_open(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1], {"hooks": JUDGE, "max_attempts_per_task": 1}, [RED])

    class Leaving(ScriptedPerson):
        async def decide(self, escalation: object) -> Decision:
            scene.control.stop("quit", 130)
            return Decision(Choice.SKIP)

    scene.person = Leaving([])
    assert scene.run().exit_code == 130
    assert scene.states() == {"T1": "escalated"}


def test_a_pause_holds_between_tasks(tmp_path: Path) -> None:
    tasks = [{"id": "T1", "post_hooks": []}, {"id": "T2", "post_hooks": []}]
    scene = Scene(tmp_path / "p", tasks, script=[GREEN, RED])
    held: list[str] = []

    def react(seen: Entry | Signal) -> None:
        if isinstance(seen, Entry) and isinstance(seen.event, e.PostHooksPassed):
            if seen.task == "T1":
                assert scene.control.toggle_pause()
        elif "paused" in str(getattr(seen, "text", "")):
            held.append(scene.wiring.core.record("T2").state)
            assert not scene.control.toggle_pause()

    scene.watcher.react = react
    assert scene.run().exit_code == 0
    assert held == ["pending"]


def test_a_task_that_kills_every_run_is_escalated(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "p", [T1], {"hooks": hooks(judge="echo now")}, [GREEN])

    def die(seen: Entry | Signal) -> None:
        if isinstance(seen, HookOutput):
            raise PowerOut

    scene.watcher.react = die
    assert all(scene.killed() for _ in range(3))
    assert scene.again().reason == "held"
    assert scene.record().last_error == "the runner stopped uncleanly 3 times in step post_hooks"
    scene.person = ScriptedPerson([Decision(Choice.RETRY)])
    assert scene.again().exit_code == 0
    assert len(scene.client.asked) == 1, "only the hook was to be redone"


def test_a_call_that_kills_every_run_is_not_paid_for_ever(tmp_path: Path) -> None:
    def die(_context: object) -> str:
        raise PowerOut

    scene = Scene(tmp_path / "p", [T1], {"hooks": JUDGE}, [die] * 9)
    assert all(scene.killed() for _ in range(3))
    assert scene.again().reason == "held"
    assert len(scene.client.asked) == 3
    assert scene.record().spent.possibly_billed == 2
    assert scene.record().retry_to is TaskState.AGENT


def test_a_hook_that_removes_the_state_stops_the_run(tmp_path: Path) -> None:
    settings = {"hooks": hooks(judge="rm -rf .agent-runner")}
    scene = Scene(tmp_path / "p", [T1], settings, [GREEN])
    with pytest.raises(StateLostError, match="removed or replaced"):
        scene.run()
