"""Whole runs against an independent server: its verdict on them is clean, its limits are kept."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.scene import Scene, reply
from tests.e2e.driving import at
from tests.e2e.wire import FAST, SPOKEN, entries, settings
from tests.support.mock_server import findings, mock_server, requests, scenario

BASES = {"anthropic": "/anthropic", "responses": "/v1", "chat": "/v1"}
HOOKS: dict[str, Any] = {"hooks": {"ok": {"command": "true"}}, "defaults": {"post_hooks": ["ok"]}}
SAYS = {"type": "reply", "text": reply(a__py="done"), "times": None}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    """The server's address."""
    with mock_server("--stream-chunk-delay-ms", "15") as address:
        yield address


def listed(scene: Scene, mock: str, protocol: str, many: int, **own: Any) -> None:
    """A list of so many tasks for the server, in one of its protocols."""
    address = {"base_url": mock + BASES[protocol], **own.pop("provider", {})}
    scene.tasks(*({"id": f"T{number}"} for number in range(1, many + 1)))
    retry = {**FAST, "max_tries": 8, "first_wait": "300ms", "max_backoff": "2s"}
    config = {"retry": retry, **HOOKS, **own}
    scene.config(settings(mock, protocol=protocol, provider=address, **config), bare=True)


REFUSALS = [
    {"type": "fail", "status": 429, "times": 1, "retry_after": 1.0},
    {"type": "fail", "status": 500, "times": 2},
    {"type": "fail", "status": 529, "times": 1},
]
BREAKS = [
    {"type": "stream_fault", "after_chunks": 2, "times": 1, "kind": kind, "stall_seconds": 3.0}
    for kind in ("truncate", "disconnect", "stall")
]


@pytest.mark.parametrize("protocol", list(SPOKEN))
@pytest.mark.parametrize("faults", [REFUSALS, BREAKS], ids=["refusals", "breaks"])
def test_faults_are_survived_and_the_verdict_is_clean(
    scene: Scene, mock: str, protocol: str, faults: list[dict[str, Any]]
) -> None:
    scenario(mock, *faults, SAYS)
    own = {"timeout": "1s"}
    listed(scene, mock, protocol, 2, provider=own, max_unusable_replies=5)
    ended = scene.run("run")
    assert ended.code == 0, ended
    assert findings(mock) == []
    met = sum(fault["times"] for fault in faults)
    assert len(requests(mock)) == 2 + met, "a fault was not met"
    assert not entries(scene, "PostHooksFailed")


@pytest.mark.parametrize("protocol", list(SPOKEN))
@pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])
def test_a_list_is_finished(scene: Scene, mock: str, protocol: str, streaming: bool) -> None:
    scenario(mock, SAYS)
    listed(scene, mock, protocol, 2, provider={"stream": streaming})
    ended = scene.run("run", "--quiet")
    assert ended.code == 0, ended
    assert findings(mock) == []
    usage = [one["data"]["usage"] for one in entries(scene, "CallSettled")]
    assert all(one["input"] > 0 and not one.get("estimated") for one in usage)


LINE = re.compile(r"Rate limit reached, safe to re-run after (\d{4}-\d\d-\d\d \d\d:\d\d) UTC")
LIMITED = [
    ("chat", "--rpm", "3", {"max_requests_minute": 3}),
    ("anthropic", "--rpm", "3", {"max_requests_minute": 3}),
    ("chat", "--tpm", "7000", {"max_tokens_minute": 7000}),
]


@pytest.mark.parametrize(("protocol", "option", "most", "limit"), LIMITED)
def test_the_servers_own_count_never_exceeds_the_limit(
    scene: Scene, protocol: str, option: str, most: str, limit: dict[str, int]
) -> None:
    """The same limit here and there; for the last run both clocks are moved to the time told."""
    scene.env["TZ"] = "UTC"
    with mock_server(option, most) as mock:
        scenario(mock, SAYS)
        listed(scene, mock, protocol, 4, rate_limits={"served": limit})
        first, again = scene.run("run"), scene.run("resume", "--quiet")
        served = requests(mock)
        assert (first.code, again.code) == (75, 75), (first, again)
        assert all(one["status"] == 200 for one in served), served  # never turned away
        (opens,) = LINE.findall(first.out)
        assert LINE.findall(again.out) == [opens]
        scenario(mock, SAYS)  # what the server has counted is forgotten
        late = at(scene, f"{opens}:01", "resume")
        assert late.code == 0, late
        assert all(one["status"] == 200 for one in requests(mock))
        assert len(served) + len(requests(mock)) == 4
        assert findings(mock) == []
