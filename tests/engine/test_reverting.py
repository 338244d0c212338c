"""What tasks changed is taken back and put back: whole, in order, through every stop in between."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_runner.engine import decisions
from agent_runner.engine.reverting import Outcome
from agent_runner.ground.clock import SystemClock
from agent_runner.model import events as e
from agent_runner.model.errors import UsageError
from tests.engine.deciding import decided, retry, undo
from tests.engine.scene import PowerOut, Scene, dying_at
from tests.engine.scripted import Line, whole
from tests.support.clocks import FakeClock

BROKEN = whole("a.txt", "broken\n") + whole("new/c.txt", "c\n")
JUDGE = {"judge": {"command": "! grep -rq broken --include=*.txt ."}}
FIRST = {"id": "T1", "post_hooks": ["judge"]}
SECOND = {"id": "T2", "post_hooks": ["judge"]}


def scene_of(folder: Path, *script: Line, **settings: Any) -> Scene:
    settings = {"hooks": JUDGE, "max_attempts_per_task": 1, **settings}
    scene = Scene(folder / "p", [FIRST, SECOND], settings, script)
    (scene.folder / "a.txt").write_text("one\n")
    (scene.folder / "b.txt").write_text("one\n")
    return scene


def files(scene: Scene) -> dict[str, str]:
    found = scene.folder.rglob("*.txt")
    return {str(p.relative_to(scene.folder)): p.read_text() for p in found}


CONTINUE = {"on_escalation": "continue"}
BEFORE = {"a.txt": "one\n", "b.txt": "one\n"}
SECOND_DONE = {"a.txt": "one\n", "b.txt": "two\n"}


def test_a_failed_task_is_out_of_the_way_of_those_after_it(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, BROKEN, whole("b.txt", "two\n"), **CONTINUE)
    assert scene.run().reason == "held"
    assert scene.states() == {"T1": "escalated", "T2": "passed"}
    assert files(scene) == SECOND_DONE
    assert not (scene.folder / "new").exists()
    record = scene.record()
    assert "judge failed" in record.last_error
    assert "judge failed" in record.feedback
    assert record.change.is_gone
    assert "retry T1 --put-back" in scene.watcher.said


@pytest.mark.parametrize("settings", [{"on_escalation": "stop"}, {"take_back_failed": False}])
def test_nothing_is_taken_back_where_nobody_comes_next_or_wants_that(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    scene = scene_of(tmp_path, BROKEN, whole("b.txt", "two\n"), **{**CONTINUE, **settings})
    scene.run()
    assert files(scene)["a.txt"] == "broken\n"


def test_what_somebody_edited_meanwhile_stays_and_that_is_said(tmp_path: Path) -> None:
    judge = {"judge": {"command": "echo mine >> a.txt; ! grep -q broken a.txt"}}
    scene = scene_of(tmp_path, BROKEN, whole("b.txt", "two\n"), hooks=judge, **CONTINUE)

    def react(seen: object) -> None:
        if isinstance(getattr(seen, "event", None), e.PostHooksFailed):
            (scene.folder / "a.txt").write_text("mine\n")

    scene.watcher.react = react
    scene.run()
    assert files(scene)["a.txt"] == "mine\nmine\n"
    assert "what T1 changed stays, and other tasks meet it: edited since: a.txt" in (
        scene.watcher.said
    )


@pytest.mark.parametrize("put_back", [True, False, None])
def test_a_retry_begins_anew_or_from_what_was_changed_as_asked(
    tmp_path: Path, put_back: bool | None
) -> None:
    scene = scene_of(tmp_path, BROKEN, whole("b.txt", "two\n"), BROKEN, **CONTINUE)
    scene.run()
    retry(scene, put_back=put_back)
    assert (files(scene)["a.txt"] == "broken\n") is bool(put_back)
    scene.again()
    prompt = scene.client.asked[-1].prompt.messages[0].text
    assert "+broken" in prompt
    assert "judge failed" in prompt
    assert ("taken back" in prompt) is not put_back
    assert ("as earlier attempts at this task left them" in prompt) is bool(put_back)


def test_what_cannot_be_put_back_is_said_and_nothing_is_touched(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, BROKEN, whole("b.txt", "two\n"), **CONTINUE)
    scene.run()
    (scene.folder / "a.txt").write_text("mine\n")
    with pytest.raises(UsageError, match=r"edited since: a\.txt") as refused:
        retry(scene, put_back=True)
    assert refused.value.command == ("retry", "T1", "--anew")
    assert files(scene)["a.txt"] == "mine\n"
    assert scene.record().state == "escalated"


def test_a_change_that_was_never_judged_is_put_back_unasked(tmp_path: Path) -> None:
    judge = {"judge": {"command": "./judge.sh"}}
    scene = scene_of(tmp_path, whole("a.txt", "two\n"), hooks=judge, **CONTINUE)
    scene.tasks = [FIRST]
    scene.write()
    scene.run()
    assert scene.record().retry_to == "post_hooks"
    assert files(scene) == BEFORE
    script = scene.folder / "judge.sh"
    script.write_text("#!/bin/sh\nexit 0\n")
    script.chmod(0o755)
    retry(scene)
    assert scene.again().exit_code == 0
    assert files(scene)["a.txt"] == "two\n"
    assert len(scene.client.asked) == 1


def test_an_undone_task_is_done_no_more_and_holds_what_depends_on_it(tmp_path: Path) -> None:
    changes = [whole("a.txt", "two\n"), whole("a.txt", "three\n"), whole("b.txt", "two\n")]
    scene = scene_of(tmp_path, *changes)
    scene.tasks = [FIRST]
    scene.write()
    assert scene.run().exit_code == 0
    scene.tasks = [FIRST, {**SECOND, "depends_on": ["T1"]}]
    scene.write()
    assert undo(scene).paths == ("a.txt",)
    assert files(scene) == BEFORE
    record = scene.record()
    assert (record.state, record.last_error) == ("escalated", "taken back by a person")
    assert scene.again().reason == "held"
    assert scene.states() == {"T1": "escalated", "T2": "pending"}
    assert len(scene.client.asked) == 1  # nobody pays again unasked
    retry(scene, hint="another way")
    assert scene.again().exit_code == 0
    prompt = scene.client.asked[1].prompt.messages[0].text
    assert "+two" in prompt
    assert "taken back" in prompt
    assert "another way" in prompt


def test_a_check_after_an_undo_judges_the_files_as_they_are(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, whole("a.txt", "two\n"), whole("b.txt", "two\n"))
    assert scene.run().exit_code == 0
    undo(scene)
    decided(scene, lambda wiring: decisions.check(wiring.core, wiring.recovery, "T1"))
    assert scene.again().exit_code == 0
    assert scene.states()["T1"] == "passed"


def test_what_was_kept_can_be_taken_back_later_and_no_more_than_that(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, whole("a.txt", "two\n") + whole("b.txt", "two\n"))
    scene.tasks = [FIRST]
    scene.write()
    scene.run()
    (scene.folder / "a.txt").write_text("mine\n")
    assert undo(scene).refused == "edited since: a.txt"
    assert scene.record().state == "passed"
    assert undo(scene, keep_edited=True).edited == ("a.txt",)
    assert files(scene) == {"a.txt": "mine\n", "b.txt": "one\n"}
    (scene.folder / "a.txt").write_text("two\n")
    (scene.folder / "b.txt").write_text("mine too\n")
    assert undo(scene).paths == ("a.txt",)
    assert files(scene) == {"a.txt": "one\n", "b.txt": "mine too\n"}
    assert undo(scene) == Outcome()


def test_the_order_is_told(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, whole("a.txt", "two\n"), whole("a.txt", "three\n"))
    assert scene.run().exit_code == 0
    refused = undo(scene)
    assert refused.later == ("T2",)
    assert refused.refused == "changed after it by T2: a.txt; undo T2 first"
    assert undo(scene, "T2").paths == ("a.txt",)
    assert undo(scene).paths == ("a.txt",)
    assert files(scene)["a.txt"] == "one\n"


KINDS = (e.TakenBack, e.Undone, e.PutBack, e.RollbackDone)


def stopped_at(scene: Scene, at: int, do: Callable[[Scene], object]) -> bool:
    """Whether the process ended at the so many-th step of writing files."""
    writes = itertools.count()

    def dying(_step: str, _path: str) -> None:
        if next(writes) == at:
            raise PowerOut

    died = False
    scene.on_write = dying
    try:
        do(scene)
    except* PowerOut:
        died = True
    scene.on_write = None
    return died


def assert_whole(scene: Scene, expected: dict[str, str]) -> None:
    assert files(scene) == expected
    assert scene.record().change.planned is None
    assert not [*scene.folder.rglob("*.agent-runner.tmp")]


@pytest.mark.parametrize("at", range(10))
def test_an_undo_that_was_stopped_is_finished_by_the_next_run(tmp_path: Path, at: int) -> None:
    judge = {"judge": {"command": "true"}}
    scene = scene_of(tmp_path, BROKEN, whole("b.txt", "two\n"), hooks=judge)
    assert scene.run().exit_code == 0
    stopped_at(scene, at, undo)
    assert scene.record().state == "escalated"
    assert scene.again().reason == "held"
    assert_whole(scene, SECOND_DONE)


@pytest.mark.parametrize("at", range(10))
def test_a_run_that_was_stopped_while_it_took_back_goes_on(tmp_path: Path, at: int) -> None:
    scene = scene_of(tmp_path, BROKEN, whole("b.txt", "two\n"), **CONTINUE)
    scene.watcher.react = dying_at(e.PostHooksFailed)
    assert scene.killed()
    if stopped_at(scene, at, Scene.again):
        scene.again()
    assert_whole(scene, SECOND_DONE)


@pytest.mark.parametrize("at", range(10))
def test_putting_back_that_was_stopped_is_finished_by_the_retry(tmp_path: Path, at: int) -> None:
    scene = scene_of(tmp_path, BROKEN, whole("b.txt", "two\n"), **CONTINUE)
    scene.run()
    if stopped_at(scene, at, lambda scene: retry(scene, put_back=True)):
        retry(scene, put_back=True)
    assert_whole(scene, {"a.txt": "broken\n", "b.txt": "two\n", "new/c.txt": "c\n"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_stop_after_the_intent_is_finished_by_the_next_run(
    tmp_path: Path, kind: type[e.Event]
) -> None:
    scene = scene_of(tmp_path, BROKEN, whole("b.txt", "two\n"), **CONTINUE)
    scene.watcher.react = dying_at(kind)
    died = scene.killed()
    assert died is (kind in {e.Undone, e.RollbackDone})
    scene.again()
    assert files(scene) == SECOND_DONE
    assert scene.states() == {"T1": "escalated", "T2": "passed"}
    assert len(scene.client.asked) == 2


class RealTimes(FakeClock):
    """The time as files have it."""

    def now(self) -> float:
        return SystemClock().now()


@pytest.mark.parametrize("at", range(16))
def test_an_undo_of_the_whole_tree_that_was_stopped_is_finished_by_the_next_run(
    tmp_path: Path, at: int
) -> None:
    judge = {"judge": {"command": "mkdir -p out && echo x > out/x.txt && echo x >> b.txt"}}
    scene = scene_of(tmp_path, BROKEN, hooks=judge)
    scene.clock, scene.tasks = RealTimes(), [FIRST]
    scene.write()
    assert scene.run().exit_code == 0
    assert files(scene)["b.txt"] == "one\nx\n"
    died = stopped_at(scene, at, lambda scene: undo(scene, whole_tree=True))
    assert died is (at < 13), "every step is tried"
    assert scene.record().state == "escalated"
    assert scene.again().reason == "held"
    assert_whole(scene, BEFORE)
    assert not (scene.folder / "out").exists()
