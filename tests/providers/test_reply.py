"""What is particular to one protocol, and bounds on what a server may send."""

from typing import Any

import pytest

from agent_runner.model.agent import Finish
from agent_runner.model.errors import RateLimitedError, UnknownOutcomeError
from agent_runner.model.usage import Usage
from agent_runner.providers.http.exchange import MAX_REPLY
from tests.providers import dialects
from tests.providers.dialects import data_only, response_object
from tests.providers.one_call import ask, profile_for
from tests.providers.server import STREAMED, Request, Wire, answer, serving, stream


def message(**rest: Any) -> dict[str, Any]:
    return {**dialects.ANTHROPIC.whole(("text",), "end_turn"), **rest}


def reply_to(protocol: str, body: Any) -> Any:
    with serving(answer(body)) as server:
        return ask(profile_for(protocol, server.url, stream=False)).answer


def test_an_end_without_its_reason_is_no_success() -> None:
    assert reply_to("anthropic", message(stop_reason=None)).finish is Finish.UNREADABLE


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("model_context_window_exceeded", Finish.WINDOW),
        ("pause_turn", Finish.UNREADABLE),
        ("stop_sequence", Finish.COMPLETE),
    ],
)
def test_other_ends_of_messages(reason: str, finish: Finish) -> None:
    assert reply_to("anthropic", message(stop_reason=reason)).finish is finish


def test_all_input_of_a_message_is_counted_cached_or_not() -> None:
    told = {
        "input_tokens": 1,
        "cache_read_input_tokens": 20,
        "cache_creation_input_tokens": 300,
        "output_tokens": 4,
        "output_tokens_details": None,
        "service_tier": "priority",
    }
    reply = reply_to("anthropic", message(usage=told))
    assert reply.usage == Usage(input=321, output=4, cached=20, cache_write=300)
    assert reply.service == {"service_tier": "priority"}


def test_the_final_answer_of_a_response_is_not_its_commentary() -> None:
    def said(text: str, **rest: Any) -> dict[str, Any]:
        part = {"type": "output_text", "text": text, "annotations": []}
        return {"type": "message", "content": [part], **rest}

    items = [said("thinking aloud", phase="commentary"), said("this", phase="final_answer")]
    assert reply_to("responses", response_object([], "completed", items=items)).text == "this"
    assert reply_to("responses", response_object([], "completed", items=items[:1])).text


@pytest.mark.parametrize(("used", "finish"), [(5, Finish.COMPLETE), (1000, Finish.TRUNCATED)])
@pytest.mark.parametrize("streaming", [True, False])
def test_a_server_that_gives_no_reason_is_believed_below_the_cap(
    used: int, finish: Finish, streaming: bool
) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": used}
    whole = {"choices": [{"message": {"content": "x"}, "finish_reason": None}], "usage": usage}
    chunk = {"choices": [{"delta": {"content": "x"}, "finish_reason": None}]}
    script = answer(whole)
    if streaming:
        script = stream(data_only(chunk), data_only({"choices": [], "usage": usage}), dialects.DONE)
    with serving(script) as server:
        assert ask(profile_for("chat", server.url, stream=streaming)).answer.finish is finish


def test_a_chat_answer_in_parts_and_with_a_cost() -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    whole = {
        **dialects.CHAT.whole((), "stop"),
        "choices": [{"message": {"content": parts}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.25},
    }
    reply = reply_to("chat", whole)
    assert (reply.text, reply.service) == ("one two", {"cost": 0.25})


def test_a_lack_of_credit_that_passes_is_waited_for() -> None:
    body = {"error": {"code": 402, "message": "in flight"}}
    with serving(answer(body, status=402, headers={"retry-after": "3"})) as server:
        error = ask(profile_for("chat", server.url)).failure
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 3.0


def test_silence_is_told_with_its_length() -> None:
    with serving(lambda wire, _request: wire.wait_for_client_to_leave()) as server:
        error = ask(profile_for("chat", server.url, timeout=0.2)).failure
    assert isinstance(error, UnknownOutcomeError)
    assert "nothing came for 0.2 s" in str(error)


def test_an_error_without_end_is_read_no_further() -> None:
    def endless(wire: Wire, _request: Request) -> None:
        wire.head(500, STREAMED)
        while True:  # until the client hangs up
            wire.chunk(b"x" * 65536)

    with serving(endless) as server:
        assert ask(profile_for("chat", server.url)).failure.status == 500


@pytest.mark.slow
def test_an_answer_without_end_is_given_up() -> None:
    filler = b": " + b"x" * (4 * 1024 * 1024) + b"\n\n"

    def endless(wire: Wire, _request: Request) -> None:
        wire.head(200, STREAMED)
        while True:  # until the client hangs up
            wire.chunk(filler)

    with serving(endless) as server:
        reply = ask(profile_for("chat", server.url)).answer
    assert reply.finish is Finish.FAILED
    assert str(MAX_REPLY) in reply.detail
