"""Anthropic's Messages API as its server speaks it: version 2026-10-21, newest models."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from tests.providers.dialects import Pieces, event
from tests.support.vendors.said import (
    MODEL,
    RefusedError,
    Say,
    Used,
    demand,
    only,
    plain,
    split,
)

_BODY = (
    *("model", "max_tokens", "messages", "system", "stream", "tools", "tool_choice", "metadata"),
    *("stop_sequences", "thinking", "output_config", "service_tier", "cache_control"),
)
_BLOCKS = {
    "text": ("text", "citations"),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name", "input", "caller"),
    "tool_result": ("tool_use_id", "content", "is_error"),
}
_MARKS = 4
_NO_RESULT = "`tool_use` ids were found without `tool_result` blocks immediately after: "


@frozen
class Messages:
    """See `said.Protocol`."""

    name: str = "anthropic"
    path: str = "/v1/messages"

    def check(self, body: Mapping[str, Any], issued: list[Any]) -> None:
        only(body, _BODY, "")
        demand(isinstance(body.get("model"), str), "model: Field required")
        demand(isinstance(body.get("max_tokens"), int), "max_tokens: Field required")
        marks = plain(body).count('"cache_control"')
        demand(marks <= _MARKS, f"A maximum of {_MARKS} blocks with cache_control. Found {marks}.")
        for at, tool in enumerate(body.get("tools", [])):
            _check_tool(tool, f"tools.{at}.")
        names = [tool["name"] for tool in body.get("tools", [])]
        demand(len(set(names)) == len(names), "tools: Tool names must be unique.")
        turns = [
            (turn["role"], _blocks(turn, f"messages.{at}."))
            for at, turn in enumerate(body["messages"])
        ]
        demand(turns and turns[0][0] == "user", "messages: first message must use the user role")
        demand(turns[-1][0] == "user", "This model does not support assistant message prefill.")
        uses = [b for _, blocks in turns for b in blocks if b["type"] == "tool_use"]
        demand(names or not uses, "Requests which include `tool_use` must define tools")
        for at, (role, blocks) in enumerate(turns):
            following = turns[at + 1] if at + 1 < len(turns) else ("", [])
            if role == "assistant":
                _check_results(blocks, following, at)
                _check_unchanged(blocks, issued, at)
            else:
                _check_orphans(blocks, turns[at - 1][1] if at else [], at)

    def answer(self, say: Say, number: int, body: Mapping[str, Any], used: Used) -> Any:
        content: list[Any] = []
        if say.thinking:
            signature = f"sig-{number}-ü=="
            content.append({"type": "thinking", "thinking": say.thinking, "signature": signature})
        if say.text:
            content.append({"type": "text", "text": say.text, "citations": None})
        content += [
            {
                "type": "tool_use",
                "id": f"toolu_{number}_{at}",
                "name": call.name,
                "input": _input(call.arguments),
            }
            for at, call in enumerate(say.calls)
        ]
        stop = "max_tokens" if say.cut else "tool_use" if say.calls else "end_turn"
        return {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {
                "input_tokens": used.input - used.cached - used.written,
                "cache_read_input_tokens": used.cached,
                "cache_creation_input_tokens": used.written,
                "output_tokens": body["max_tokens"] if say.cut else used.output,
            },
        }

    def events(self, whole: Any) -> Pieces:
        return tuple(event(one["type"], one) for one in _events(whole))

    def pieces(self, body: Mapping[str, Any]) -> list[tuple[str, bool]]:
        system = body.get("system", [])
        blocks: list[Any] = [*body.get("tools", [])]
        blocks += [{"type": "text", "text": system}] if isinstance(system, str) else system
        for at, turn in enumerate(body["messages"]):
            blocks += [{"role": turn["role"], **block} for block in _blocks(turn, f"{at}.")]
        return [
            (
                plain({k: v for k, v in block.items() if k != "cache_control"}),
                "cache_control" in block,
            )
            for block in blocks
        ]

    def error(self, refused: RefusedError) -> Mapping[str, Any]:
        error = {"type": "invalid_request_error", "message": str(refused), "details": None}
        return {"type": "error", "error": error, "request_id": "req_refused"}


MESSAGES = Messages()


def _check_tool(tool: Mapping[str, Any], where: str) -> None:
    only(tool, ("name", "description", "input_schema", "cache_control", "strict", "type"), where)
    demand(re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", tool.get("name", "")), f"{where}name: bad name")
    schema = tool.get("input_schema")
    demand(isinstance(schema, dict) and schema.get("type") == "object", f"{where}input_schema")


def _blocks(turn: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    only(turn, ("role", "content"), where)
    demand(turn["role"] in {"user", "assistant"}, f"{where}role: Input should be user, assistant")
    content = turn["content"]
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    demand(content, f"{where}content: must not be empty")
    for at, block in enumerate(content):
        place = f"{where}content.{at}."
        demand(block.get("type") in _BLOCKS, f"{place}type: unknown {block.get('type')}")
        only(block, ("type", "cache_control", *_BLOCKS[block["type"]]), place)
        if block["type"] == "text":
            demand(block["text"].strip(), f"{place}text: text content blocks must be non-empty")
        if block["type"] == "tool_use":
            demand(isinstance(block["input"], dict), f"{place}input: Input should be an object")
        if block["type"] in {"thinking", "redacted_thinking"}:
            demand("cache_control" not in block, f"{place}cache_control: not on thinking")
    return list(content)


def _check_results(
    blocks: list[dict[str, Any]], following: tuple[str, list[dict[str, Any]]], at: int
) -> None:
    ids = [block["id"] for block in blocks if block["type"] == "tool_use"]
    role, answers = following
    results = []
    for block in answers if role == "user" else []:
        if block["type"] != "tool_result":
            break  # words before a result hide it
        results.append(block["tool_use_id"])
    missing = [one for one in ids if one not in results]
    demand(not missing, f"messages.{at}: {_NO_RESULT}{', '.join(missing)}")
    demand(len(set(results)) == len(results), f"messages.{at + 1}: each tool_use one result")


def _check_orphans(blocks: list[dict[str, Any]], before: list[dict[str, Any]], at: int) -> None:
    known = {block["id"] for block in before if block["type"] == "tool_use"}
    for block in blocks:
        if block["type"] == "tool_result":
            one = block["tool_use_id"]
            demand(one in known, f"messages.{at}: unexpected `tool_use_id` in `tool_result`: {one}")


def _check_unchanged(blocks: list[dict[str, Any]], issued: list[Any], at: int) -> None:
    """A turn that has a call or a thought of ours must be that turn, whole and in order."""
    ours = {
        key: whole["content"]
        for whole in issued
        for block in whole["content"]
        for key in [block.get("id") or block.get("signature")]
        if key
    }
    for block in blocks:
        content = ours.get(block.get("id") or block.get("signature") or "")
        if content is None:
            demand(block["type"] != "thinking", f"messages.{at}: Invalid `signature` in `thinking`")
            continue
        sent = [one for one in content if one["type"] != "text" or one["text"].strip()]
        demand(
            plain(sent) == plain(blocks),
            f"messages.{at}: `thinking` or `redacted_thinking` blocks in the latest assistant"
            " message cannot be modified",
        )


def _input(arguments: Mapping[str, Any] | str) -> Any:
    return {} if isinstance(arguments, str) else dict(arguments)


def _events(whole: Any) -> Iterator[dict[str, Any]]:
    usage = {**whole["usage"], "output_tokens": 1}
    head = {**whole, "content": [], "stop_reason": None, "usage": usage}
    yield {"type": "message_start", "message": head}
    yield {"type": "ping"}
    for at, block in enumerate(whole["content"]):
        empty, deltas = _deltas(block)
        yield {"type": "content_block_start", "index": at, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": at, "delta": delta}
        yield {"type": "content_block_stop", "index": at}
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    used = {"output_tokens": whole["usage"]["output_tokens"]}
    yield {"type": "message_delta", "delta": delta, "usage": used}
    yield {"type": "message_stop"}


def _deltas(block: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A block as it begins, and what is added to it."""
    if block["type"] == "text":
        deltas = [{"type": "text_delta", "text": piece} for piece in split(block["text"])]
        return {**block, "text": ""}, deltas
    if block["type"] == "thinking":
        deltas = [
            {"type": "thinking_delta", "thinking": piece} for piece in split(block["thinking"])
        ]
        signature = {"type": "signature_delta", "signature": block["signature"]}
        return {**block, "thinking": "", "signature": ""}, [*deltas, signature]
    pieces = (
        ["", *split(json.dumps(block["input"], ensure_ascii=False))] if block["input"] else [""]
    )
    return {**block, "input": {}}, [
        {"type": "input_json_delta", "partial_json": piece} for piece in pieces
    ]
