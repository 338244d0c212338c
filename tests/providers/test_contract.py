"""One suite for every protocol: whatever a server says, what the client makes of it is the same."""

import json
import threading
from typing import Any

import anyio
import pytest

from agent_runner.ground.clock import SystemClock
from agent_runner.model.agent import Finish
from agent_runner.model.usage import Usage
from agent_runner.providers.client import AgentClient
from agent_runner.providers.registry import make_client
from tests.providers import dialects
from tests.providers.dialects import Spoken
from tests.providers.one_call import KEY, ask, ask_with, profile_for, run
from tests.providers.server import STREAMED, Request, Script, Wire, answer, serving, stream

each = pytest.mark.parametrize("spoken", dialects.ALL, ids=lambda spoken: spoken.protocol)
streamed = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])

REPORTED = Usage(
    input=dialects.USAGE_INPUT,
    output=dialects.USAGE_OUTPUT,
    cached=dialects.USAGE_CACHED,
    reasoning=dialects.USAGE_REASONING,
)


def answering(spoken: Spoken, pieces: tuple[str, ...], stop: str, *, streaming: bool) -> Script:
    if streaming:
        return stream(*spoken.events(pieces, stop), headers={spoken.request_id: "req_7"})
    return answer(spoken.whole(pieces, stop), headers={spoken.request_id: "req_7"})


def until_never(events: dialects.Pieces) -> dialects.Pieces:
    """What comes before the piece of text that says NEVER."""
    return events[: next(at for at, event in enumerate(events) if b"NEVER" in event)]


@each
@streamed
def test_a_full_answer_comes_whole(spoken: Spoken, streaming: bool) -> None:
    pieces = ("Grün ", "ist die\n", "Wiese. 🌱")
    with serving(answering(spoken, pieces, spoken.complete, streaming=streaming)) as server:
        asked = ask(profile_for(spoken.protocol, server.url, stream=streaming))
    reply = asked.answer
    assert (reply.text, reply.finish, reply.detail) == ("".join(pieces), Finish.COMPLETE, "")
    assert reply.usage == REPORTED
    assert (reply.model, reply.request_id) == (dialects.MODEL, "req_7")
    assert reply.response_id
    assert asked.progress[0] == 0
    assert asked.progress[-1] > 0
    assert server.requests[0].path == spoken.path
    assert server.requests[0].body["stream"] is streaming


@each
def test_the_raw_bytes_are_handed_out_as_they_came(spoken: Spoken) -> None:
    events = spoken.events(("one", "two"), spoken.complete)
    with serving(stream(*events)) as server:
        asked = ask(profile_for(spoken.protocol, server.url))
    assert asked.kept == b"".join(events)


@each
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_unicode_may_be_split_anywhere(spoken: Spoken, size: int) -> None:
    text = "naïve 日本語 🧵 \u2028 end"
    whole = b"".join(spoken.events((text,), spoken.complete))
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    with serving(stream(*pieces)) as server:
        assert ask(profile_for(spoken.protocol, server.url)).answer.text == text


@each
def test_a_surrogate_pair_may_be_split_between_two_events(spoken: Spoken) -> None:
    pieces = tuple(
        piece.replace(b"FIRST", b"\\ud83e").replace(b"SECOND", b"\\uddf5")
        for piece in spoken.events(("a FIRST", "SECOND b"), spoken.complete)
    )
    with serving(stream(*pieces)) as server:
        assert ask(profile_for(spoken.protocol, server.url)).answer.text == "a 🧵 b"


@each
def test_a_long_answer_in_many_pieces(spoken: Spoken) -> None:
    pieces = tuple(f"line {n} of a long answer\n" for n in range(3000))
    with serving(stream(*spoken.events(pieces, spoken.complete))) as server:
        asked = ask(profile_for(spoken.protocol, server.url))
    assert asked.answer.text == "".join(pieces)
    assert asked.answer.finish is Finish.COMPLETE
    assert asked.progress == sorted(asked.progress)
    assert len(set(asked.progress)) > 3


@each
def test_comments_and_names_in_the_stream_do_not_matter(spoken: Spoken) -> None:
    events = [
        b": still thinking\r\n\r\n" + event.split(b"\n", 1)[-1]
        if event.startswith(b"event")
        else event
        for event in spoken.events(("fine",), spoken.complete)
    ]
    if spoken.protocol == "responses":
        events.append(dialects.DONE)
    with serving(stream(b": hello\n\n", *events)) as server:
        assert ask(profile_for(spoken.protocol, server.url)).answer.text == "fine"


