"""Conversations with tools, recorded from a strict server and replayed without one."""

import json
from pathlib import Path

import pytest

from tests.cli.scene import Scene
from tests.providers.server import serving
from tests.support.vendors.said import Call, Say
from tests.support.vendors.server import StrictServer

CONVERSATION = [
    Say("I look.", [Call("list_files", {"path": "."}), Call("read_file", {"path": "b.txt"})]),
    Say("", [Call("search", {"pattern": "says"}), Call("nobody_offers_this")]),
    Say("", [Call("edit_file", {"path": "b.txt", "old_text": "says\n", "new_text": "says no\n"})]),
    Say("Done: it says no."),
]


@pytest.mark.parametrize("protocol", ["anthropic", "responses", "chat"])
def test_a_recorded_conversation_is_replayed_without_a_server(
    tmp_path: Path, protocol: str
) -> None:
    turns = iter(CONVERSATION)
    scene, strict = Scene(tmp_path), StrictServer(lambda body: next(turns))
    scene.write("b.txt", "what b says\n")
    scene.tasks({"id": "T1"})
    recorded = tmp_path / "recorded"
    with serving(strict) as server:
        base = server.url if protocol == "anthropic" else f"{server.url}/v1"
        own = {"protocol": protocol, "base_url": base, "model": "any"}
        settings = {"provider": "m", "providers": {"m": own}, "baseline": "never"}
        scene.config(settings, bare=True)
        ended = scene.run("run", "--record", str(recorded))
    assert scene.read("b.txt") == "what b says no\n", ended
    assert strict.refused == []
    assert not strict.paid_twice()
    # all that was sent before is read from the cache
    used = [charge.used for charge in strict.charges]
    assert [later.cached for later in used[1:]] == [before.input for before in used[:-1]]
    answers = [json.loads(path.read_text()) for path in sorted(recorded.glob("T1/*.json"))]
    assert [len(answer["tool_calls"]) for answer in answers] == [2, 2, 1, 0]

    again = Scene(tmp_path / "again")
    again.write("b.txt", "what b says\n")
    again.tasks({"id": "T1"})
    replay = {"replay": {"replies": str(recorded)}}
    again.config({"provider": "replay", "providers": replay, "baseline": "never"}, bare=True)
    ended = again.run("run")
    assert again.read("b.txt") == "what b says no\n", ended
