"""Pre-hooks, baseline and judges: what runs when, and what their outcome leads to."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent_runner.ground.processes import this_machine
from agent_runner.model import events as e
from agent_runner.model.decisions import Choice, Decision
from agent_runner.model.fold import Entry
from agent_runner.model.hooks import Phase
from agent_runner.model.signals import HookOutput, Signal, Working
from tests.engine.scene import PowerOut, Scene, ScriptedPerson, hooks
from tests.engine.scripted import whole

GOOD = whole("a.txt", "one\n")
COUNT = "echo x >> ../count"


def count(folder: Path) -> int:
    file = folder / "count"
    return len(file.read_text().splitlines()) if file.exists() else 0


def test_a_red_pre_hook_is_a_persons_and_runs_again_on_retry(tmp_path: Path) -> None:
    task = {"id": "T1", "pre_hooks": ["ready"], "post_hooks": []}
    scene = Scene(tmp_path / "p", [task], {"hooks": hooks(ready="test -f ../go")}, [GOOD])
    assert scene.run().reason == "held"
    assert scene.client.asked == []
    assert "hook ready failed with exit code 1" in scene.record().last_error
    (tmp_path / "go").touch()
    scene.person = ScriptedPerson([Decision(Choice.RETRY)])
    assert scene.again().exit_code == 0
    assert scene.record().counts.extra_attempts == 0


@pytest.mark.parametrize("place", ["pre_hooks", "post_hooks"])
def test_a_hook_that_cannot_start_is_the_set_ups_fault(tmp_path: Path, place: str) -> None:
    task = {"id": "T1", "pre_hooks": [], "post_hooks": [], place: ["broken"]}
    scene = Scene(tmp_path / "p", [task], {"hooks": hooks(broken="no-such-program")}, [GOOD])
    assert scene.run().reason == "held"
    assert len(scene.events(e.HookBroken)) == 1
    asked = len(scene.client.asked)
    scene.settings = {"hooks": hooks(broken="true")}
    scene.write()
    scene.person = ScriptedPerson([Decision(Choice.RETRY)])
    assert scene.again().exit_code == 0
    assert len(scene.client.asked) == max(asked, 1), "no answer was to be paid for twice"


def test_finished_hooks_do_not_run_again_after_a_kill(tmp_path: Path) -> None:
    task = {"id": "T1", "pre_hooks": [], "post_hooks": ["first", "second"]}
    settings = {"hooks": hooks(first=COUNT, second="echo now")}
    scene = Scene(tmp_path / "p", [task], settings, [GOOD])

    def die(seen: Entry | Signal) -> None:
        if isinstance(seen, HookOutput) and seen.hook == "second":
            raise PowerOut

    scene.watcher.react = die
    assert scene.killed()
    assert scene.again().exit_code == 0
    assert count(tmp_path) == 1


def test_a_baseline_that_is_red_is_known_before_the_first_call(tmp_path: Path) -> None:
    task = {"id": "T1", "post_hooks": ["judge"]}
    settings = {"hooks": hooks(judge="grep -q one a.txt"), "baseline": "always"}
    scene = Scene(tmp_path / "p", [task], settings, [GOOD])
    assert scene.run().exit_code == 0
    (baseline,) = scene.events(e.BaselineTaken)
    assert not baseline.green
    assert Working("T1", "baseline") in scene.watcher.signals


@pytest.mark.parametrize("rule", ["auto", "always", "never"])
def test_green_judges_pass_a_task_without_a_call_if_asked_to(tmp_path: Path, rule: str) -> None:
    task = {"id": "T1", "post_hooks": ["judge"]}
    settings = {"hooks": hooks(judge="true"), "baseline": rule, "skip_if_green": True}
    scene = Scene(tmp_path / "p", [task], settings, [])
    assert scene.run().exit_code == 0
    assert scene.client.asked == []
    assert len(scene.events(e.AlreadyGreen)) == 1


def test_judges_that_need_not_run_pass_no_task_without_a_call(tmp_path: Path) -> None:
    task = {"id": "T1", "post_hooks": ["judge"]}
    judge = {"command": "false", "when": {"changed": ["*.py"]}}
    scene = Scene(
        tmp_path / "p", [task], {"hooks": {"judge": judge}, "skip_if_green": True}, [GOOD]
    )
    assert scene.run().exit_code == 0
    assert len(scene.client.asked) == 1
    assert not scene.record().judgement.checked_by_hook


def test_a_green_baseline_alone_passes_nothing(tmp_path: Path) -> None:
    task = {"id": "T1", "post_hooks": ["judge"]}
    settings = {"hooks": hooks(judge="true"), "baseline": "always"}
    scene = Scene(tmp_path / "p", [task], settings, [GOOD])
    assert scene.run().exit_code == 0
    assert len(scene.client.asked) == 1


def test_a_baseline_need_not_show_again_what_was_just_seen(tmp_path: Path) -> None:
    tasks = [{"id": "T1", "post_hooks": ["judge"]}, {"id": "T2", "post_hooks": ["judge"]}]
    settings = {"hooks": hooks(judge=COUNT), "baseline": "auto"}
    scene = Scene(tmp_path / "p", tasks, settings, [GOOD, whole("b.txt", "two\n")])
    assert scene.run().exit_code == 0
    assert count(tmp_path) == 3, "a baseline and a verdict for T1, a verdict for T2"


@pytest.mark.parametrize("green", [True, False])
def test_a_baseline_that_was_taken_counts_after_a_retry(tmp_path: Path, green: bool) -> None:
    """The pre-hooks are redone, the baseline stands."""
    task: dict[str, Any] = {"id": "T1", "pre_hooks": ["ready"], "post_hooks": ["judge"]}
    settings = {
        "hooks": hooks(ready="echo ready", judge=f"{COUNT}; test -f ../green || grep one a.txt"),
        "baseline": "always",
    }
    scene = Scene(tmp_path / "p", [task], settings, [GOOD])
    if green:
        (tmp_path / "green").touch()

    def die(seen: Entry | Signal) -> None:
        if isinstance(seen, Entry) and isinstance(seen.event, e.BaselineTaken):
            raise PowerOut

    scene.watcher.react = die
    assert scene.killed()
    assert scene.again().exit_code == 0
    assert count(tmp_path) == 2


def test_no_progress_ends_before_the_attempts_do(tmp_path: Path) -> None:
    task = {"id": "T1", "post_hooks": ["judge"]}
    settings = {"hooks": hooks(judge="false"), "max_attempts_per_task": 9, "max_no_progress": 2}
    scene = Scene(tmp_path / "p", [task], settings, ["NO CHANGE NEEDED: it is done"] * 9)
    assert scene.run().reason == "held"
    assert scene.record().judgement.no_progress_reason == "the attempt changed nothing"
    assert len(scene.client.asked) <= 3


def test_what_a_dead_run_left_running_is_ended(tmp_path: Path) -> None:
    task = {"id": "T1", "post_hooks": ["judge"]}
    scene = Scene(tmp_path / "p", [task], {"hooks": hooks(judge="echo now")}, [GOOD])
    told = {"AGENT_RUNNER_TASK": "T1", "AGENT_RUNNER_RUN_ID": "run-0"}
    left = subprocess.Popen(["sleep", "300"], env=os.environ | told, start_new_session=True)
    try:
        began = this_machine().start_time(left.pid)
        store = scene.open()
        wiring = scene.wired(store)
        wiring.core.journal("", e.RunStarted("run-0", 1, "0", wiring.project.tasks.id))
        wiring.core.fire("T1", e.Started())
        wiring.core.journal("T1", e.HookStarted(Phase.POST, "judge", left.pid, began, "run-0"))
        store.abandon()
        assert scene.run().exit_code == 0
    finally:
        left.kill()
    assert left.wait() != 0
    assert "hook judge of an earlier run was still running (1 process); ended" in (
        scene.watcher.said
    )
    assert scene.again().exit_code == 0
    assert scene.watcher.said == ""


def test_a_hook_whose_folder_is_missing_says_so(tmp_path: Path) -> None:
    task = {"id": "T1", "post_hooks": ["judge"]}
    settings = {"hooks": {"judge": {"command": "true", "cwd": "not/there"}}}
    scene = Scene(tmp_path / "p", [task], settings, [GOOD])
    assert scene.run().reason == "held"
    assert "not/there" in scene.record().last_error


def test_hooks_that_look_at_changed_files_are_told_them(tmp_path: Path) -> None:
    task = {"id": "T1", "post_hooks": ["docs", "code"]}
    settings = {
        "hooks": {
            "docs": {"command": "false", "when": {"changed": ["docs/**"]}},
            "code": {"command": COUNT, "when": {"changed": ["*.txt"]}},
        }
    }
    scene = Scene(tmp_path / "p", [task], settings, [GOOD])
    assert scene.run().exit_code == 0
    assert count(tmp_path) == 1
    assert [proof.hook for proof in scene.record().judgement.proof] == ["code"]


def test_a_time_out_says_so(tmp_path: Path) -> None:
    task = {"id": "T1", "post_hooks": ["slow"]}
    settings = {
        "hooks": {"slow": {"command": "sleep 60", "timeout": 0.2}},
        "max_attempts_per_task": 1,
    }
    scene = Scene(tmp_path / "p", [task], settings, [GOOD])
    assert scene.run().reason == "held"
    assert "hook slow was ended after 0.2 seconds" in scene.record().last_error


def test_a_red_judge_tells_which_checks_failed(tmp_path: Path) -> None:
    task = {"id": "T1", "post_hooks": ["judge"]}
    judge = {
        "command": "echo 'FAILED test_b - no'; exit 1",
        "failures": {"regex": r"^FAILED (\S+)"},
    }
    settings = {"hooks": {"judge": judge}, "max_attempts_per_task": 1}
    scene = Scene(tmp_path / "p", [task], settings, [GOOD])
    assert scene.run().reason == "held"
    assert scene.record().feedback.splitlines()[:4] == [
        "hook judge failed with exit code 1",
        "command: echo 'FAILED test_b - no'; exit 1",
        "failing: test_b",
        "output:",
    ]


ONE_TASK = {"id": "T1", "post_hooks": ["judge"]}


@pytest.mark.parametrize(
    "command",
    [
        "no-such-tool -q",
        "no-such-tool -q || exit 1",
        "no-such-tool -q | tail -5",
        "python3 -m no_such_module",
        "sh -c no-such-tool; false",
    ],
)
def test_a_tool_that_is_not_installed_costs_no_call(tmp_path: Path, command: str) -> None:
    settings = {"hooks": hooks(judge=command), "baseline": "auto"}
    scene = Scene(tmp_path / "p", [ONE_TASK], settings, [GOOD])
    assert scene.run().reason == "held"
    assert scene.client.asked == []
    (broken,) = scene.events(e.HookBroken)
    assert "is not installed" in broken.reason.partition("\n")[0]
    assert "install it, or correct the hook's command" in scene.record().last_error


@pytest.mark.parametrize("baseline", ["auto", "always", "never"])
@pytest.mark.parametrize("when", [{}, {"changed": ["src/**"]}])
def test_so_does_one_of_a_judge_that_was_not_run(
    tmp_path: Path, baseline: str, when: dict[str, Any]
) -> None:
    """The first judge is red, or nothing that the second one watches has changed yet."""
    second: dict[str, Any] = {"command": "no-such-tool -q", "when": when}
    judges: dict[str, Any] = {**hooks(first="exit 1"), "second": second}
    settings: dict[str, Any] = {"hooks": judges, "baseline": baseline}
    task = {"id": "T1", "post_hooks": ["first", "second"]}
    scene = Scene(tmp_path / "p", [task], settings, [GOOD])
    assert scene.run().reason == "held"
    assert scene.client.asked == []


def test_a_tool_that_was_there_before_the_change_is_the_agents_fault(tmp_path: Path) -> None:
    judge = "if test -f a.txt; then no-such-tool || exit 1; fi; exit 1"
    settings = {"hooks": hooks(judge=judge), "baseline": "always"}
    scene = Scene(tmp_path / "p", [ONE_TASK], settings, [GOOD, whole("a.txt", "two\n")])
    scene.run()
    assert len(scene.client.asked) > 1
    assert scene.events(e.HookBroken) == []


def test_silent_failures_are_no_standstill_while_the_files_change(tmp_path: Path) -> None:
    wants = ["one", "two", "three", "four", "five"]
    judge = " && ".join(f"grep -q {want} a.txt" for want in wants)
    steps = ["".join(f"{w}\n" for w in wants[: n + 1]) for n in range(len(wants))]
    settings = {"hooks": hooks(judge=judge), "max_attempts_per_task": 9}
    scene = Scene(tmp_path / "p", [ONE_TASK], settings, [whole("a.txt", text) for text in steps])
    (tmp_path / "p" / "a.txt").write_text("zero\n")
    assert scene.run().exit_code == 0
    assert scene.record().counts.failures == 4


def test_silent_failures_of_the_same_files_are_one(tmp_path: Path) -> None:
    settings = {"hooks": hooks(judge="exit 1"), "max_attempts_per_task": 9}
    back_and_forth = [GOOD, whole("a.txt", "two\n")] * 4
    scene = Scene(tmp_path / "p", [ONE_TASK], settings, back_and_forth)
    assert scene.run().reason == "held"
    assert len(scene.client.asked) == 4