@each
@streamed
def test_an_answer_at_its_cap_is_truncated(spoken: Spoken, streaming: bool) -> None:
    with serving(answering(spoken, ("half an",), spoken.truncated, streaming=streaming)) as server:
        reply = ask(profile_for(spoken.protocol, server.url, stream=streaming)).answer
    assert (reply.finish, reply.text) == (Finish.TRUNCATED, "half an")
    assert "max_output_tokens" in reply.detail


@each
@streamed
def test_a_filtered_answer_is_refused(spoken: Spoken, streaming: bool) -> None:
    with serving(answering(spoken, ("I",), spoken.refused, streaming=streaming)) as server:
        reply = ask(profile_for(spoken.protocol, server.url, stream=streaming)).answer
    assert (reply.finish, reply.text) == (Finish.REFUSED, "I")


@each
def test_the_models_own_refusal_is_refused(spoken: Spoken) -> None:
    with serving(stream(*spoken.refusal_events)) as server:
        reply = ask(profile_for(spoken.protocol, server.url)).answer
    assert reply.finish is Finish.REFUSED
    assert "no thanks" in reply.detail


@each
@streamed
@pytest.mark.parametrize("words", [(), ("",), (" \n",)], ids=["none", "empty", "blank"])
def test_an_answer_without_text_is_empty(
    spoken: Spoken, streaming: bool, words: tuple[str, ...]
) -> None:
    with serving(answering(spoken, words, spoken.complete, streaming=streaming)) as server:
        reply = ask(profile_for(spoken.protocol, server.url, stream=streaming)).answer
    assert reply.finish is Finish.EMPTY
    assert reply.usage == REPORTED


@each
def test_a_tool_call_is_kept_but_no_answer(spoken: Spoken) -> None:
    with serving(stream(*spoken.tool_events)) as server:
        reply = ask(profile_for(spoken.protocol, server.url)).answer
    assert reply.finish is Finish.UNREADABLE
    [call] = reply.tool_calls
    assert (call.id, call.name, json.loads(call.arguments)) == ("call_1", "grep", {"q": "x"})


@each
@streamed
def test_an_unknown_end_is_no_success(spoken: Spoken, streaming: bool) -> None:
    with serving(answering(spoken, ("text",), "something_new", streaming=streaming)) as server:
        reply = ask(profile_for(spoken.protocol, server.url, stream=streaming)).answer
    assert reply.finish is not Finish.COMPLETE
    assert "something_new" in reply.detail


@each
def test_a_failure_in_the_middle_keeps_the_words_before_it(spoken: Spoken) -> None:
    events = spoken.events(("so far", "NEVER"), spoken.complete)
    before = until_never(events)
    with serving(stream(*before, spoken.error_event, *events[len(before) :])) as server:
        reply = ask(profile_for(spoken.protocol, server.url)).answer
    assert (reply.finish, reply.text) == (Finish.FAILED, "so far")
    assert "Overloaded" in reply.detail


@each
def test_a_server_that_does_not_stream_is_understood(spoken: Spoken) -> None:
    with serving(answering(spoken, ("all",), spoken.complete, streaming=False)) as server:
        assert ask(profile_for(spoken.protocol, server.url)).answer.text == "all"


@each
def test_usage_that_is_not_reported_is_a_marked_guess(spoken: Spoken) -> None:
    whole = {**spoken.whole(("some words",), spoken.complete), "usage": None}
    with serving(answer(whole)) as server:
        usage = ask(profile_for(spoken.protocol, server.url, stream=False)).answer.usage
    assert usage.estimated
    assert usage.input > 0
    assert usage.output > 0


@each
@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"text"', b"{}", b"null", b"[" * 100_000], ids=range(6)
)
def test_a_body_of_another_kind_is_the_servers_failure(spoken: Spoken, body: bytes) -> None:
    with serving(answer(body, headers={"content-type": "application/json"})) as server:
        reply = ask(profile_for(spoken.protocol, server.url, stream=False)).answer
    assert reply.finish is Finish.FAILED
    assert reply.detail


@each
@pytest.mark.parametrize("junk", [b"data: {oops\n\n", b"data: \xff\xfe\n\n"], ids=["json", "utf8"])
def test_a_stream_with_junk_is_the_servers_failure(spoken: Spoken, junk: bytes) -> None:
    start = spoken.events(("so far",), spoken.complete)[:-2]
    with serving(stream(*start, junk)) as server:
        reply = ask(profile_for(spoken.protocol, server.url)).answer
    assert reply.finish is Finish.FAILED


