"""Runs without a terminal: going on, standing still, deciding, and the printed commands."""

import json
from typing import Any

import pytest

from tests.cli.scene import Ended, Scene, reply

RED = {"hooks": {"post": {"command": "grep -q good a.txt"}}, "max_attempts_per_task": 1}
SEARCH = "a.txt\n```\n<<<<<<< SEARCH\nnot there\n=======\nx\n>>>>>>> REPLACE\n```\n"


def test_a_finished_list_has_nothing_left(scene: Scene) -> None:
    scene.config({})
    scene.tasks({"id": "T1"}, {"id": "T2"})
    assert "no run has started here yet" in scene.run("resume").out
    lines_of_json = scene.run("resume", "--json")
    assert (lines_of_json.code, lines_of_json.out) == (0, "")
    for task in ("T1", "T2"):
        scene.change(task, 1)
    first = scene.run("run")
    assert (first.code, first.lines[-1]) == (0, "Nothing is left to do.")
    assert "2 passed (unchecked)" in first.lines[-2]
    assert "\x1b" not in first.out
    again = scene.run("run")
    assert (again.code, again.lines[-1]) == (0, "Nothing is left to do.")
    resumed = scene.run("resume")
    assert (resumed.code, resumed.out) == (
        0,
        "Nothing to resume: every task has passed or was skipped.\n",
    )


def test_the_list_may_be_edited_between_runs(scene: Scene) -> None:
    scene.config({})
    scene.tasks({"id": "T1"}, {"id": "T2"}, {"id": "T3"})
    for task in ("T1", "T2", "T3", "T9"):
        scene.change(task, 1)
        scene.change(task, 2)
    scene.run("run")
    scene.tasks({"id": "T2"}, {"id": "T1", "title": "Another text"}, {"id": "T9"})
    told = scene.run("run").out
    assert "T1 has passed, but its text has changed since" in told
    assert "no longer in the list, kept in the state: T3" in told
    assert told.count("asked replay") == 1  # only the new one
    assert "[text changed since]" in scene.run("status").out
    told = scene.run("run", "--rerun-changed").out
    assert "T1 reset: its text changed since it passed" in told
    assert told.count("asked replay") == 1
    assert "[text changed since]" not in scene.run("status").out


def test_fresh_begins_anew_and_keeps_the_old_state(scene: Scene) -> None:
    scene.config({})
    scene.tasks({"id": "T1"})
    scene.change("T1", 1)
    scene.run("run")
    (scene.project / "T1.txt").unlink()
    again = scene.run("run", "--fresh")
    assert again.code == 0
    assert "asked replay" in again.out
    assert (scene.project / ".agent-runner/archive/001/journal.jsonl").is_file()


def test_a_list_is_run_from_another_folder(scene: Scene) -> None:
    scene.config({"hooks": {"post": {"command": "test -f tasks.yml"}}})
    scene.tasks({"id": "T1", "post_hooks": ["post"]})
    scene.reply("T1", 1, reply(a__txt="x"))
    assert scene.run("run", "project/tasks.yml", cwd=scene.root).code == 0
    assert scene.read("a.txt") == "x\n"
    assert (scene.project / ".agent-runner/journal.jsonl").is_file()
    assert not (scene.root / ".agent-runner").exists()


ESCALATIONS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str], str]] = {
    "pre-hook": (
        {"hooks": {"pre": {"command": "echo nothing there; test -f ok"}}},
        {"pre_hooks": ["pre"]},
        [],
        "pre-hook pre failed; the agent was not asked",
    ),
    "exhausted": (
        RED,
        {"post_hooks": ["post"]},
        [reply(a__txt="bad")],
        "its only attempt is used up",
    ),
    "no progress": (
        {"hooks": RED["hooks"], "max_no_progress": 1},
        {"post_hooks": ["post"]},
        [reply(a__txt="bad")] * 2,
        "no progress in the last attempt: the attempt changed nothing",
    ),
    "failures in a row": (
        {"hooks": RED["hooks"], "max_consecutive_failures": 2},
        {"post_hooks": ["post"]},
        [reply(a__txt="bad"), reply(a__txt="bad\nbad")],
        "2 post-hook failures in a row",
    ),
    "broken hook": (
        {"hooks": {"post": {"command": "no-such-command-here"}}},
        {"post_hooks": ["post"]},
        [reply(a__txt="x")],
        "hook post could not start",
    ),
    "rejected edits": (
        {"max_edit_retries": 1, "max_attempts_per_task": 1},
        {},
        [SEARCH] * 2,
        "the last reply could not be applied",
    ),
    "refused": (
        {},
        {},
        [json.dumps({"text": "no", "finish": "refused"})],
        "the request was refused",
    ),
    "unusable": (
        {"max_unusable_replies": 1},
        {},
        [json.dumps({"text": "", "finish": "truncated"})] * 2,
        "the last 2 replies were unusable",
    ),
}


