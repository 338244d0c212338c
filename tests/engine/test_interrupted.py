"""A conversation with tools in the middle of which something happens: every promise holds there.

Each is compared with one that nothing disturbed: what is asked is word for word the same, and no
question that was answered is asked again.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from agent_runner.engine import decisions
from agent_runner.model import events as e
from agent_runner.model.agent import AgentResponse
from agent_runner.model.conversation import digest_of
from agent_runner.model.errors import RateLimitedError, TransientError
from agent_runner.model.fold import Entry
from agent_runner.model.signals import Signal
from agent_runner.providers.client import WORDS, CallContext
from tests.engine.scene import PowerOut, Scene, Settings
from tests.engine.scripted import Line, ScriptedClient, whole
from tests.engine.test_tools import EDIT, READ, calling

HALF = calling(("edit_file", {"path": "a.txt", "old_text": "old", "new_text": "half"}))
MORE = calling(("edit_file", {"path": "b.txt", "old_text": "", "new_text": "b\n"}))
REST = calling(
    ("read_file", {"path": "a.txt"}),
    ("edit_file", {"path": "a.txt", "old_text": "half", "new_text": "new"}),
)
EDIT_HALF = calling(("edit_file", {"path": "a.txt", "old_text": "half", "new_text": "new"}))
SCRIPT: tuple[Line, ...] = (READ, HALF, MORE, "Done.", REST, "Now it is.")


def scene_of(folder: Path, *script: Line, **settings: object) -> Scene:
    """Two attempts of one conversation; a second task waits."""
    more: Settings = {
        "hooks": {"judge": {"command": "grep -q new a.txt"}},
        "providers": {"replay": {"replies": ".", "tools": "native"}},
        **settings,
    }
    tasks = [{"id": "T1", "post_hooks": ["judge"]}]
    scene = Scene(folder / "p", tasks, more)
    scene.client = ScriptedClient(script or SCRIPT, can=evolve(WORDS, tools=True))
    (scene.folder / "a.txt").write_text("old\n")
    return scene


def digests(scene: Scene) -> list[str]:
    return [digest_of(request.prompt) for request in scene.client.asked]


@pytest.fixture
def undisturbed(tmp_path: Path) -> list[str]:
    """What is asked where nothing happens."""
    scene = scene_of(tmp_path / "undisturbed")
    assert scene.run().exit_code == 0
    return digests(scene)


def ends_well(scene: Scene) -> None:
    assert scene.states()["T1"] == "passed"
    assert (scene.folder / "a.txt").read_text() == "new\n"
    assert (scene.folder / "b.txt").read_text() == "b\n"


def at(number: int, kind: type[e.Event], act: Callable[[], object]) -> Callable[..., None]:
    """Act when the n-th event of a kind is journaled."""
    seen = 0

    def react(entry: Entry | Signal) -> None:
        nonlocal seen
        if isinstance(entry, Entry) and isinstance(entry.event, kind):
            seen += 1
            if seen == number:
                act()

    return react


@pytest.mark.parametrize("kind", [e.CallSettled, e.Consulted, e.Replied, e.Applied])
@pytest.mark.parametrize("number", [1, 2])
def test_a_stop_between_turns_loses_nothing(
    tmp_path: Path, undisturbed: list[str], kind: type[e.Event], number: int
) -> None:
    scene = scene_of(tmp_path)
    scene.watcher.react = at(number, kind, lambda: scene.control.stop("quit", 130))
    assert scene.run().exit_code == 130
    assert scene.again().exit_code == 0
    ends_well(scene)
    assert digests(scene) == undisturbed
    assert scene.record().spent.possibly_billed == 0


def test_a_stop_ends_a_search_that_goes_on(tmp_path: Path) -> None:
    slow = calling(("search", {"pattern": "(a|aa)+$"}))

    def soon(context: CallContext) -> AgentResponse:
        asyncio.get_running_loop().call_later(0.3, scene.control.stop, "quit", 130)
        return slow

    scene = scene_of(tmp_path, soon, EDIT, "Done.")
    (scene.folder / "c.txt").write_text("a" * 60 + "b\n")
    began = time.monotonic()
    assert scene.run().exit_code == 130
    assert time.monotonic() - began < 5
    (scene.folder / "c.txt").unlink()
    assert scene.again().exit_code == 0
    assert len(scene.client.asked) == 3


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_task_that_is_skipped_leaves_no_draft_behind(tmp_path: Path, number: int) -> None:
    scene = scene_of(tmp_path, *SCRIPT[:number], "NO CHANGE NEEDED: it is no task of mine")
    scene.tasks.append({"id": "T2", "post_hooks": []})
    scene.write()
    scene.watcher.react = at(number, e.CallSettled, scene.control.skip)
    scene.run()
    assert scene.states()["T1"] == "skipped"
    assert (scene.folder / "a.txt").read_text() == "old\n"
    assert not (scene.folder / "b.txt").exists()
    following = scene.client.asked[number].prompt
    assert scene.client.asked[number].task == "T2"
    assert len(following.messages) == 1


def test_a_pause_waits_for_the_end_of_the_conversation(
    tmp_path: Path, undisturbed: list[str]
) -> None:
    scene = scene_of(tmp_path)
    pause = at(2, e.Consulted, scene.control.toggle_pause)
    go_on = at(1, e.PostHooksPassed, scene.control.toggle_pause)

    def react(seen: Entry | Signal) -> None:
        pause(seen)
        go_on(seen)

    scene.watcher.react = react
    assert scene.run().exit_code == 0
    ends_well(scene)
    assert digests(scene) == undisturbed


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_a_limit_in_the_middle_goes_on_in_the_next_hour(
    tmp_path: Path, undisturbed: list[str], limit: int
) -> None:
    scene = scene_of(tmp_path, rate_limits={"replay": {"max_requests_hour": limit}})
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code) == ("limit", 75)
    assert len(scene.client.asked) == limit
    scene.wait = 9 * 3600.0
    assert scene.again().exit_code == 0
    ends_well(scene)
    assert digests(scene) == undisturbed


def asked_again(folder: Path, turn: int, script: tuple[Line, ...], **settings: object) -> list[str]:
    """What is asked where a provider wants a wait before that turn, which is asked for twice."""
    told = RateLimitedError("tomorrow", retry_after=40_000)
    scene = scene_of(folder, *script[:turn], told, *script[turn:], **settings)
    assert scene.run().exit_code == 75
    scene.wait = 90_000.0
    assert scene.again().exit_code == 0
    assert scene.states()["T1"] == "passed"
    asked = digests(scene)
    assert asked.pop(turn) == asked[turn]
    return asked


@pytest.mark.parametrize("turn", range(6))
def test_a_provider_that_asks_to_wait_is_asked_the_same_later(
    tmp_path: Path, undisturbed: list[str], turn: int
) -> None:
    assert asked_again(tmp_path / "again", turn, SCRIPT) == undisturbed


@pytest.mark.parametrize("turn", [1, 2, 3, 4])
def test_the_same_holds_where_each_attempt_begins_anew(tmp_path: Path, turn: int) -> None:
    """And where an attempt changed nothing, which the next one is told."""
    same = whole("a.txt", "old\n")
    script: tuple[Line, ...] = (READ, same, same, whole("a.txt", "half\n"), EDIT_HALF, "Done.")
    settings = {"conversation": "fresh", "max_no_progress": 9, "max_attempts_per_task": 9}
    scene = scene_of(tmp_path / "whole", *script, **settings)
    assert scene.run().exit_code == 0
    assert asked_again(tmp_path / "again", turn, script, **settings) == digests(scene)


@pytest.mark.parametrize("most", [1, 3, 5])
def test_a_runs_budget_that_is_used_up_goes_on_with_the_next_run(
    tmp_path: Path, undisturbed: list[str], most: int
) -> None:
    scene = scene_of(tmp_path, budget={"max_calls_run": most})
    stopped = scene.run()
    assert (stopped.reason, len(scene.client.asked)) == ("budget", most)
    scene.settings = {**scene.settings, "budget": {}}
    scene.write()
    assert scene.again().exit_code == 0
    ends_well(scene)
    assert digests(scene) == undisturbed


def retry(scene: Scene, hint: str = "", **settings: object) -> None:
    """A person lifts a limit and wants another try."""
    scene.settings = {**scene.settings, **settings}
    scene.write()
    store = scene.open()
    decisions.retry(scene.wired(store).core, "T1", hint=hint)
    store.close()


@pytest.mark.parametrize("most", range(1, 6))
def test_a_tasks_budget_that_is_used_up_asks_a_person_and_a_retry_goes_on(
    tmp_path: Path, undisturbed: list[str], most: int
) -> None:
    """No draft is applied meanwhile, and nothing is paid for a second time."""
    scene = scene_of(tmp_path, budget={"max_calls_task": most})
    assert scene.run().exit_code != 0
    assert scene.states() == {"T1": "escalated"}
    assert "max_calls_task" in scene.record().last_error
    assert (scene.folder / "a.txt").read_text() == ("old\n" if most < 4 else "half\n")
    assert len(scene.client.asked) == most
    retry(scene, budget={"max_calls_task": 20})
    assert scene.again().exit_code == 0
    ends_well(scene)
    assert digests(scene) == undisturbed


@pytest.mark.parametrize("kind", [e.CallStarted, e.CallSettled])
def test_time_that_is_used_up_asks_a_person_and_a_retry_goes_on(
    tmp_path: Path, undisturbed: list[str], kind: type[e.Event]
) -> None:
    scene = scene_of(tmp_path, max_minutes_task=1)
    scene.watcher.react = at(2, kind, lambda: setattr(scene.clock, "at", scene.clock.at + 61))
    assert scene.run().exit_code != 0
    assert scene.events(e.OutOfTime)
    retry(scene)
    assert scene.again().exit_code == 0
    ends_well(scene)
    assert digests(scene) == undisturbed


def test_a_hint_begins_another_attempt_since_the_model_has_to_read_it(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, READ, HALF, EDIT, MORE, "Done.", budget={"max_calls_task": 2})
    assert scene.run().exit_code != 0
    retry(scene, "use b.txt as well", budget={"max_calls_task": 20})
    assert scene.again().exit_code == 0
    third = scene.client.asked[2].prompt
    assert len(third.messages) == 1
    assert "use b.txt as well" in third.messages[0].text
    ends_well(scene)


def test_after_a_fallback_a_kill_changes_nothing(tmp_path: Path) -> None:
    down = TransientError("down", status=503)
    settings = {
        "providers": {
            "replay": {"replies": ".", "tools": "native", "fallback": ["second"]},
            "second": {"protocol": "replay", "replies": ".", "model": "another"},
        },
        "retry": {"max_tries": 2},
    }
    script = (READ, HALF, down, down, MORE, "Done.", REST, "Now it is.")
    whole, killed = (scene_of(tmp_path / name, *script, **settings) for name in ("a", "b"))
    assert whole.run().exit_code == 0

    def die() -> None:
        raise PowerOut

    killed.watcher.react = at(3, e.Consulted, die)
    assert killed.killed()
    assert killed.again().exit_code == 0
    for scene in (whole, killed):
        ends_well(scene)
    assert digests(killed) == digests(whole)


def test_a_task_that_is_edited_in_the_middle_begins_anew_with_its_drafts_forgotten(
    tmp_path: Path,
) -> None:
    scene = scene_of(tmp_path, READ, HALF, EDIT, MORE, "Done.")
    scene.watcher.react = at(2, e.Consulted, lambda: scene.control.stop("quit", 130))
    assert scene.run().exit_code == 130
    scene.tasks = [{**scene.tasks[0], "description": "Do something else."}]
    scene.write()
    assert scene.again().exit_code == 0
    third = scene.client.asked[2].prompt
    assert len(third.messages) == 1
    assert "Do something else." in third.messages[0].text
    ends_well(scene)


def test_a_file_that_somebody_changes_in_the_middle_is_theirs(tmp_path: Path) -> None:
    """A draft that fits no more is dropped, and the agent is told so before it replies."""
    again = calling(("edit_file", {"path": "a.txt", "old_text": "mine", "new_text": "mine new"}))
    scene = scene_of(tmp_path, READ, HALF, MORE, again, "Done.")
    scene.watcher.react = at(2, e.Consulted, lambda: (scene.folder / "a.txt").write_text("mine\n"))
    assert scene.run().exit_code == 0
    told = scene.client.asked[3].prompt.messages[-1].answers[-1].text
    assert "fit no more" in told
    assert (scene.folder / "a.txt").read_text() == "mine new\n"