@each
def test_objects_of_any_shape_raise_nothing(spoken: Spoken) -> None:
    odd: list[dict[str, Any]] = [
        {},
        {"type": "message_start"},
        {"choices": [None, {"delta": 3}]},
        {"usage": "x"},
    ]
    odd += [{"type": "response.completed", "response": None}, {"type": ["x"]}, {"choices": {}}]
    with serving(*[stream(dialects.data_only(one), dialects.DONE) for one in odd]) as server:
        for _ in odd:
            asked = ask(profile_for(spoken.protocol, server.url))
            assert asked.reply is None or asked.reply.finish is not Finish.COMPLETE


@each
def test_a_slow_first_byte_is_waited_for(spoken: Spoken) -> None:
    sent = threading.Event()

    def script(wire: Wire, _request: Request) -> None:
        assert sent.wait(5)
        wire.head(200, STREAMED)
        for piece in spoken.events(("late",), spoken.complete):
            wire.chunk(piece)
        wire.last_chunk()

    with serving(script) as server:
        asked = ask(
            profile_for(spoken.protocol, server.url), on_progress=lambda _tokens: sent.set()
        )
    assert asked.answer.text == "late"


@each
def test_the_connection_is_used_again(spoken: Spoken) -> None:
    async def twice() -> None:
        client = make_client(profile_for(spoken.protocol, server.url), SystemClock())
        for _ in range(3):
            assert (await ask_with(client)).answer.text == "again"
        await client.aclose()
        await client.aclose()

    with serving(answering(spoken, ("again",), spoken.complete, streaming=True)) as server:
        run(twice)
    assert len(server.requests) == 3
    assert server.connections == 1


@each
def test_a_complete_answer_counts_even_if_the_server_never_hangs_up(spoken: Spoken) -> None:
    events = spoken.events(("whole",), spoken.complete)
    with serving(stream(*events, end=Wire.wait_for_client_to_leave)) as server:
        profile = profile_for(spoken.protocol, server.url, timeout=600.0)
        assert ask(profile).answer.finish is Finish.COMPLETE


@each
def test_a_call_can_be_cancelled_in_the_middle(spoken: Spoken) -> None:
    before = until_never(spoken.events(("first", "NEVER"), spoken.complete))

    async def cancelled() -> bool:
        client: AgentClient = make_client(profile_for(spoken.protocol, server.url), SystemClock())
        with anyio.CancelScope() as scope:
            await ask_with(client, on_progress=lambda tokens: scope.cancel() if tokens else None)
        await client.aclose()
        return scope.cancelled_caught

    with serving(stream(*before, end=Wire.wait_for_client_to_leave)) as server:
        assert run(cancelled)
        assert server.left.wait(5), "the connection outlived the call"


@each
def test_the_key_goes_out_in_one_header_only(spoken: Spoken) -> None:
    with serving(answering(spoken, ("x",), spoken.complete, streaming=True)) as server:
        ask(profile_for(spoken.protocol, server.url))
    headers = server.requests[0].headers
    assert [name for name, value in headers.items() if KEY in value] == [
        "x-api-key" if spoken.protocol == "anthropic" else "authorization"
    ]
    assert headers["user-agent"].startswith("agent-runner/")


@each
def test_params_of_the_user_win_and_null_takes_a_field_out(spoken: Spoken) -> None:
    params = {"metadata": {"user_id": "u"}, "stream_options": None, "store": None}
    with serving(answering(spoken, ("x",), spoken.complete, streaming=True)) as server:
        ask(profile_for(spoken.protocol, server.url, params=params))
    body = server.requests[0].body
    assert body["metadata"] == {"user_id": "u"}
    assert not {"stream_options", "store"} & set(body)
    assert not {"temperature", "top_p", "top_k", "tools", "thinking"} & set(body)


@each
def test_half_a_surrogate_in_the_prompt_does_not_break_the_call(spoken: Spoken) -> None:
    with serving(answering(spoken, ("x",), spoken.complete, streaming=True)) as server:
        profile = profile_for(spoken.protocol, server.url, params={"metadata": {"u": "\ud83e"}})
        assert ask(profile).answer.finish is Finish.COMPLETE
    assert server.requests[0].body["metadata"] == {"u": "?"}
