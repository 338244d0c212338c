"""What compatible servers make of tool calls, piece by piece, and what they say who take none."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from agent_runner.model.agent import AgentResponse, Finish, Message, Prompt, ToolCall, ToolSpec
from agent_runner.model.errors import (
    CallTooLargeError,
    FatalError,
    ProviderError,
    ToolsDeclinedError,
    TransientError,
)
from agent_runner.providers.http.anthropic import MessagesReader
from agent_runner.providers.http.chat import ChatReader
from agent_runner.providers.http.reply import ReplyReader, conclude
from agent_runner.providers.http.responses import ResponsesReader
from tests.providers.one_call import Asked, profile_for, say
from tests.providers.server import answer, serving, stream
from tests.support.exploring import examples
from tests.support.vendors.chat import CHAT
from tests.support.vendors.messages import MESSAGES
from tests.support.vendors.responses import RESPONSES
from tests.support.vendors.said import Call, Protocol, Say, Used

TOOLS = (
    ToolSpec("read_file", "Read.", {"type": "object"}),
    ToolSpec("search", "Search.", {"type": "object"}),
)
PROMPT = Prompt("Be brief.", (Message("user", "Mend a.py."),), TOOLS)
Piece = dict[str, Any]


def concluded(reader: ReplyReader) -> AgentResponse:
    return conclude(reader, PROMPT, number=7)


def from_chunks(*deltas: Piece, finish: str | None = "tool_calls") -> AgentResponse:
    """An answer in Chat Completions from the deltas of its stream."""
    reader = ChatReader()
    for delta in deltas:
        reader.read_event({"choices": [{"index": 0, "delta": delta}]})
    reader.read_event({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    reader.read_done()
    return concluded(reader)


def piece(name: str | None = None, arguments: Any = None, **rest: Any) -> Piece:
    """A delta with one piece of a call."""
    function = {"name": name, "arguments": arguments}
    kept = {key: value for key, value in function.items() if value is not None}
    return {"tool_calls": [{**rest, "function": kept}]}


def calls(reply: AgentResponse) -> list[tuple[str, str, Any]]:
    return [(call.id, call.name, json.loads(call.arguments)) for call in reply.tool_calls]


A = {"path": "a"}
TWO = [("x", "read_file", A), ("y", "search", {})]


@pytest.mark.parametrize("finish", ["tool_calls", "stop", None, "tool_use", "eos"])
def test_calls_are_complete_whatever_the_finish_says(finish: str | None) -> None:
    reply = from_chunks(piece("read_file", '{"path":"a"}', index=0, id="x"), finish=finish)
    assert reply.finish is Finish.COMPLETE
    assert calls(reply) == [("x", "read_file", A)]


@pytest.mark.parametrize("finish", ["length", "max_tokens", "content_filter", "something_new"])
def test_an_end_that_is_none_leaves_its_calls_alone(finish: str) -> None:
    reply = from_chunks(piece("read_file", '{"path":"a"}', index=0, id="x"), finish=finish)
    assert reply.finish is not Finish.COMPLETE


@pytest.mark.parametrize(
    "deltas",
    [
        [  # OpenAI: numbers; the pieces of two calls in turns
            piece("read_file", "", index=0, id="x", type="function"),
            piece("search", "", index=1, id="y", type="function"),
            piece(arguments='{"path"', index=0),
            piece(arguments="{}", index=1),
            piece(arguments=':"a"}', index=0),
        ],
        [  # Gemini, Ollama: each whole, all with the same number
            piece("read_file", '{"path":"a"}', index=0, id="x"),
            piece("search", "{}", index=0, id="y"),
        ],
        [  # no numbers
            piece("read_file", '{"path":', id="x"),
            piece(arguments='"a"}'),
            piece("search", "{}", id="y"),
        ],
        [  # the name with every piece
            piece("read_file", '{"path":', index=0, id="x"),
            piece("read_file", '"a"}', index=0, id="x"),
            piece("read_file", "", index=0, id="x"),
            piece("search", "{}", index=1, id="y"),
            piece("search", "", index=1, id="y"),
        ],
        [  # older vLLM: a new id with every piece
            piece("read_file", "", index=0, id="x"),
            piece(arguments='{"path":', index=0, id="z1"),
            piece(arguments='"a"}', index=0, id="z2"),
            piece("search", "{}", index=1, id="y"),
        ],
        [  # objects in place of JSON, and no arguments at all
            piece("read_file", {"path": "a"}, index=0, id="x"),
            piece("search", None, index=1, id="y"),
        ],
        [  # ids that come late, nulls
            piece("read_file", None, index=0, id=None),
            piece(None, '{"path":"a"}', index=0, id="x"),
            piece("search", "", index=1, id="y"),
        ],
    ],
    ids=["numbered", "one number", "no numbers", "names", "ids", "objects", "late"],
)
def test_pieces_of_calls_as_servers_send_them(deltas: list[Piece]) -> None:
    assert calls(from_chunks(*deltas)) == TWO


@pytest.mark.parametrize("ids", [(None, None), ("", ""), ("x", "x")])
@pytest.mark.parametrize("whole", [True, False])
def test_ids_that_are_missing_or_twice_are_made_up(ids: tuple[Any, Any], whole: bool) -> None:
    said = [
        {"id": one, "function": {"name": "search", "arguments": f'{{"n":{at}}}'}}
        for at, one in enumerate(ids)
    ]
    if whole:
        reader = ChatReader()
        reader.read_whole({"choices": [{"message": {"content": "", "tool_calls": said}}]})
        reply = concluded(reader)
    else:
        deltas = [{"tool_calls": [{**one, "index": at}]} for at, one in enumerate(said)]
        reply = from_chunks(*deltas)
    assert [call.arguments for call in reply.tool_calls] == ['{"n":0}', '{"n":1}']
    made = [call.id for call in reply.tool_calls]
    assert len(set(made)) == 2
    assert made[1] == "call00701"
    # and what is sent back has them too, or the answers would be nobody's
    assert [call["id"] for call in json.loads(reply.raw)[0]["tool_calls"]] == made


def test_whole_calls_without_ids_stay_apart_even_if_they_are_the_same() -> None:
    reader = ChatReader()
    same = {"function": {"name": "search", "arguments": ""}}
    reader.read_whole({"choices": [{"message": {"tool_calls": [same, same]}}]})
    assert [call.arguments for call in concluded(reader).tool_calls] == ["{}", "{}"]


def test_a_call_without_a_name_is_unreadable() -> None:
    assert from_chunks(piece(None, "{}", index=0)).finish is Finish.UNREADABLE


def test_what_servers_want_back_beside_the_calls() -> None:
    signature = {"google": {"thought_signature": "s=="}}
    reply = from_chunks(
        {"role": "assistant", "content": None, "reasoning_content": "think"},
        {"reasoning_content": "ing"},
        {"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "a"}]},
        {"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "b"}]},
        {"reasoning_details": [{"type": "reasoning.text", "index": 0, "signature": "s"}]},
        {"reasoning_details": [{"type": "reasoning.encrypted", "index": 0, "data": "e"}]},
        piece("search", "{}", index=0, id="x", type="function", extra_content=signature),
    )
    [said] = json.loads(reply.raw)
    assert said == {
        "role": "assistant",
        "content": None,
        "reasoning_content": "thinking",
        "reasoning_details": [
            {"type": "reasoning.text", "index": 0, "text": "ab", "signature": "s"},
            {"type": "reasoning.encrypted", "index": 0, "data": "e"},
        ],
        "tool_calls": [
            {
                "id": "x",
                "type": "function",
                "extra_content": signature,
                "function": {"name": "search", "arguments": "{}"},
            }
        ],
    }


def test_a_content_in_parts_goes_back_in_parts() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]
    reply = from_chunks({"content": parts}, {"content": "words"}, finish="stop")
    assert reply.text == "words"
    [said] = json.loads(reply.raw)
    assert said["content"] == [*parts, {"type": "text", "text": "words"}]


def test_items_that_came_one_by_one_stand_in_for_a_last_event_without_any() -> None:
    whole = RESPONSES.answer(Say("w", [Call("search", {})]), 1, {}, Used(1, 0, 0, 1))
    reader = ResponsesReader()
    for at, item in enumerate(whole["output"]):
        reader.read_event({"type": "response.output_item.done", "output_index": at, "item": item})
    reader.read_event({"type": "response.completed", "response": {**whole, "output": []}})
    reply = concluded(reader)
    assert calls(reply) == [("call_1_0", "search", {})]
    assert json.loads(reply.raw) == whole["output"]


def test_blocks_of_text_without_text_do_not_go_back() -> None:
    reader = MessagesReader()
    use = {"type": "tool_use", "id": "x", "name": "search", "input": {}}
    content = [{"type": "text", "text": ""}, use]
    reader.read_whole({"content": content, "stop_reason": "tool_use"})
    reply = concluded(reader)
    assert json.loads(reply.raw) == content
    said = Message("assistant", reply.text, calls=reply.tool_calls, raw=reply.raw)
    with serving(answer({"content": [], "stop_reason": "end_turn"})) as server:
        prompt = Prompt("", (PROMPT.messages[0], said, PROMPT.messages[0]), TOOLS)
        say(prompt, profile_for("anthropic", server.url))
    assert server.requests[0].body["messages"][1]["content"] == [use]


def test_an_end_by_tool_use_without_any_content_is_empty() -> None:
    reader = MessagesReader()
    reader.read_whole({"content": [], "stop_reason": "tool_use"})
    assert concluded(reader).finish is Finish.EMPTY


# --- any pieces at all ---

READERS: list[tuple[Protocol, Callable[[], ReplyReader]]] = [
    (MESSAGES, MessagesReader),
    (RESPONSES, ResponsesReader),
    (CHAT, ChatReader),
]
FIELDS = (
    *("index", "id", "function", "name", "arguments", "tool_calls", "content", "type", "text"),
    *("reasoning_details", "input", "delta", "item", "output_index", "output"),
)
texts = st.text(max_size=12)
arguments = st.dictionaries(texts, st.one_of(texts, st.integers(), st.lists(texts, max_size=2)))
said = st.builds(
    Say,
    st.one_of(st.just(""), texts.filter(str.strip)),
    st.lists(st.builds(Call, st.sampled_from(["read_file", "search"]), arguments), max_size=4),
    st.one_of(st.just(""), texts.filter(str.strip)),
)


@given(said)
@examples(80)
def test_a_stream_says_the_same_as_a_whole_answer(spoken: Say) -> None:
    used = Used(10, 0, 0, 1)
    for protocol, make in READERS:
        whole = protocol.answer(spoken, 1, {"max_tokens": 9}, used)
        at_once, streamed = make(), make()
        at_once.read_whole(whole)
        for event in protocol.events(whole):
            data = event.split(b"data: ", 1)[1]
            if data.strip() == b"[DONE]":
                streamed.read_done()
            else:
                streamed.read_event(json.loads(data))
        one, other = concluded(at_once), concluded(streamed)
        assert json.loads(one.raw or "0") == json.loads(other.raw or "0")
        assert attrs.evolve(one, raw="") == attrs.evolve(other, raw="")


junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
KINDS = [
    *("content_block_start", "content_block_delta", "message_delta", "message_stop"),
    *("response.output_item.done", "response.completed"),
]


@given(st.lists(st.tuples(st.sampled_from(KINDS), junk, junk), max_size=5))
@examples(150)
def test_nothing_that_a_server_sends_raises(pieces: list[tuple[str, Any, Any]]) -> None:
    for _, make in READERS:
        reader = make()
        for kind, one, other in pieces:
            reader.read_event(
                {
                    **(one if isinstance(one, Mapping) else {}),
                    "type": kind,
                    "index": one,
                    "output_index": one,
                    "content_block": other,
                    "delta": other,
                    "item": other,
                    "response": other,
                    "choices": [{"delta": other, "finish_reason": "stop"}],
                }
            )
        reader.read_done()
        concluded(reader)


# --- servers that take no tools ---


def error(message: str, **rest: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **rest}}


DECLINED = [
    (400, error("registry.ollama.ai/library/gemma3:latest does not support tools")),
    (
        400,
        error(
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        ),
    ),
    (500, error("tools param requires --jinja flag", type="server_error", code=500)),
    (
        404,
        {"error": {"message": "No endpoints found that support tool use. Try disabling it."}},
    ),
    (
        400,
        error(
            "Function tools with reasoning_effort are not supported for gpt-5.6-sol in"
            " /v1/chat/completions. Please use /v1/responses instead.",
            param="reasoning_effort",
        ),
    ),
    (400, error("Unsupported parameter", param="tools", code="unsupported_parameter")),
    (400, error("Invalid value", param="tools[0].type")),
    (
        422,
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "tools"], "msg": "Extra inputs"}]},
    ),
    (422, {"detail": [{"loc": ["tool_choice"], "msg": "field not permitted"}]}),
    (501, error("function calling is not implemented")),
    (400, error("This model does not support function calling")),
]
NOT_DECLINED: list[tuple[int, Any, type[ProviderError]]] = [
    (400, error("`tool_use` ids were found without `tool_result` blocks: x"), FatalError),
    (400, error("No tool call found for function call output with call_id x."), FatalError),
    (400, error("No tool output found for function call x."), FatalError),
    (
        400,
        error("An assistant message with 'tool_calls' must be followed by tool messages"),
        FatalError,
    ),
    (404, error("model tools-7b not found", code="model_not_found"), FatalError),
    (404, error("The model `some-model` does not exist"), FatalError),
    (400, error("Unsupported value", param="messages"), FatalError),
    (
        400,
        error("maximum context length is 8192 tokens (200 in the tools); not supported"),
        CallTooLargeError,
    ),
    (500, error("the tool parser crashed", type="server_error"), TransientError),
    (503, error("tools are unavailable", type="server_error"), TransientError),
    (400, error("temperature is not supported"), FatalError),
]


def turned_away(status: int, body: Any, prompt: Prompt = PROMPT, protocol: str = "chat") -> Asked:
    with serving(answer(body, status=status)) as server:
        return say(prompt, profile_for(protocol, server.url))


@pytest.mark.parametrize(("status", "body"), DECLINED)
@pytest.mark.parametrize("protocol", ["anthropic", "responses", "chat"])
def test_servers_that_take_no_tools(status: int, body: Any, protocol: str) -> None:
    failure = turned_away(status, body, protocol=protocol).failure
    assert type(failure) is ToolsDeclinedError
    assert "tools" in failure.fix
    assert failure.usage is None


@pytest.mark.parametrize(("status", "body", "kind"), NOT_DECLINED)
def test_other_failures_stay_what_they_are(
    status: int, body: Any, kind: type[ProviderError]
) -> None:
    assert type(turned_away(status, body).failure) is kind


@pytest.mark.parametrize(("status", "body"), DECLINED)
def test_without_tools_nothing_is_blamed_on_them(status: int, body: Any) -> None:
    plain = Prompt(PROMPT.system, PROMPT.messages)
    assert not isinstance(turned_away(status, body, plain).failure, ToolsDeclinedError)


def test_tools_declined_inside_of_a_stream() -> None:
    body = {"error": {"code": 404, "message": "No endpoints found that support tool use."}}
    with serving(stream(b"data: " + json.dumps(body).encode() + b"\n\n")) as server:
        failure = say(PROMPT, profile_for("chat", server.url)).failure
    assert isinstance(failure, ToolsDeclinedError)


@pytest.mark.parametrize("field", ["parallel_tool_calls", "include"])
def test_a_field_about_calls_that_a_server_does_not_know_is_left_out(field: str) -> None:
    refusal = error(f"Unsupported parameter: '{field}' is not supported.", param=field)
    fine = RESPONSES.answer(Say("done"), 1, {}, Used(1, 0, 0, 1))
    with serving(answer(refusal, status=400), answer(fine)) as server:
        asked = say(PROMPT, profile_for("responses", server.url))
    assert asked.answer.text == "done"
    assert [field in request.body for request in server.requests] == [True, False]


def test_ids_are_the_same_after_a_crash() -> None:
    replies = [from_chunks(piece("search", "{}", index=0)) for _ in range(2)]
    assert replies[0] == replies[1]
    assert replies[0].tool_calls == (ToolCall("call00700", "search", "{}"),)
