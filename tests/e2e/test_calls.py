"""Whole runs whose calls fail: what is waited for, what stops the run, what is never paid twice."""

import json
from datetime import datetime
from typing import Any

import pytest

from tests.cli.scene import Scene, reply
from tests.e2e.driving import going
from tests.e2e.wire import (
    CHAT,
    FAST,
    SPOKEN,
    Silence,
    entries,
    events_of,
    fails,
    says,
    says_whole,
    settings,
    writes,
)
from tests.providers.dialects import response_object
from tests.providers.server import Wire, answer, serving, stream

pytestmark = pytest.mark.slow

HOOKS: dict[str, Any] = {
    "hooks": {"ok": {"command": "test -e a.py"}},
    "defaults": {"post_hooks": ["ok"]},
}
outputs = pytest.mark.parametrize(
    "flags",
    [
        pytest.param((), id="plain"),
        pytest.param(("--quiet",), id="quiet", marks=pytest.mark.slow),
        pytest.param(("--json",), id="json", marks=pytest.mark.slow),
    ],
)


@pytest.mark.parametrize("protocol", list(SPOKEN))
@pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])
def test_an_answer_is_applied_and_judged(scene: Scene, protocol: str, streaming: bool) -> None:
    spoken = SPOKEN[protocol]
    tell = says if streaming else says_whole
    with serving(tell(reply(a__py="grün = 1"), spoken)) as server:
        scene.tasks({"id": "T1"})
        own = {"provider": {"stream": streaming}, **HOOKS}
        scene.config(settings(server.url, protocol=protocol, **own), bare=True)
        ended = scene.run("run")
    assert ended.code == 0, ended
    assert scene.read("a.py") == "grün = 1\n"
    assert bool(server.requests[0].body.get("stream")) is streaming
    (settled,) = entries(scene, "CallSettled")
    assert settled["data"]["usage"]["input"] > 0
    assert not settled["data"]["usage"].get("estimated")


def test_passing_failures_are_waited_out_shown_and_journaled(scene: Scene) -> None:
    cut = stream(*CHAT.events(("part",), "stop")[:2], end=Wire.reset)
    scripts = [fails(429, retry_after="1"), fails(500), fails(529), cut, writes("a__py")]
    with serving(*scripts) as server:
        scene.tasks({"id": "T1"})
        scene.config(settings(server.url, retry={**FAST, "max_tries": 6}, **HOOKS), bare=True)
        ended = scene.run("run")
    assert ended.code == 0, ended
    settled = [one["data"] for one in entries(scene, "CallSettled")]
    assert [one["outcome"] for one in settled] == [
        "throttled",
        "failed",
        "failed",
        settled[3]["outcome"],
        "answered",
    ]
    assert settled[3]["outcome"] in {"lost", "answered"}
    assert all(one["not_before"] for one in settled[:4])
    assert ended.out.count("waiting until") == 4
    assert [one["to"] for one in entries(scene, "PostHooksPassed")] == ["passed"]
    assert "1 attempt," in ended.out


@pytest.mark.slow
def test_a_resume_waits_only_the_rest_of_a_backoff(scene: Scene) -> None:
    with serving(fails(429, retry_after="4"), writes("a__py")) as server:
        scene.tasks({"id": "T1"})
        scene.config(settings(server.url, **HOOKS), bare=True)
        with going(scene, "run") as run:
            run.until("waiting until")
            run.kill()
        (settled,) = entries(scene, "CallSettled")
        assert len(server.requests) == 1
        ended = scene.run("run")
        second = entries(scene, "CallStarted")[1]
    assert ended.code == 0, ended
    told = settled["data"]["not_before"]
    asked = _epoch(second["at"])
    assert told <= asked <= told + 3.0  # the rest, not the whole again after a start of the program
    assert "possibly billed" not in ended.out + ended.err


def test_too_many_429_stop_with_the_time_and_advice(scene: Scene) -> None:
    with serving(fails(429)) as server:
        scene.tasks({"id": "T1"})
        scene.config(settings(server.url, **HOOKS), bare=True)
        ended = scene.run("run")
        assert len(server.requests) == FAST["max_tries"]
        _is_told_once(ended.out)
        assert ended.code == 75, ended
        again = scene.run("resume")
        assert again.code == 75, again
        _is_told_once(again.out)
        assert len(server.requests) == FAST["max_tries"], "a call before its time"
    assert "3 times" in ended.out
    assert scene.states() == {"T1": "agent"}