QUICK = {"pre-hook", "exhausted", "no progress", "refused"}
"""Those that are tried every time; the others take the same way."""


@pytest.mark.parametrize(
    "case",
    [c if c in QUICK else pytest.param(c, marks=pytest.mark.long) for c in ESCALATIONS],
)
def test_without_a_terminal_an_escalation_is_explained_and_stops_the_run(
    scene: Scene, case: str
) -> None:
    config, task, replies, why = ESCALATIONS[case]
    scene.config(config)
    scene.tasks({"id": "T1", **task}, {"id": "T2", "depends_on": ["T1"]}, {"id": "T3"})
    for number, text in enumerate(replies, start=1):
        scene.reply("T1", number, text)
    ended = scene.run("run")
    assert ended.code == 1
    assert f"T1 needs a person: {why}" in ended.out
    assert "Logs: " in ended.out
    assert ended.lines[-1].startswith("A person is needed: T1 failed.")
    for command in ("retry T1 --hint", "check T1", "skip T1", "reset T1", "resume"):
        assert f"agent-runner {command}" in ended.out
    assert max(map(len, ended.lines)) <= 200
    assert scene.states() == {"T1": "escalated", "T2": "pending", "T3": "pending"}


def test_every_printed_command_works_as_it_stands(scene: Scene) -> None:
    """Also with another list, another state folder, and spaces in their names."""
    scene.config(RED)
    task = {"id": "T1", "post_hooks": ["post"]}
    scene.tasks(task, {"id": "T2", "depends_on": ["T1"]}, file="my list.yml")
    for number in (1, 2, 3):
        scene.reply("T1", number, reply(a__txt=f"bad {number}"))
    ended = scene.run("run", "my list.yml", "--state-dir", "its state")
    assert ended.code == 1
    commands = ended.commands()
    assert [words[0] for words in commands] == ["why", "retry", "resume"]
    codes = [scene.run(*words).code for words in commands]
    assert codes == [0, 0, 1]
    explained = [
        line.split("agent-runner ")[1] for line in ended.lines if line.startswith("  agent-runner ")
    ]
    assert len(explained) == 5
    assert all("--tasks 'my list.yml' --state-dir 'its state'" in line for line in explained)
    printed = scene.run(
        "skip", "T1", "--tasks", "my list.yml", "--state-dir", "its state"
    ).commands()
    held = scene.run(*printed[0])
    assert held.code == 1
    assert "T2 cannot start before T1, which was skipped" in held.out
    reset, skip, resume = held.commands()
    assert scene.run(*skip).code == 0
    assert scene.run(*resume).code == 0
    assert scene.run(*reset).code == 0


def escalated(scene: Scene) -> None:
    scene.config(RED)
    scene.tasks({"id": "T1", "post_hooks": ["post"]}, {"id": "T2", "depends_on": ["T1"]})
    scene.reply("T1", 1, reply(a__txt="bad"))
    scene.change("T2", 1)
    assert scene.run("run").code == 1


def test_a_retry_with_a_hint_reaches_the_prompt_and_the_end(scene: Scene) -> None:
    escalated(scene)
    scene.reply("T1", 2, reply(a__txt="good"))
    assert scene.run("retry", "T1", "--hint", "look at the letter g").code == 0
    assert "continues with T1" in scene.run("status").out
    assert "look at the letter g" in scene.run("debug", "prompt", "T1").out
    again = scene.run("retry", "T1")
    assert again.code == 2
    assert "T1 is being worked on" in again.err
    assert scene.run("resume").code == 0
    assert scene.states() == {"T1": "passed", "T2": "passed"}
    told = scene.run("why", "T1").out
    assert "with the hint: look at the letter g" in told


def test_what_a_person_mended_is_checked_without_a_call(scene: Scene) -> None:
    escalated(scene)
    scene.write("a.txt", "good")
    assert scene.run("check", "T1").code == 0
    ended = scene.run("resume")
    assert ended.code == 0
    assert "T1 attempt 2" not in ended.out


