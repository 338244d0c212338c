"""Which provider and model a run asks, what is found wrong before it, and runs played again."""

import json
from typing import Any

import pytest

from tests.cli.scene import Scene, reply
from tests.e2e.wire import CHAT, entries, says, settings, writes
from tests.providers.server import serving, stream

HOOKS: dict[str, Any] = {"hooks": {"ok": {"command": "true"}}, "defaults": {"post_hooks": ["ok"]}}


def test_flags_and_tasks_choose_provider_and_model(scene: Scene) -> None:
    with serving(writes("a__py")) as one, serving(writes("b__py")) as other:
        config = settings(one.url, **HOOKS)
        own = {"protocol": "chat", "base_url": f"{other.url}/v1", "model": "other-model"}
        config["providers"]["other"] = own
        scene.tasks({"id": "T1"}, {"id": "T2", "provider": "other"}, {"id": "T3", "model": "big"})
        scene.config(config, bare=True)
        ended = scene.run("run", "--model", "for-this-run")
        assert ended.code == 0, ended
        asked = [(r.body["model"], "authorization" in r.headers) for r in one.requests]
        assert asked == [("for-this-run", True), ("big", True)]
        assert [r.body["model"] for r in other.requests] == ["other-model"]
        assert "authorization" not in other.requests[0].headers
        scene.tasks({"id": "T4"})
        assert scene.run("run", "--provider", "other").code == 0
        assert other.requests[-1].body["model"] == "other-model"


MISTAKES = [
    ({}, {}, ("THE_KEY", "export")),
    ({"provider": "servd"}, {"THE_KEY": "k"}, ("servd", "served")),
    ({"providers": {"served": {"protocol": "chatt"}}}, {"THE_KEY": "k"}, ("chatt", "chat")),
    ({"providers": {"served": {"base_url": "localhost:1"}}}, {"THE_KEY": "k"}, ("base_url",)),
    ({"providers": {"served": {"model": None}}}, {"THE_KEY": "k"}, ("model",)),
]


@pytest.mark.parametrize(("changed", "env", "named"), MISTAKES)
def test_mistakes_are_found_before_anything_is_spent(
    scene: Scene, changed: dict[str, Any], env: dict[str, str], named: tuple[str, ...]
) -> None:
    with serving(writes("a__py")) as server:
        config = settings(server.url, **HOOKS)
        own = {**config["providers"]["served"], **changed.get("providers", {}).get("served", {})}
        scene.tasks({"id": "T1"})
        scene.config({**config, **changed, "providers": {"served": own}}, bare=True)
        scene.env.clear()
        scene.env.update(env)
        ended = scene.run("run")
        assert not server.requests
    assert ended.code == 2, ended
    for word in named:
        assert word in ended.err, ended
    assert "Traceback" not in ended.err
    assert {p.name for p in scene.project.iterdir()} <= {
        "tasks.yml",
        "agent-runner.yml",
        ".agent-runner",
        "replies",
    }
    if (scene.project / ".agent-runner").exists():
        assert not entries(scene)


def test_a_recorded_run_is_played_again_byte_for_byte(scene: Scene, tmp_path: Any) -> None:
    odd = "grün\u2028 = '🌱'\ttab"
    scripts = [
        stream(*CHAT.events(("I can not",), CHAT.truncated)),
        says(reply(a__py="broken")),
        says(reply(a__py=odd)),
        says(reply(b__py="b = 2")),
    ]
    judge = {"hooks": {"ok": {"command": "! grep -q broken a.py"}}}
    hooks: dict[str, Any] = {**judge, "defaults": {"post_hooks": ["ok"]}}
    with serving(*scripts) as server:
        scene.tasks({"id": "T1"}, {"id": "T2"})
        scene.config(settings(server.url, **hooks), bare=True)
        ended = scene.run("run", "--record", "recorded")
        assert ended.code == 0, ended
        assert len(server.requests) == 4
    copy = Scene(tmp_path / "copy")
    copy.tasks({"id": "T1"}, {"id": "T2"})
    copy.config({"providers": {"replay": {"replies": "./recorded"}}, **hooks})
    for file in (scene.project / "recorded").rglob("*.json"):
        copy.write(str(file.relative_to(scene.project)), file.read_text())
    played = copy.run("run")
    assert played.code == 0, played
    for name in ("a.py", "b.py"):
        assert (copy.project / name).read_bytes() == (scene.project / name).read_bytes()
    moves = [
        [(one["task"], one["kind"], one["to"]) for one in entries(s) if one.get("to")]
        for s in (scene, copy)
    ]
    assert moves[0] == moves[1]
    texts = [
        [json.loads(f.read_bytes())["text"] for f in sorted(s.project.rglob("response.json"))]
        for s in (scene, copy)
    ]
    assert texts[0] == texts[1]
    assert len(texts[0]) == 4
