"""Background answers: named at once, fetched by id, never asked for twice."""

from typing import Any

import pytest

from agent_runner.model.agent import Finish
from agent_runner.model.errors import AuthError, UnknownOutcomeError
from tests.providers import dialects
from tests.providers.dialects import response_object
from tests.providers.one_call import StillClock, ask, profile_for
from tests.providers.server import Request, Server, Wire, answer, serving

PART = {"type": "output_text", "text": "late", "annotations": []}
QUEUED = answer(response_object([], "queued", items=[], usage=None))
WORKING = answer(response_object([], "in_progress", items=[], usage=None))
DONE = answer(response_object([PART], "completed"))
BUSY = answer({"error": {"message": "m", "code": None}}, status=503)


def hang_up(wire: Wire, _request: Request) -> None:
    wire.reset()


def methods(server: Server) -> list[str]:
    return [f"{request.method} {request.path}" for request in server.requests]


def background(server: Server, clock: StillClock | None = None, **how: Any) -> Any:
    profile = profile_for("responses", server.url, background=True, timeout=30.0)
    return ask(profile, clock, **how)


def test_it_is_asked_once_named_at_once_and_fetched() -> None:
    clock = StillClock()
    with serving(QUEUED, WORKING, WORKING, DONE) as server:
        asked = background(server, clock)
    assert (asked.answer.text, asked.answer.finish) == ("late", Finish.COMPLETE)
    assert asked.created == ["resp_1"]
    assert methods(server) == ["POST /responses", *["GET /responses/resp_1"] * 3]
    assert clock.slept == [1.0, 2.0]
    sent = server.requests[0].body
    assert (sent["background"], sent["store"], sent["stream"]) == (True, True, False)
    assert b"late" in asked.kept
    assert b"queued" not in asked.kept


def test_a_lost_connection_costs_nothing() -> None:
    with serving(QUEUED, hang_up, BUSY, hang_up, DONE) as server:
        asked = background(server)
    assert asked.answer.text == "late"
    assert [line.split()[0] for line in methods(server)].count("POST") == 1


@pytest.mark.parametrize("setting", [True, False])
def test_after_a_crash_it_is_fetched_and_not_asked_for(setting: bool) -> None:
    with serving(DONE) as server:
        profile = profile_for("responses", server.url, background=setting)
        asked = ask(profile, resume_id="resp_9")
    assert asked.answer.text == "late"
    assert methods(server) == ["GET /responses/resp_9"]
    assert asked.created == []


def test_an_answer_that_is_no_longer_kept_is_lost() -> None:
    with serving(answer({"error": {"message": "no"}}, status=404)) as server:
        error = background(server, resume_id="resp_9").failure
    assert isinstance(error, UnknownOutcomeError)
    assert "resp_9" in str(error)


def test_a_server_that_stays_away_is_given_up_in_the_end() -> None:
    clock = StillClock()
    with serving(QUEUED, BUSY) as server:
        error = background(server, clock).failure
    assert isinstance(error, UnknownOutcomeError)
    assert 30 < sum(clock.slept) < 60


def test_a_refused_key_is_told_at_once() -> None:
    with serving(QUEUED, answer({"error": {"message": "no"}}, status=401)) as server:
        assert isinstance(background(server).failure, AuthError)


@pytest.mark.parametrize(
    ("status", "rest", "finish"),
    [
        ("incomplete", {"incomplete_details": {"reason": "max_output_tokens"}}, Finish.TRUNCATED),
        ("failed", {"error": {"code": "server_error", "message": "m"}}, Finish.FAILED),
        ("cancelled", {}, Finish.FAILED),
    ],
)
def test_other_ends(status: str, rest: dict[str, Any], finish: Finish) -> None:
    with serving(QUEUED, answer(response_object([PART], status, **rest))) as server:
        reply = background(server).answer
    assert (reply.finish, reply.text) == (finish, "late")


def test_an_answer_that_is_there_at_once_is_taken() -> None:
    with serving(DONE) as server:
        asked = background(server)
    assert asked.answer.text == "late"
    assert len(server.requests) == 1


def test_a_server_that_knows_no_background_says_so() -> None:
    body = {"error": {"message": "background is not available", "param": "background"}}
    with serving(answer(body, status=400)) as server:
        assert "background is not available" in str(background(server).failure)


def test_a_plain_answer_needs_no_later_fetch() -> None:
    with serving(answer(dialects.RESPONSES.whole(("x",), "completed"))) as server:
        assert ask(profile_for("responses", server.url, stream=False)).created == []
    assert server.requests[0].body["store"] is False
