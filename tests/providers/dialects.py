"""The three protocols as a server speaks them: the same answers, told in each one's own way."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

USAGE_INPUT, USAGE_CACHED, USAGE_OUTPUT, USAGE_REASONING = 100, 40, 25, 5
MODEL = "some-model-1"
Pieces = tuple[bytes, ...]


@frozen
class Spoken:
    """What one protocol's server says. `events`, `whole`: from pieces of text and an end."""

    protocol: str
    path: str
    events: Callable[[tuple[str, ...], str], Pieces]
    whole: Callable[[tuple[str, ...], str], Mapping[str, Any]]
    error: Callable[[str, str], Mapping[str, Any]]
    error_event: bytes
    request_id: str
    complete: str
    truncated: str
    refused: str
    tool_events: Pieces
    refusal_events: Pieces


def event(name: str, body: Mapping[str, Any]) -> bytes:
    """One event with name and data."""
    return f"event: {name}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


def data_only(body: Mapping[str, Any]) -> bytes:
    """One event without a name."""
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


# --- Anthropic Messages ---

_M_USAGE = {
    "input_tokens": USAGE_INPUT - USAGE_CACHED,
    "cache_read_input_tokens": USAGE_CACHED,
    "cache_creation_input_tokens": 0,
    "output_tokens": 1,
}


def _m(kind: str, **rest: Any) -> bytes:
    return event(kind, {"type": kind, **rest})


def _m_message(content: list[Any], stop: str | None, output: int = 1) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {
            **_M_USAGE,
            "output_tokens": output,
            "output_tokens_details": {"thinking_tokens": USAGE_REASONING if stop else 0},
        },
    }


_M_START = _m("message_start", message=_m_message([], None))


def _m_end(stop: str, **rest: Any) -> Pieces:
    usage = {
        "output_tokens": USAGE_OUTPUT,
        "output_tokens_details": {"thinking_tokens": USAGE_REASONING},
    }
    delta = {"stop_reason": stop, "stop_sequence": None, **rest}
    return _m("message_delta", delta=delta, usage=usage), _m("message_stop")


def _m_events(pieces: tuple[str, ...], stop: str) -> Pieces:
    start = _m("content_block_start", index=1, content_block={"type": "text", "text": ""})
    thinking = (
        _m("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}),
        _m("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "x"}),
        _m("content_block_stop", index=0),
        _m("ping"),
    )
    deltas = tuple(
        _m("content_block_delta", index=1, delta={"type": "text_delta", "text": piece})
        for piece in pieces
    )
    stop_block = _m("content_block_stop", index=1)
    return (_M_START, *thinking, start, *deltas, stop_block, *_m_end(stop))


def _m_whole(pieces: tuple[str, ...], stop: str) -> Mapping[str, Any]:
    blocks = [{"type": "text", "text": piece} for piece in pieces]
    thinking = {"type": "thinking", "thinking": "", "signature": "x"}
    return _m_message([thinking, *blocks], stop, USAGE_OUTPUT)


ANTHROPIC = Spoken(
    protocol="anthropic",
    path="/v1/messages",
    events=_m_events,
    whole=_m_whole,
    error=lambda kind, message: {
        "type": "error",
        "error": {"type": kind, "message": message, "details": None},
        "request_id": "req_body",
    },
    error_event=_m("error", error={"type": "overloaded_error", "message": "Overloaded"}),
    request_id="request-id",
    complete="end_turn",
    truncated="max_tokens",
    refused="refusal",
    tool_events=(
        _M_START,
        _m(
            "content_block_start",
            index=0,
            content_block={"type": "tool_use", "id": "call_1", "name": "grep", "input": {}},
        ),
        _m(
            "content_block_delta",
            index=0,
            delta={"type": "input_json_delta", "partial_json": '{"q":'},
        ),
        _m(
            "content_block_delta",
            index=0,
            delta={"type": "input_json_delta", "partial_json": '"x"}'},
        ),
        _m("content_block_stop", index=0),
        *_m_end("tool_use"),
    ),
    refusal_events=(
        _M_START,
        *_m_end(
            "refusal",
            stop_details={"type": "refusal", "category": "cyber", "explanation": "no thanks"},
        ),
    ),
)

# --- OpenAI Responses ---


def _r(kind: str, number: int = 0, **rest: Any) -> bytes:
    return event(kind, {"type": kind, "sequence_number": number, **rest})


def response_object(
    parts: list[Any], status: str, *, items: list[Any] | None = None, **rest: Any
) -> dict[str, Any]:
    """A response as the API returns it."""
    message = {
        "id": "item_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": parts,
    }
    reasoning = {"id": "rs_1", "type": "reasoning", "summary": []}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": MODEL,
        "status": status,
        "output": items if items is not None else [reasoning, message],
        "error": None,
        "incomplete_details": None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": USAGE_INPUT,
            "input_tokens_details": {"cached_tokens": USAGE_CACHED, "cache_write_tokens": 0},
            "output_tokens": USAGE_OUTPUT,
            "output_tokens_details": {"reasoning_tokens": USAGE_REASONING},
            "total_tokens": USAGE_INPUT + USAGE_OUTPUT,
        },
        **rest,
    }


