"""Whole runs with tools, against a server as strict as the vendors', in all three protocols."""

import json
import signal
from collections.abc import Mapping
from typing import Any

import pytest

from tests.cli.scene import Scene
from tests.e2e.driving import going
from tests.e2e.wire import Silence, entries, settings
from tests.providers.server import serving
from tests.support.vendors.said import Call, Say
from tests.support.vendors.server import StrictServer

HOOKS: dict[str, Any] = {
    "hooks": {"ok": {"command": "grep -q 'alpha = 3' a.py"}},
    "defaults": {"post_hooks": ["ok"]},
    "provider": {"edit_format": "replace"},
}


def careful(body: Mapping[str, Any]) -> Say:
    """It decides by what it was shown: looks, drafts, replies, and mends what the checks say."""
    shown = json.dumps(body)
    if "alpha = 1" not in shown:
        return Say("I look.", [Call("search", {"pattern": "alpha"}), read("a.py"), read("b.py")])
    if "fits:" not in shown:
        return Say("", [edit("alpha = 1", "alpha = 2")])
    if "not done yet" not in shown:
        return Say("It is two now.")
    if shown.count("fits:") < 2:
        return Say("It has to be three.", [edit("alpha = 2", "alpha = 3")])
    return Say("Three now.")


def read(path: str) -> Call:
    return Call("read_file", {"path": path})


def edit(old: str, new: str) -> Call:
    return Call("edit_file", {"path": "a.py", "old_text": old, "new_text": new})


@pytest.mark.parametrize("protocol", ["anthropic", "responses", "chat"])
def test_a_conversation_is_taken_by_a_strict_server_and_paid_once(
    scene: Scene, protocol: str
) -> None:
    strict = StrictServer(careful)
    with serving(strict) as server:
        scene.tasks({"id": "T1"})
        scene.write("a.py", "alpha = 1\n")
        scene.write("b.py", "import a\n")
        scene.config(settings(server.url, protocol=protocol, **HOOKS), bare=True)
        ended = scene.run("run")
        assert ended.code == 0, (strict.refused, ended.out[-1500:])
        shown = scene.run("log", "T1")
    assert strict.refused == []
    assert strict.paid_twice() == []
    assert len(strict.charges) == 5
    assert scene.read("a.py") == "alpha = 3\n"
    looks = [look for entry in entries(scene, "Consulted") for look in entry["data"]["looks"]]
    assert [look["tool"] for look in looks] == [
        *("search", "read_file", "read_file"),
        *("edit_file", "edit_file"),
    ]
    for words in ("alpha = 1", "It is two now.", "fits: line", "Three now.", "ok is red"):
        assert words in shown.out


@pytest.mark.parametrize("protocol", ["anthropic", "responses", "chat"])
def test_ctrl_c_in_the_middle_asks_again_only_what_was_in_flight(
    scene: Scene, protocol: str
) -> None:
    silence = Silence()

    def hanging(body: Mapping[str, Any]) -> Any:
        waits = "fits:" in json.dumps(body) and not silence.met.is_set()
        return silence if waits else careful(body)

    strict = StrictServer(hanging)
    with serving(strict) as server:
        scene.tasks({"id": "T1"})
        scene.write("a.py", "alpha = 1\n")
        scene.write("b.py", "import a\n")
        scene.config(settings(server.url, protocol=protocol, **HOOKS), bare=True)
        with going(scene, "run") as run:
            assert silence.met.wait(30)
            run.process.send_signal(signal.SIGINT)
            assert run.end().code == 130
        assert scene.read("a.py") == "alpha = 1\n"
        ended = scene.run("resume")
    assert ended.code == 0, (strict.refused, ended.out[-1500:])
    assert strict.refused == []
    assert len(strict.charges) == 6
    assert len(strict.paid_twice()) == 1
    assert strict.charges[2].digest == strict.charges[3].digest
    assert [entry["data"]["outcome"] for entry in entries(scene, "CallSettled")].count("lost") == 1
    assert scene.read("a.py") == "alpha = 3\n"
