"""docs/json.md names every key that the commands print."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import Scene, reply

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
STATUS, OTHERS = PAGE.split("## `status` and `debug state`")[1].split("## Other commands")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A list with a task that has passed and one that is left, and a limit."""
    scene = Scene(tmp_path_factory.mktemp("json"))
    scene.config({"rate_limits": {"replay": {"max_requests_hour": 100}}})
    scene.tasks({"id": "T1"}, {"id": "T2"})
    scene.reply("T1", 1, reply(a__txt="x"))
    assert scene.run("run", "T1").code == 0
    return scene


def named_in(text: str) -> set[str]:
    """The keys that stand in code, several of them divided by commas."""
    return {key for code in re.findall(r"`([^`]+)`", text) for key in code.split(", ")}


def keys_of(content: Any) -> Iterator[str]:
    """Every key, those of objects within included; not the names that stand for tasks or states."""
    if isinstance(content, list):
        for one in content:
            yield from keys_of(one)
    elif isinstance(content, dict):
        for key, value in content.items():
            yield key
            if key not in {"usage", "total"}:
                yield from keys_of(value)


@pytest.mark.parametrize("words", [("status",), ("debug", "state")])
def test_status(scene: Scene, words: tuple[str, ...]) -> None:
    printed = set(keys_of(json.loads(scene.run(*words, "--json").out)))
    plain = " ".join(STATUS.split())
    assert printed <= named_in(plain), printed - named_in(plain)


def test_why(scene: Scene) -> None:
    content = json.loads(scene.run("why", "T1", "--json").out)
    described = named_in(STATUS.partition("## `why`")[2])
    assert {*content, *keys_of(content["history"])} <= described


@pytest.mark.parametrize("command", ["plan", "usage", "providers", "doctor"])
def test_another_command(scene: Scene, command: str) -> None:
    content = json.loads(scene.run(command, "--json").out)
    row = next(line for line in OTHERS.splitlines() if line.startswith(f"| `{command} --json`"))
    described = row.split("|", 2)[2]
    assert set(content) <= named_in(described), set(content) - named_in(described)
    lists = [value[0] for value in content.values() if isinstance(value, list) and value]
    for one in lists:
        if isinstance(one, dict) and "resets_at" not in one:  # the limits, which status describes
            assert set(one) <= named_in(described), set(one) - named_in(described)
