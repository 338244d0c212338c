"""The power goes, or the disk refuses, at every write and sync of a conversation with tools.

As in `test_lost_writes.py`: what was not synced is gone. Looks, drafts, a check, a reply that does
not fit, a red hook; and what is said after it is word for word what would have been said.
"""

import contextlib
import json
import random
import re
from pathlib import Path

import pytest
from attrs import evolve, frozen

from agent_runner.model import events as e
from agent_runner.model.agent import AgentResponse, ToolCall
from agent_runner.model.errors import StorageError
from agent_runner.providers.client import WORDS, CallContext
from agent_runner.store.codec import to_plain
from tests.crash.test_lost_writes import (
    REFUSALS,
    SAMPLE,
    SURVIVORS,
    MortalLossyDisk,
    RefusingDisk,
    moves,
)
from tests.engine.scene import Scene
from tests.engine.scripted import ScriptedClient, replacing
from tests.support.exploring import Share

pytestmark = pytest.mark.crash

JUDGE = {"judge": {"command": "grep -q three a.txt", "agent": True}}
CHECK = ("run_check", {"hook": "judge"})


_OUTPUT = re.compile(r'"[^"]*output of (judge|`judge`)[^"]*"(, "is_error": true)?')


def edit(old: str, new: str, path: str = "a.txt") -> tuple[str, dict[str, str]]:
    return "edit_file", {"path": path, "old_text": old, "new_text": new}


TURNS = (
    ("", ("read_file", {"path": "a.txt"}), ("search", {"pattern": "one"})),
    ("", edit("none", "x"), edit("one", "two"), CHECK),
    (replacing("a.txt", "nothing like it\n", "x\n"),),  # and what is drafted is kept
    ("", edit("", "b\n", "b.txt"), CHECK),
    ("Done.",),  # red
    ("", ("hook_output", {"hook": "judge"}), edit("two", "three")),
    ("It is three now.",),
)


def answer(context: CallContext) -> AgentResponse:
    """By what is asked and not by how often: a call that was lost is answered as it was before."""
    said = context.request.prompt.messages
    number = sum(message.role == "assistant" for message in said)
    text, *uses = TURNS[number]
    calls = (
        ToolCall(f"{number}-{at}", name, json.dumps(given)) for at, (name, given) in enumerate(uses)
    )
    return AgentResponse(str(text), tool_calls=tuple(calls), model="scripted")


def scene_in(folder: Path) -> Scene:
    settings = {"hooks": JUDGE, "providers": {"replay": {"replies": ".", "tools": "native"}}}
    scene = Scene(folder / "p", [{"id": "T1", "post_hooks": ["judge"]}], settings)
    scene.client = ScriptedClient([answer] * 20, can=evolve(WORDS, tools=True))
    (scene.folder / "a.txt").write_text("one\n")
    return scene


def on(scene: Scene, disk: MortalLossyDisk) -> None:
    scene.disk, scene.on_write = disk, disk.touched


def asked(scene: Scene) -> list[str]:
    """What was asked. Left out are how long a check took, and a hook's log, which is not synced."""
    plain = (json.dumps(to_plain(request.prompt)) for request in scene.client.asked)
    return [re.sub(r" after \d+\.\d s", "", _OUTPUT.sub("", one)) for one in plain]


@frozen
class Undisturbed:
    """The run that every other must equal, and how often it changes the disk."""

    scene: Scene
    points: int


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    scene = scene_in(tmp_path_factory.mktemp("undisturbed"))
    disk = MortalLossyDisk(scene.state_dir, 1_000_000)
    on(scene, disk)
    assert scene.run().exit_code == 0
    assert len(asked(scene)) == len(TURNS)
    kinds = set(scene.kinds())
    assert {"Consulted", "Rejected", "PostHooksFailed"} <= kinds
    return Undisturbed(scene, disk.used)


def goes_on(scene: Scene, whole: Undisturbed) -> None:
    """With a good disk it asks the same, and only what is reported as lost a second time."""
    on(scene, MortalLossyDisk(scene.state_dir, 1_000_000))
    assert scene.again().exit_code == 0
    assert list(dict.fromkeys(asked(scene))) == asked(whole.scene)
    lost = [event for event in scene.events(e.CallSettled) if event.outcome == "lost"]
    assert len(lost) <= 1
    assert len(asked(scene)) <= len(TURNS) + len(lost), "paid for twice"
    assert moves(scene) == moves(whole.scene)
    for name in ("a.txt", "b.txt"):
        assert (scene.folder / name).read_text() == (whole.scene.folder / name).read_text()


def cut_and_resumed(
    folder: Path, lives: int, survivors: tuple[str, ...], whole: Undisturbed
) -> None:
    scene = scene_in(folder)
    disk = MortalLossyDisk(scene.state_dir, lives)
    on(scene, disk)
    assert scene.killed()
    disk.power_cut(keep=1_000_000, of=survivors)
    goes_on(scene, whole)


def refused_and_resumed(folder: Path, lives: int, number: int, whole: Undisturbed) -> None:
    scene = scene_in(folder)
    on(scene, RefusingDisk(scene.state_dir, lives, number, for_good=True))
    with contextlib.suppress(StorageError):  # even the run's last record could not be written
        assert scene.run().exit_code in {0, 3}
    goes_on(scene, whole)


def test_the_power_goes_somewhere(
    tmp_path: Path, undisturbed: Undisturbed, dice: random.Random
) -> None:
    for number in range(SAMPLE):
        lives, survivors = dice.randrange(undisturbed.points), dice.choice(SURVIVORS)
        print(f"before change {lives + 1} of {undisturbed.points}, kept: {survivors}")  # noqa: T201  # on failure
        cut_and_resumed(tmp_path / str(number), lives, survivors, undisturbed)


def test_the_disk_refuses_somewhere(
    tmp_path: Path, undisturbed: Undisturbed, dice: random.Random
) -> None:
    for number in range(SAMPLE):
        lives, code = dice.randrange(undisturbed.points), dice.choice(REFUSALS)
        print(f"change {lives + 1} of {undisturbed.points}, {code}")  # noqa: T201  # on failure
        refused_and_resumed(tmp_path / str(number), lives, code, undisturbed)


@pytest.mark.long
@pytest.mark.parametrize("survivors", SURVIVORS, ids=lambda names: "+".join(names) or "nothing")
def test_the_power_goes_before_each_change(
    tmp_path: Path, undisturbed: Undisturbed, survivors: tuple[str, ...], share: Share
) -> None:
    for lives in share.of(range(undisturbed.points)):
        print(f"before change {lives + 1} of {undisturbed.points}")  # noqa: T201  # on failure
        cut_and_resumed(tmp_path / str(lives), lives, survivors, undisturbed)


@pytest.mark.long
@pytest.mark.parametrize("code", REFUSALS)
def test_the_disk_refuses_each_change(
    tmp_path: Path, undisturbed: Undisturbed, code: int, share: Share
) -> None:
    for lives in share.of(range(undisturbed.points)):
        print(f"change {lives + 1} of {undisturbed.points}")  # noqa: T201  # shown on failure
        refused_and_resumed(tmp_path / str(lives), lives, code, undisturbed)
