"""Whole runs inside limits: they stop with the time, come back to it, and never go beyond."""

import json
import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.cli.scene import Ended, Scene, reply
from tests.e2e.driving import at, going
from tests.e2e.wire import SPOKEN, entries, events_of, says, settings, with_key, writes
from tests.providers.server import serving

pytestmark = pytest.mark.slow

HOOKS: dict[str, Any] = {"hooks": {"ok": {"command": "true"}}, "defaults": {"post_hooks": ["ok"]}}
PRICES = {"some-model": {"input": 10, "output": 20}}
LINE = re.compile(r"Rate limit reached, safe to re-run after (\d{4}-\d\d-\d\d \d\d:\d\d) (\S+)")
outputs = pytest.mark.parametrize(
    "flags",
    [
        pytest.param((), id="plain"),
        pytest.param(("--quiet",), id="quiet", marks=pytest.mark.slow),
        pytest.param(("--json",), id="json", marks=pytest.mark.slow),
    ],
)


def told(ended: Ended) -> str:
    """The time of the one line, with its zone."""
    found = LINE.findall(ended.out + ended.err)
    assert ended.code == 75, ended
    assert len(found) == 1, ended
    return " ".join(found[0])


def listed(scene: Scene, url: str, many: int, **own: Any) -> None:
    """A list of tasks T1, T2, ... for the server at `url`."""
    scene.tasks(*({"id": f"T{number}"} for number in range(1, many + 1)))
    scene.config(settings(url, **HOOKS, **own), bare=True)


FILES = [writes(f"{name}__py") for name in "abcdefgh"]