def _text_part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


def _r_final(pieces: tuple[str, ...], stop: str) -> dict[str, Any]:
    parts = [_text_part(piece) for piece in pieces]
    if stop == "completed":
        return response_object(parts, "completed")
    return response_object(parts, "incomplete", incomplete_details={"reason": stop})


_R_START = _r("response.created", response=response_object([], "in_progress", items=[], usage=None))


def _r_events(pieces: tuple[str, ...], stop: str) -> Pieces:
    where = {"item_id": "item_1", "output_index": 1, "content_index": 0}
    deltas = tuple(
        _r("response.output_text.delta", n, delta=piece, logprobs=[], **where)
        for n, piece in enumerate(pieces, 1)
    )
    final = _r_final(pieces, stop)
    return (_R_START, *deltas, _r(f"response.{final['status']}", 99, response=final))


RESPONSES = Spoken(
    protocol="responses",
    path="/responses",
    events=_r_events,
    whole=_r_final,
    error=lambda kind, message: {
        "error": {"message": message, "type": kind, "param": None, "code": kind}
    },
    error_event=_r("error", 5, code="server_error", message="Overloaded", param=None),
    request_id="x-request-id",
    complete="completed",
    truncated="max_output_tokens",
    refused="content_filter",
    tool_events=(
        _R_START,
        _r(
            "response.completed",
            2,
            response=response_object(
                [],
                "completed",
                items=[
                    {
                        "id": "fc_1",
                        "type": "function_call",
                        "call_id": "call_1",
                        "name": "grep",
                        "arguments": '{"q":"x"}',
                        "status": "completed",
                    }
                ],
            ),
        ),
    ),
    refusal_events=(
        _R_START,
        _r("response.refusal.delta", 1, delta="no thanks", item_id="item_1", output_index=0),
        _r(
            "response.completed",
            2,
            response=response_object([{"type": "refusal", "refusal": "no thanks"}], "completed"),
        ),
    ),
)

# --- OpenAI Chat Completions ---

_C_USAGE = {
    "prompt_tokens": USAGE_INPUT,
    "completion_tokens": USAGE_OUTPUT,
    "total_tokens": USAGE_INPUT + USAGE_OUTPUT,
    "prompt_tokens_details": {"cached_tokens": USAGE_CACHED},
    "completion_tokens_details": {"reasoning_tokens": USAGE_REASONING},
}
DONE = b"data: [DONE]\n\n"


def _c(delta: Mapping[str, Any] | None, finish: str | None = None, **rest: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return data_only(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": MODEL,
            "choices": choices,
            **rest,
        }
    )


def _c_events(pieces: tuple[str, ...], stop: str) -> Pieces:
    deltas = tuple(_c({"content": piece}) for piece in pieces)
    usage = _c(None, usage=_C_USAGE)
    return (_c({"role": "assistant", "content": ""}), *deltas, _c({}, stop), usage, DONE)


def _c_whole(pieces: tuple[str, ...], stop: str) -> Mapping[str, Any]:
    message = {"role": "assistant", "content": "".join(pieces), "refusal": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": stop}],
        "usage": _C_USAGE,
    }


def _call(**rest: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, **rest}]}


CHAT = Spoken(
    protocol="chat",
    path="/chat/completions",
    events=_c_events,
    whole=_c_whole,
    error=RESPONSES.error,
    error_event=data_only({"error": {"message": "Overloaded", "code": 502}}),
    request_id="x-request-id",
    complete="stop",
    truncated="length",
    refused="content_filter",
    tool_events=(
        _c(_call(id="call_1", type="function", function={"name": "grep", "arguments": '{"q":'})),
        _c(_call(function={"arguments": '"x"}'})),
        _c({}, "tool_calls"),
        DONE,
    ),
    refusal_events=(_c({"refusal": "no "}), _c({"refusal": "thanks"}), _c({}, "stop"), DONE),
)

ALL = (ANTHROPIC, RESPONSES, CHAT)
