"""Replies without a change, and tasks that leave the files as they were: not done in silence."""

from pathlib import Path
from typing import Any

import pytest

from agent_runner.model import events as e
from agent_runner.model.agent import AgentResponse
from agent_runner.model.decisions import Choice, Decision
from agent_runner.model.hooks import Phase
from agent_runner.providers.client import IN_PLACE
from tests.engine.scene import Scene, ScriptedPerson, hooks
from tests.engine.scripted import Line, ScriptedClient, whole

WORDS = "Could you show me the module and say which median you mean?\n"
NOT_NEEDED = "It is sorted already.\n\nNO CHANGE NEEDED: the list is sorted\n"
CHANGE = whole("a.txt", "two\n")
TASK = {"id": "T1", "post_hooks": ["judge"]}


def scene_of(folder: Path, *script: Line, judge: str = "true", **settings: Any) -> Scene:
    scene = Scene(folder / "p", [TASK], {"hooks": hooks(judge=judge), **settings}, script)
    (scene.folder / "a.txt").write_text("one\n")
    return scene


def judged(scene: Scene) -> int:
    """How often a post-hook ran."""
    return sum(event.phase is Phase.POST for event in scene.events(e.HookFinished))


def test_words_are_answered_with_the_forms_and_judged_by_no_hook(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, WORDS, CHANGE)
    assert scene.run().exit_code == 0
    (rejected,) = scene.events(e.Rejected)
    assert rejected.reason == e.NO_CHANGE
    assert [request.attempt for request in scene.client.asked] == [1, 1]
    answer = scene.client.asked[1].prompt.messages[-1].text
    assert "What I saw: words only" in answer
    assert "NO CHANGE NEEDED: why" in answer
    assert judged(scene) == 1
    assert not scene.record().judgement.nothing_changed


def test_words_without_an_end_come_to_a_person_and_cost_no_further_attempt(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, *[WORDS] * 9, max_edit_retries=1)
    assert scene.run().reason == "held"
    record = scene.record()
    assert (record.state, record.counts.attempts, len(scene.client.asked)) == ("escalated", 1, 2)
    assert "no change in a known form" in record.last_error
    assert record.may_be_passed
    assert judged(scene) == 0


def test_where_nothing_changed_may_pass_the_hooks_decide_about_words(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, *[WORDS] * 9, max_edit_retries=0, nothing_changed="pass")
    assert scene.run().exit_code == 0
    assert scene.record().judgement.nothing_changed
    assert judged(scene) == 1


def test_words_that_the_hooks_refuse_are_no_progress(tmp_path: Path) -> None:
    settings = {"max_edit_retries": 0, "nothing_changed": "pass", "max_no_progress": 1}
    scene = scene_of(tmp_path, *[WORDS] * 9, judge="false", **settings)
    assert scene.run().reason == "held"
    assert scene.record().judgement.no_progress_reason == "the attempt changed nothing"


@pytest.mark.parametrize("baseline", ["always", "never"])
def test_a_reason_is_shown_to_a_person(tmp_path: Path, baseline: str) -> None:
    scene = scene_of(tmp_path, NOT_NEEDED, baseline=baseline)
    assert scene.run().reason == "held"
    record = scene.record()
    assert record.state == "escalated"
    assert "nothing was changed; the model says: the list is sorted" in record.last_error
    assert record.may_be_passed
    assert record.judgement.proof


def test_a_person_may_pass_it_as_it_is(tmp_path: Path) -> None:
    """Also where the hooks leave caches beside the files."""
    scene = scene_of(tmp_path, NOT_NEEDED, judge="echo x > cache")
    scene.settings = {**scene.settings, "on_escalation": "ask"}
    scene.write()
    scene.person = ScriptedPerson([Decision(Choice.CHECK)])
    assert scene.run().exit_code == 0
    assert scene.record().state == "passed"
    assert scene.record().judgement.nothing_changed


def test_a_person_may_have_it_tried_again(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, NOT_NEEDED, CHANGE)
    scene.person = ScriptedPerson([Decision(Choice.RETRY, "sort it the other way")])
    assert scene.run().exit_code == 0
    prompt = scene.client.asked[1].prompt.messages[-1].text
    assert "nothing was changed" in prompt
    assert "sort it the other way" in prompt
    assert scene.record().counts.attempts == 2
    assert not scene.record().judgement.nothing_changed


def test_checks_that_turn_green_are_enough(tmp_path: Path) -> None:
    flaky = "test -e ../seen || { touch ../seen; false; }"
    scene = scene_of(tmp_path, NOT_NEEDED, judge=flaky, baseline="always")
    assert scene.run().exit_code == 0
    assert scene.record().judgement.nothing_changed


@pytest.mark.parametrize("rule", ["escalate", "pass"])
def test_the_rule_decides(tmp_path: Path, rule: str) -> None:
    scene = scene_of(tmp_path, NOT_NEEDED, nothing_changed=rule)
    assert scene.run().exit_code == (0 if rule == "pass" else 1)
    assert scene.record().judgement.nothing_changed


@pytest.mark.parametrize(
    ("judge", "nothing"),
    [
        ("echo one > a.txt", True),
        ("echo one > a.txt; echo x > cache", True),
        ("echo three > a.txt", False),
        ("true", False),
    ],
)
def test_a_hook_may_have_taken_the_change_back(tmp_path: Path, judge: str, nothing: bool) -> None:
    scene = scene_of(tmp_path, CHANGE, judge=judge)
    scene.run()
    assert scene.record().judgement.nothing_changed is nothing
    assert scene.record().state == ("escalated" if nothing else "passed")
    assert ("was taken back" in scene.record().last_error) is nothing


def test_a_change_that_stood_already_is_none(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, whole("a.txt", "one\n"))
    assert scene.run().reason == "held"
    assert scene.record().judgement.nothing_changed


def test_an_attempt_that_adds_nothing_to_an_earlier_one_may_pass(tmp_path: Path) -> None:
    second_time = "test -e ../seen || { touch ../seen; false; }"
    scene = scene_of(tmp_path, CHANGE, NOT_NEEDED, judge=second_time)
    assert scene.run().exit_code == 0
    assert not scene.record().judgement.nothing_changed
    assert scene.record().change.no_change == "the list is sorted"


@pytest.mark.parametrize(("said", "calls"), [("Done.", 3), (NOT_NEEDED, 1)])
def test_an_agent_that_changes_files_itself_is_asked_the_same(
    tmp_path: Path, said: str, calls: int
) -> None:
    scene = scene_of(tmp_path)
    scene.client = ScriptedClient([AgentResponse(said, edits=())] * 9, can=IN_PLACE)
    assert scene.run().reason == "held"
    assert len(scene.client.asked) == calls
    assert scene.record().may_be_passed


def test_a_command_may_be_the_change(tmp_path: Path) -> None:
    allow = {"commands": "allow", "allow": ["sh *"]}
    script = "```sh run\nsh -c 'echo new > made.txt'\n```\n"
    scene = scene_of(tmp_path, script, apply=allow)
    assert scene.run().exit_code == 0
    assert not scene.record().judgement.nothing_changed
    script = "```sh run\nsh -c true\n```\n"
    scene = scene_of(tmp_path / "none", script, apply=allow)
    assert scene.run().reason == "held"
    assert scene.record().judgement.nothing_changed
