"""A conversation on disk: a chain of what was new, put together again after any stop."""

import json
import random
import string
import zlib
from pathlib import Path

import pytest
from attrs import evolve

from agent_runner.model import events as e
from agent_runner.model.agent import AgentRequest, AgentResponse, Message, Prompt, ToolCall
from agent_runner.model.conversation import digest_of
from agent_runner.providers.client import WORDS
from agent_runner.store.codec import to_plain_whole
from tests.engine.scene import Scene, Settings, dying_at
from tests.engine.scripted import Line, ScriptedClient, replacing, showing, whole

T1 = {"id": "T1", "post_hooks": ["judge"]}
JUDGE = {"judge": {"command": "grep -q new a.txt"}}


def scene_of(folder: Path, *script: Line, **settings: object) -> Scene:
    more: Settings = {"hooks": JUDGE, **settings}
    scene = Scene(folder / "p", [T1], more, script)
    (scene.folder / "a.txt").write_text("old\n")
    return scene


@pytest.mark.parametrize("rule", ["continue", "fresh"])
@pytest.mark.parametrize("path", [".env", "private/p.py"])
def test_what_a_hidden_file_held_is_in_no_message(tmp_path: Path, rule: str, path: str) -> None:
    """Not even where a reply replaced it, and the next one is shown what was changed so far."""
    replaced = f"\nWhole file: {path}\n```\nx = 1\n```\n"
    scene = scene_of(
        tmp_path,
        replaced,
        whole("b.txt", "b\n"),
        whole("a.txt", "new\n"),
        prompt={"hide": ["private"]},
        conversation=rule,
        max_no_progress=9,
    )
    for name in (".env", "private/p.py"):
        (scene.folder / name).parent.mkdir(exist_ok=True)
        (scene.folder / name).write_text("PASSWORD=hunter2\n")
    assert scene.run().exit_code == 0
    assert len(scene.client.asked) == 3
    for request in scene.client.asked:
        assert "hunter2" not in "".join(texts(request.prompt))
    if rule == "fresh":
        assert f"diff --git a/{path}" in texts(scene.client.asked[1].prompt)[0]


def texts(prompt: Prompt) -> list[str]:
    return [message.text for message in prompt.messages]


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_fifteen_turns_take_no_more_room_than_what_was_said(tmp_path: Path) -> None:
    """All that the state folder keeps of the conversation, for the runner and for people."""
    scene = scene_of(tmp_path, *(showing(f"{n}.txt") for n in range(14)), whole("a.txt", "new\n"))
    scene.settings = {**scene.settings, "prompt": {"max_turns": 30}}
    scene.write()
    for number in range(14):
        lines = (f"line {number} {n}: {n * 7919 % 1000003}\n" for n in range(300))
        (scene.folder / f"{number}.txt").write_text("".join(lines))
    assert scene.run().exit_code == 0
    last = scene.client.asked[-1].prompt
    said = len(last.system) + sum(map(len, texts(last)))
    kept = size(scene.state_dir / "blobs") + size(scene.state_dir / "logs")
    assert len(scene.client.asked) == 15
    assert kept <= 1.1 * said
    assert not list(scene.state_dir.rglob("prompt.md"))


def test_the_same_holds_for_tools_and_a_providers_own_items(tmp_path: Path) -> None:
    """Thoughts of incompressible text, twice in an answer by nature: its words and its items."""

    def looking(number: int) -> AgentResponse:
        thought = "".join(random.Random(number).choices(string.ascii_letters, k=2_000))
        given = json.dumps({"path": f"{number}.txt"})
        call = ToolCall(f"id-{number}", "read_file", given)
        raw = json.dumps([{"type": "thinking", "thinking": thought}, {"input": given}])
        return AgentResponse("I look.", tool_calls=(call,), raw=raw, model="scripted")

    scene = scene_of(
        tmp_path,
        prompt={"max_turns": 30},
        providers={"replay": {"replies": ".", "tools": "native"}},
    )
    script: list[Line] = [*map(looking, range(14)), whole("a.txt", "new\n")]
    scene.client = ScriptedClient(script, can=evolve(WORDS, tools=True))
    for number in range(14):
        lines = (f"line {number} {n}: {n * 7919 % 1000003}\n" for n in range(300))
        (scene.folder / f"{number}.txt").write_text("".join(lines))
    assert scene.run().exit_code == 0
    last = scene.client.asked[-1].prompt
    said = len(last.system) + sum(map(len, texts(last)))
    said += sum(len(message.raw) for message in last.messages)
    said += sum(len(one.text) for message in last.messages for one in message.answers)
    kept = size(scene.state_dir / "blobs") + size(scene.state_dir / "logs")
    assert len(scene.client.asked) == 15
    assert kept <= 1.1 * said, (kept, said)


