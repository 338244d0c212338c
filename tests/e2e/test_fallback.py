"""Whole runs over two servers: the second answers while the first is down or shut for long."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.scene import Scene
from tests.e2e.driving import at, going
from tests.e2e.wire import FAST, KEY, Silence, entries, fails, settings, writes
from tests.providers.server import Script, serving

pytestmark = pytest.mark.slow

HOOKS: dict[str, Any] = {"hooks": {"ok": {"command": "true"}}, "defaults": {"post_hooks": ["ok"]}}
DOWN = fails(529, "overloaded")
SHUT = fails(429, "come back later", retry_after="3600")
firsts = pytest.mark.parametrize(
    ("first", "tries", "cause"),
    [pytest.param(DOWN, 2, "outage", id="529"), pytest.param(SHUT, 1, "told", id="429")],
)


def configured(scene: Scene, first: str, second: str, tasks: int, **own: Any) -> None:
    """Tasks T1, T2, ... for the server `first`, whose fallback is `second`, and a list of hooks."""
    scene.tasks(*({"id": f"T{number}"} for number in range(1, tasks + 1)))
    config = settings(first, provider={"fallback": ["other"]}, **HOOKS, **own)
    other = settings(second)["providers"]["served"]
    config["providers"]["other"] = {**other, "model": "other-model"}
    config["retry"] = {**FAST, "max_tries": 2, "max_wait": "10m"}
    scene.config(config, bare=True)


@firsts
def test_a_fallback_answers_survives_a_kill_and_gives_back(
    scene: Scene, first: Script, tries: int, cause: str
) -> None:
    silence = Silence()
    answers: list[Script] = [writes("a__py"), silence, writes("b__py"), writes("c__py")]
    with serving(first) as down, serving(*answers) as other:
        configured(scene, down.url, other.url, 2)
        with going(scene, "run") as run:
            said = run.until("is set aside until")
            assert silence.met.wait(30)
            run.kill()
        assert "served is set aside until" in said
        assert "other is asked instead" in said
        status = scene.run("status")
        assert "served is set aside until" in status.out
        (aside,) = json.loads(scene.run("status", "--json").out)["set_aside"]
        assert (aside["provider"], aside["instead"], aside["cause"]) == ("served", "other", cause)

        ended = scene.run("resume")
        assert ended.code == 0, ended
        assert len(down.requests) == tries, "a provider set aside was asked"
        assert [one.body["model"] for one in other.requests] == ["other-model"] * 3
        assert "may have been billed" in ended.out
        lost = [one["data"] for one in entries(scene, "CallSettled")]
        assert [(one["outcome"], one["provider"]) for one in lost[tries:]] == [
            ("answered", "other"),
            ("lost", "other"),
            ("answered", "other"),
        ]
        assert len(entries(scene, "SetAside")) == 1

        down.scripts[:] = [writes("c__py")]
        configured(scene, down.url, other.url, 3)
        later = datetime.now(UTC) + timedelta(hours=2)  # the runs' own clock
        ended = at(scene, later.strftime("%Y-%m-%d %H:%M:%S"), "resume")
        assert ended.code == 0, ended
    assert len(down.requests) == tries + 1
    assert entries(scene, "CallSettled")[-1]["data"]["provider"] == "served"
    assert json.loads(scene.run("status", "--json").out)["set_aside"] == []
    story = scene.run("why", "T1").out
    assert "served is set aside until" in story
    assert KEY not in story


def test_nobody_left_stops_with_the_time_of_the_first_that_opens(scene: Scene) -> None:
    with serving(SHUT) as first, serving(fails(429, "not now", retry_after="9000")) as other:
        configured(scene, first.url, other.url, 2)
        ended = scene.run("run")
        assert (len(first.requests), len(other.requests)) == (1, 1)
        again = scene.run("resume")
        assert (len(first.requests), len(other.requests)) == (1, 1)
    assert (ended.code, again.code) == (75, 75), (ended, again)
    opens = [one["data"]["until"] for one in entries(scene, "SetAside")]
    stopped = [one["data"]["not_before"] for one in entries(scene, "RunStopped")]
    assert stopped == [opens[0], opens[0]]
    assert "no fallback is available" in ended.out
    assert ended.out.count("safe to re-run after") == 1


def test_a_limit_of_ours_hands_over_and_usage_tells_both(scene: Scene) -> None:
    limit = {"served": {"max_requests_week": 1}}
    with serving(writes("a__py")) as first, serving(writes("b__py")) as other:
        configured(scene, first.url, other.url, 3, rate_limits=limit, ledger=True)
        assert scene.run("run").code == 0
    assert (len(first.requests), len(other.requests)) == (1, 2)
    used = json.loads(scene.run("usage", "--by", "model", "--json").out)["rows"]
    assert {one["name"].split("/")[-1].split()[-1]: one["calls"] for one in used} == {
        "some-model": 1,
        "other-model": 2,
    }
    lines = (scene.home / ".agent-runner/ledger.jsonl").read_text().splitlines()
    assert {json.loads(line).get("provider") for line in lines} >= {"served", "other"}


def test_a_fallback_without_a_key_is_found_before_a_call(scene: Scene) -> None:
    with serving(DOWN) as first:
        configured(scene, first.url, first.url, 1)
        del scene.env["THE_KEY"]
        ended = scene.run("run")
        assert ended.code == 2, ended
        assert not first.requests
        listed = json.loads(scene.run("providers", "--json").out)["providers"]
    assert [(one["name"], one["fallback"]) for one in listed] == [
        ("served", ["other"]),
        ("other", []),
    ]