@outputs
def test_a_wait_beyond_the_ceiling_stops_with_one_line(
    scene: Scene, flags: tuple[str, ...]
) -> None:
    with serving(fails(429, retry_after="4000")) as server:
        scene.tasks({"id": "T1"}, {"id": "T2"})
        scene.config(settings(server.url, **HOOKS), bare=True)
        first, second = scene.run("run", *flags), scene.run("resume", *flags)
        assert len(server.requests) == 1
    assert (first.code, second.code) == (75, 75), (first, second)
    for ended in (first, second):
        if flags == ("--json",):
            (stopped,) = events_of(ended.out, "RunStopped")
            assert stopped["data"]["not_before"] > 0
            assert stopped["data"]["exit_code"] == 75
        else:
            _is_told_once(ended.out)
    assert scene.states() == {"T1": "agent", "T2": "pending"}
    told = json.loads(scene.run("status", "--json").out)
    assert told["tasks"][0]["failures"] == 0


@pytest.mark.parametrize(
    ("status", "words", "reason"),
    [(401, "bad key", "auth"), (402, "no credit", "budget"), (400, "nonsense", "fatal")],
)
def test_what_waiting_cannot_mend_stops_the_run(
    scene: Scene, status: int, words: str, reason: str
) -> None:
    with serving(fails(status, words)) as server:
        scene.tasks({"id": "T1"}, {"id": "T2"})
        scene.config(settings(server.url, **HOOKS), bare=True)
        ended = scene.run("run")
        assert len(server.requests) == 1
    assert ended.code == 1, ended
    assert words in ended.out
    assert "agent-runner resume" in ended.out
    assert entries(scene, "RunStopped")[-1]["data"]["reason"] == reason
    assert scene.states() == {"T1": "agent", "T2": "pending"}


def test_an_outage_stops_with_75_and_no_task_at_fault(scene: Scene) -> None:
    with serving(fails(503)) as server:
        scene.tasks({"id": "T1"})
        scene.config(settings(server.url, **HOOKS), bare=True)
        ended = scene.run("run")
        assert len(server.requests) == FAST["max_tries"]
    assert ended.code == 75, ended
    assert "is not answering" in ended.out
    assert scene.states() == {"T1": "agent"}


def test_a_call_in_flight_when_killed_is_said_and_counted(scene: Scene) -> None:
    silence = Silence()
    with serving(silence, writes("a__py")) as server:
        scene.tasks({"id": "T1"})
        scene.config(settings(server.url, **HOOKS), bare=True)
        with going(scene, "run") as run:
            run.until("asked served")
            assert silence.met.wait(20)
            run.kill()
        ended = scene.run("run")
        assert ended.code == 0, ended
        assert len(server.requests) == 2
    assert "billed" in ended.out
    status = scene.run("status")
    assert "billed" in status.out, status.out
    told = json.loads(scene.run("status", "--json").out)
    assert told["tasks"][0]["possibly_billed"] == 1
    total = json.loads(scene.run("usage", "--json").out)["total"]
    assert (total["calls"], total["unanswered"]) == (2, 0)
    assert total["reserved"] > 500  # what was lost stays counted in full


def test_an_answer_on_disk_is_adopted_after_a_kill(scene: Scene) -> None:
    """As if the runner died between the answer's rename and the journal's next record."""
    with serving(writes("a__py", "paid = 1")) as server:
        scene.tasks({"id": "T1"})
        scene.config(settings(server.url, **HOOKS), bare=True)
        assert scene.run("run").code == 0
        journal = scene.project / ".agent-runner/journal.jsonl"
        lines = journal.read_bytes().splitlines(keepends=True)
        started = next(n for n, line in enumerate(lines) if b'"CallStarted"' in line)
        journal.write_bytes(b"".join(lines[: started + 1]))
        (scene.project / ".agent-runner/state.json").unlink()
        (scene.project / "a.py").unlink()
        ended = scene.run("run")
        assert ended.code == 0, ended
        assert len(server.requests) == 1, "paid twice"
    assert scene.read("a.py") == "paid = 1\n"
    assert "answer found on disk" in ended.out


def test_a_background_answer_is_fetched_by_its_id_after_a_kill(scene: Scene) -> None:
    part = {"type": "output_text", "text": reply(a__py="fetched = 1"), "annotations": []}
    queued = answer(response_object([], "queued", items=[], usage=None))
    done = answer(response_object([part], "completed"))
    silence = Silence()
    with serving(queued, queued, silence, done) as server:
        scene.tasks({"id": "T1"})
        own = {"background": True, "stream": False}
        config = settings(server.url, protocol="responses", provider=own, **HOOKS)
        scene.config(config, bare=True)
        with going(scene, "run") as run:
            run.until("asked served")
            assert silence.met.wait(20)
            run.kill()
        ended = scene.run("run")
        assert ended.code == 0, ended
        assert [one.method for one in server.requests] == ["POST", "GET", "GET", "GET"]
        assert server.requests[-1].path.endswith("/responses/resp_1")
    assert scene.read("a.py") == "fetched = 1\n"
    assert "billed" not in ended.out


def _is_told_once(out: str) -> None:
    assert out.count("Rate limit reached, safe to re-run after 20") == 1, out


def _epoch(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