@pytest.mark.parametrize("kind", [e.CallSettled, e.Consulted, e.Rejected, e.PostHooksFailed])
def test_after_a_kill_the_same_is_said(tmp_path: Path, kind: type[e.Event]) -> None:
    script = (
        showing("a.txt"),
        replacing("a.txt", "none\n", "other\n"),
        replacing("a.txt", "old\n", "other\n"),
        replacing("a.txt", "other\n", "new\n"),
    )
    undisturbed, killed = scene_of(tmp_path / "one", *script), scene_of(tmp_path / "two", *script)
    assert undisturbed.run().exit_code == 0
    killed.watcher.react = dying_at(kind)
    assert killed.killed()
    assert killed.again().exit_code == 0
    assert [digest_of(r.prompt) for r in killed.client.asked] == [
        digest_of(r.prompt) for r in undisturbed.client.asked
    ]


def test_red_hooks_are_told_in_the_same_conversation(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, whole("a.txt", "other\n"), whole("a.txt", "new\n"))
    assert scene.run().exit_code == 0
    first, second = (request.prompt for request in scene.client.asked)
    assert second.messages[:1] == first.messages
    assert second.messages[1] == Message("assistant", whole("a.txt", "other\n"))
    assert "judge" in second.messages[2].text
    assert "attempt 2" in second.messages[2].text


def test_each_attempt_may_begin_anew(tmp_path: Path) -> None:
    scene = scene_of(
        tmp_path, whole("a.txt", "other\n"), whole("a.txt", "new\n"), conversation="fresh"
    )
    assert scene.run().exit_code == 0
    (second,) = scene.client.asked[1].prompt.messages
    assert "+other" in second.text
    assert "judge" in second.text


def test_two_attempts_without_progress_end_the_conversation(tmp_path: Path) -> None:
    same = whole("a.txt", "other\n")
    scene = scene_of(
        tmp_path,
        same,
        same,
        same,
        whole("a.txt", "new\n"),
        max_no_progress=9,
        max_attempts_per_task=9,
    )
    assert scene.run().exit_code == 0
    assert [len(r.prompt.messages) for r in scene.client.asked] == [1, 3, 5, 1]


def test_a_task_that_is_edited_meanwhile_is_told_as_it_is_now(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, showing("a.txt"), whole("a.txt", "new\n"))
    scene.watcher.react = dying_at(e.Consulted)
    assert scene.killed()
    scene.tasks = [{**T1, "description": "Do something else."}]
    scene.write()
    assert scene.again().exit_code == 0
    (message,) = scene.client.asked[-1].prompt.messages
    assert "Do something else." in message.text
    assert len(scene.client.asked) == 2
    assert "the task was changed in the list" in closed(scene)


def closed(scene: Scene) -> str:
    reasons = (
        entry.event.reason
        for entry in scene.watcher.entries
        if isinstance(entry.event, e.ConversationClosed)
    )
    return "; ".join(reasons)


def test_what_is_not_as_it_was_sent_begins_anew_and_is_not_paid_twice(tmp_path: Path) -> None:
    """Another release may put the earlier turns into other words."""
    scene = scene_of(tmp_path, showing("a.txt"), whole("a.txt", "new\n"))
    scene.watcher.react = dying_at(e.Consulted)
    assert scene.killed()
    store = scene.open()
    blobs = store.blobs
    kept = json.loads(zlib.decompress(blobs.read("T1/call-01/request") or b""))
    blobs.write("T1/call-01/request", json.dumps({**kept, "digest": "0" * 64}).encode())
    blobs.sync()
    store.abandon()
    assert scene.again().exit_code == 0
    assert [len(request.prompt.messages) for request in scene.client.asked] == [1, 1]
    assert "not as they were sent" in closed(scene)


def test_whole_prompts_of_earlier_releases_are_gone_on_from(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, showing("a.txt"), whole("a.txt", "new\n"))
    scene.watcher.react = dying_at(e.Consulted)
    assert scene.killed()
    store = scene.open()
    before = Prompt("the system", (Message("user", "the question"),))
    old = AgentRequest("T1/call-01", "T1", 1, 1, 1, "replay", "replay", before, 16000)
    answer = AgentResponse(showing("a.txt"), model="scripted")
    for name, value in (("request", old), ("response", answer)):
        content = json.dumps(to_plain_whole(value), indent=1).encode("ascii")
        store.blobs.write(f"T1/call-01/{name}", content)
    store.blobs.sync()
    store.abandon()
    assert scene.again().exit_code == 0
    prompt = scene.client.asked[-1].prompt
    assert prompt.system == "the system"
    assert texts(prompt)[:2] == ["the question", showing("a.txt")]