def test_a_reset_takes_dependents_along_and_begins_with_attempt_one(scene: Scene) -> None:
    escalated(scene)
    scene.write("a.txt", "good")
    scene.run("check", "T1")
    assert scene.run("resume").code == 0
    ended = scene.run("reset", "T1", "--with-dependents")
    assert ended.out.startswith("reset: T1, T2")
    assert scene.states() == {"T1": "pending", "T2": "pending"}
    assert "nothing was changed" not in ended.out
    assert "T1" in scene.run("usage").out  # what was spent is kept
    listed = json.loads(scene.run("status", "--json").out)["tasks"]
    used = json.loads(scene.run("usage", "--json").out)
    assert sum(task["calls"] for task in listed) == used["total"]["calls"] > 0
    assert sum(t["usage"]["input"] for t in listed) == used["total"]["input"]


def test_a_decision_before_any_run_is_carried_out(scene: Scene) -> None:
    scene.config(RED)
    scene.tasks({"id": "T1", "post_hooks": ["post"]})
    scene.write("a.txt", "good")
    assert scene.run("check", "T1").code == 0
    ended = scene.run("resume")
    assert ended.code == 0
    assert "T1 passed: post exit 0" in ended.out


def unattended(scene: Scene, *flags: str, tasks: int = 4, **config: Any) -> Ended:
    hooks = {"hooks": {"post": {"command": "false"}}, "defaults": {"post_hooks": ["post"]}}
    scene.config({**hooks, "max_attempts_per_task": 1, **config})
    scene.tasks(*({"id": f"T{n}"} for n in range(1, tasks + 1)), {"id": "D", "depends_on": ["T1"]})
    for n in range(1, tasks + 1):
        scene.change(f"T{n}", 1)
    return scene.run("run", *flags)


def test_unattended_runs_go_on_with_what_does_not_depend_on_it(scene: Scene) -> None:
    ended = unattended(scene, "--on-escalation", "continue", tasks=2)
    assert ended.code == 1
    assert ended.out.count("needs a person: its only attempt is used up") == 2
    states = scene.states()
    assert states == {"T1": "escalated", "T2": "escalated", "D": "pending"}
    assert "T1 (failed)" in scene.run("status").out  # what holds D


def test_too_many_escalations_in_a_row_stop_an_unattended_run(scene: Scene) -> None:
    ended = unattended(scene, "--on-escalation", "continue", "--max-escalations", "2")
    assert ended.code == 1
    assert "Too many tasks failed in a row" in ended.lines[-1]
    assert list(scene.states().values()).count("escalated") == 2


def test_the_first_failure_stops_where_that_was_asked_for(scene: Scene) -> None:
    ended = unattended(scene, "--stop-on-first-failure", "--max-attempts", "3")
    assert ended.code == 1
    assert "the run was to stop at the first failure" in ended.out
    assert ended.out.count("asked replay") == 1


def test_a_limit_says_when_and_calls_nobody(scene: Scene) -> None:
    scene.config(
        {"rate_limits": {"replay": {"max_requests_hour": 1}}, "limits": {"timezone": "UTC"}}
    )
    scene.tasks({"id": "T1"}, {"id": "T2"})
    for task in ("T1", "T2"):
        scene.change(task, 1)
    first = scene.run("run")
    assert first.code == 75
    (line,) = (x for x in first.lines if x.startswith("Rate limit reached"))
    assert line.startswith("Rate limit reached, safe to re-run after 20")
    assert line.endswith(":00 UTC")
    assert "1 call an hour" in first.lines[-1]
    assert first.commands() == [["resume"]]
    again = scene.run("run", "--wait-max", "1s")
    assert again.code == 75
    assert line in again.lines
    assert "asked" not in again.out
    assert line in scene.run("status").lines
    assert line in scene.run("resume", "--quiet").lines
    assert scene.run("resume", "--ignore-config-limits").code == 0


def test_looking_ahead_names_what_cannot_run_and_why(scene: Scene) -> None:
    escalated(scene)
    told = scene.run("run", "--dry-run").lines
    assert told == ["T1 waits for a person: agent-runner why T1", "T2 is held by T1"]
    assert scene.run("plan").lines == [
        "Nothing can run now.",
        "T1 waits for a person: agent-runner why T1",
    ]
    scene.run("reset", "T1")
    told = scene.run("run", "--dry-run").lines
    assert told[:3] == [
        "Would run 2 of 2 tasks, in this order:",
        "  1. T1  Do T1",
        "       post-hook post: grep -q good a.txt",
    ]
    assert "Agent calls: at least 2, at most 2" in told