HOUR_WEEK_DST = [
    # summer time ends in Berlin at 01:00 UTC: the hour from 02:00 comes twice
    ("hour", "2026-10-25 00:30:10", "2026-10-25 02:00 CET", "2026-10-25 00:59:30", "01:00:01"),
    # and begins at 01:00 UTC: the hour from 02:00 is left out
    ("hour", "2026-03-29 00:10:10", "2026-03-29 03:00 CEST", "2026-03-29 00:59:30", "01:00:01"),
    ("day", "2026-10-24 22:10:10", "2026-10-26 00:00 CET", "2026-10-25 22:59:30", "23:00:01"),
    ("week", "2026-10-23 10:00:00", "2026-10-26 00:00 CET", "2026-10-25 22:59:30", "23:00:01"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("window", "begun", "said", "early", "late"), HOUR_WEEK_DST)
def test_the_time_that_is_printed_is_true(
    scene: Scene, window: str, begun: str, said: str, early: str, late: str
) -> None:
    with serving(*FILES) as server:
        limit = {"served": {f"max_requests_{window}": 1}}
        listed(scene, server.url, 2, rate_limits=limit, limits={"timezone": "Europe/Berlin"})
        assert told(at(scene, begun, "run")) == said
        assert told(at(scene, early, "resume", "--quiet")) == said
        assert len(server.requests) == 1, "a call before its time"
        assert scene.states() == {"T1": "passed", "T2": "agent"}
        ended = at(scene, f"{early[:10]} {late}", "resume")
        assert ended.code == 0, ended
        assert len(server.requests) == 2
    assert not entries(scene, "PostHooksFailed")
    assert [one["data"]["attempt"] for one in entries(scene, "CallStarted")] == [1, 1]


@outputs
def test_every_output_says_the_line_once(scene: Scene, flags: tuple[str, ...]) -> None:
    with serving(*FILES) as server:
        limit = {"served": {"max_requests_week": 1}}
        listed(scene, server.url, 2, rate_limits=limit, limits={"timezone": "Asia/Kathmandu"})
        ended = scene.run("run", *flags)
        again = scene.run("resume", *flags)
        assert len(server.requests) == 1
    zone = ZoneInfo("Asia/Kathmandu")
    (stopped, _) = entries(scene, "RunStopped")
    opens = datetime.fromtimestamp(stopped["data"]["not_before"], zone)
    assert (opens.weekday(), opens.hour, opens.minute) == (0, 0, 0)
    for one in (ended, again):
        assert told(one) == opens.strftime("%Y-%m-%d %H:%M %Z")
    if flags == ("--json",):
        (line,) = events_of(ended.out, "RunStopped")
        assert line["data"]["not_before"] == stopped["data"]["not_before"]
        assert "Rate limit" not in ended.out
    else:
        assert "served: 1 call a week" in ended.out
        assert "`agent-runner resume`" in ended.out


def test_what_plan_says_comes_true(scene: Scene) -> None:
    with serving(*FILES) as server:
        limit = {"served": {"max_requests_week": 2}}
        listed(scene, server.url, 5, rate_limits=limit, prices=PRICES)
        plan, dry = scene.run("plan"), scene.run("run", "--dry-run")
        assert plan.lines[0].startswith("2 of 5 now; T3, T4 after "), plan
        assert f"Limits: {plan.lines[0]}" in dry.out
        assert "tokens, $" in plan.out
        assert not (scene.project / ".agent-runner/journal.jsonl").exists()
        assert scene.run("run").code == 75
        assert len(server.requests) == 2
        later = json.loads(scene.run("plan", "--json").out)
    assert later["now"] == []
    assert [one["tasks"] for one in later["later"]] == [["T3", "T4"], ["T5"]]
    assert later["cost"] == pytest.approx(3 * 0.0015)  # from this journal's own history
    use = json.loads(scene.run("usage", "--by", "model", "--json").out)
    assert (use["total"]["calls"], use["total"]["cost"]) == (2, pytest.approx(0.003))
    status = scene.run("status").out
    assert "served  requests week  [##########] 2 of 2" in status
    assert "$0.0015" in status


def test_ignoring_skips_the_configured_limits_only(scene: Scene) -> None:
    resets = int(time.time()) + 7200  # the server's own clock
    window = {
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-reset": str(resets),
        "anthropic-ratelimit-unified-5h-status": "rejected",
        "anthropic-ratelimit-unified-5h-utilization": "1.0",
        "anthropic-ratelimit-unified-5h-reset": str(resets),
    }
    spoken = SPOKEN["anthropic"]
    free = says(reply(a__py="1"), spoken)
    with serving(free, free, says(reply(b__py="2"), spoken, window)) as server:
        limit = {"served": {"max_requests_week": 1}}
        own = {"protocol": "anthropic", "budget": {"max_calls_run": 1}}
        listed(scene, server.url, 4, rate_limits=limit, **own)
        ended = scene.run("run", "--ignore-config-limits")
        told(ended)
        assert ended.out.count("configured limits are ignored") == 1
        again = scene.run("run", "--ignore-config-limits")
        told(again)
        assert len(server.requests) == 3
    assert all(one["data"]["ignore_limits"] for one in entries(scene, "RunStarted"))
    assert "5h" in again.out
    status = scene.run("status").out
    assert "served  share 5h  [##########] 100%" in status
    assert "(as of 20" in status


def test_a_used_up_budget_needs_a_person_and_names_its_option(scene: Scene) -> None:
    with serving(*FILES) as server:
        listed(scene, server.url, 2, budget={"max_calls_run": 1})
        plan, ended = scene.run("plan"), scene.run("run")
        assert plan.lines[0] == "1 of 2 now; T2 in a further run"
        assert ended.code == 1, ended
        assert "max_calls_run" in ended.out
        assert entries(scene, "RunStopped")[-1]["data"]["reason"] == "budget"
        assert scene.run("resume").code == 0  # each run has its own
        listed(scene, server.url, 3, budget={"max_cost_task": 0.001}, prices=PRICES)
        ended = scene.run("run")
        assert ended.code == 1, ended
        assert "max_cost_task is $0.0010" in ended.out
        assert len(server.requests) == 2
    assert scene.states()["T3"] == "escalated"


def test_limits_in_dollars_without_a_price_are_refused_before_a_call(scene: Scene) -> None:
    with serving(*FILES) as server:
        listed(scene, server.url, 1, rate_limits={"served": {"max_cost_day": 1}})
        ended = scene.run("run")
        assert not server.requests
    assert ended.code == 2, ended
    assert "max_cost_day" in ended.err
    assert "some-model" in ended.err


@pytest.mark.slow
def test_projects_of_one_home_count_together(scene: Scene, tmp_path: Path) -> None:
    limit = {"rate_limits": {"served": {"max_requests_week": 3}}, "ledger": True}
    second = _neighbour(scene, tmp_path)
    with serving(*FILES) as server:
        listed(scene, server.url, 2, **limit)
        listed(second, server.url, 3, **limit)
        assert scene.run("run").code == 0
        assert second.run("plan").lines[0].startswith("1 of 3 now")
        told(second.run("run"))
        assert len(server.requests) == 3
        assert "requests week  [##########] 3 of 3" in scene.run("status").out
        listed(second, server.url, 3, **limit | {"ledger": False})
        assert second.run("run").code == 0  # alone it has used one of three
        assert len(server.requests) == 5


@pytest.mark.slow
def test_two_runs_side_by_side_stay_below_the_limit_together(scene: Scene, tmp_path: Path) -> None:
    limit = {"rate_limits": {"served": {"max_requests_week": 5}}, "ledger": True}
    second = _neighbour(scene, tmp_path)
    with serving(*FILES) as server:
        listed(scene, server.url, 4, **limit)
        listed(second, server.url, 4, **limit)
        with going(scene, "run", "--quiet") as one, going(second, "run", "--quiet") as other:
            ended = [one.end(), other.end()]
        assert len(server.requests) == 5
    assert sorted(one.code for one in ended) in ([0, 75], [75, 75])


@pytest.mark.slow
def test_wait_sits_a_window_out_and_wait_max_ends_it(scene: Scene) -> None:
    with serving(*FILES) as server:
        limit = {"served": {"max_requests_minute": 1}}
        listed(scene, server.url, 2, rate_limits=limit)
        short = at(scene, "2026-11-24 10:00:20", "run", "--wait", "--wait-max", "5s")
        assert told(short) == "2026-11-24 10:01 UTC"
        # long enough before the window opens for a start on a busy machine
        ended = at(scene, "2026-11-24 10:00:45", "run", "--wait", "--wait-max", "10m")
        assert ended.code == 0, ended
        assert ended.out.count("waiting until 2026-11-24 10:01:00 UTC") == 1
        assert not LINE.findall(ended.out)
        assert len(server.requests) == 2


def _neighbour(scene: Scene, tmp_path: Path) -> Scene:
    """Another project of the same user."""
    second = with_key(tmp_path / "neighbour")
    second.home.rmdir()
    second.home.symlink_to(scene.home)
    return second
