"""Chat Completions as the strictest of its servers take them.

Calls and answers as OpenAI wants them, thoughts given back as DeepSeek does (400 without them), and
arguments that can be read, as llama.cpp and vLLM do.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from tests.providers.dialects import DONE, Pieces, data_only
from tests.support.vendors.said import (
    MODEL,
    RefusedError,
    Say,
    Used,
    demand,
    only,
    plain,
    readable,
    split,
)

_BODY = (
    *("model", "messages", "stream", "stream_options", "tools", "tool_choice", "store"),
    *("max_tokens", "max_completion_tokens", "parallel_tool_calls", "metadata", "stop", "seed"),
)
_MESSAGES = {
    "system": ("content",),
    "developer": ("content",),
    "user": ("content",),
    "assistant": ("content", "tool_calls", "reasoning_content", "reasoning_details"),
    "tool": ("content", "tool_call_id"),
}


@frozen
class Chat:
    """See `said.Protocol`."""

    name: str = "chat"
    path: str = "/chat/completions"

    def check(self, body: Mapping[str, Any], issued: list[Any]) -> None:
        only(body, _BODY, "")
        for at, tool in enumerate(body.get("tools", [])):
            only(tool, ("type", "function"), f"tools[{at}].")
            demand(tool["type"] == "function", "Invalid value", param=f"tools[{at}].type")
            only(tool["function"], ("name", "description", "parameters"), f"tools[{at}].function.")
        messages = body["messages"]
        for at, message in enumerate(messages):
            _check_message(message, f"messages[{at}].")
        demand(messages[-1]["role"] in {"user", "tool"}, "messages: must end with the user")
        _check_pairs(messages)
        ours = {
            call["id"]: whole["choices"][0]["message"]
            for whole in issued
            for call in whole["choices"][0]["message"].get("tool_calls", [])
        }
        for at, message in enumerate(messages):
            for call in message.get("tool_calls", []):
                said = ours.get(call["id"])
                if said is not None:
                    _check_unchanged(message, said, at)

    def answer(self, say: Say, number: int, body: Mapping[str, Any], used: Used) -> Any:
        message: dict[str, Any] = {"role": "assistant", "content": say.text or None}
        if say.thinking:
            message["reasoning_content"] = say.thinking
        if say.calls:
            message["tool_calls"] = [
                {
                    "id": f"call_{number}_{at}",
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.text},
                }
                for at, call in enumerate(say.calls)
            ]
        finish = "length" if say.cut else "tool_calls" if say.calls else "stop"
        return {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "created": 1,
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {
                "prompt_tokens": used.input,
                "completion_tokens": used.output,
                "total_tokens": used.input + used.output,
                "prompt_tokens_details": {"cached_tokens": used.cached},
            },
        }

    def events(self, whole: Any) -> Pieces:
        return (*map(data_only, _chunks(whole)), DONE)

    def pieces(self, body: Mapping[str, Any]) -> list[tuple[str, bool]]:
        return [(plain(part), True) for part in (*body.get("tools", []), *body["messages"])]

    def error(self, refused: RefusedError) -> Mapping[str, Any]:
        named = {"param": refused.param or "messages", "code": None}
        return {"error": {"message": str(refused), "type": "invalid_request_error", **named}}


CHAT = Chat()


def _check_message(message: Mapping[str, Any], where: str) -> None:
    demand(message.get("role") in _MESSAGES, "Invalid value", param=f"{where}role")
    only(message, ("role", *_MESSAGES[message["role"]]), where)
    words = isinstance(message.get("content"), str)
    demand(words or message.get("tool_calls"), "expected a string", param=f"{where}content")
    for call in message.get("tool_calls", []):
        only(call, ("id", "type", "function"), f"{where}tool_calls.")
        only(call["function"], ("name", "arguments"), f"{where}tool_calls.function.")
        demand(call["id"] and call["function"]["name"], "Missing", param=f"{where}tool_calls")
        arguments = call["function"]["arguments"]
        told = "Failed to parse tool call arguments as JSON"
        demand(readable(arguments) == arguments, told, param=where)


def _check_pairs(messages: list[Mapping[str, Any]]) -> None:
    open_calls: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            one = message["tool_call_id"]
            demand(
                one in open_calls,
                "messages with role 'tool' must be a response to a preceding message with"
                f" 'tool_calls': {one}",
            )
            open_calls.remove(one)
            continue
        demand(
            not open_calls,
            "An assistant message with 'tool_calls' must be followed by tool messages responding to"
            f" each 'tool_call_id': {open_calls}",
        )
        open_calls = [call["id"] for call in message.get("tool_calls", [])]
    demand(not open_calls, f"'tool_call_id's did not have response messages: {open_calls}")


def _check_unchanged(message: Mapping[str, Any], said: Mapping[str, Any], at: int) -> None:
    thoughts = said.get("reasoning_content")
    demand(
        message.get("reasoning_content") == thoughts,
        f"Missing `reasoning_content` field in the assistant message at message index {at}.",
    )
    wanted = {**said, "tool_calls": [_readable(call) for call in said["tool_calls"]]}
    demand(plain(wanted) == plain(message), f"messages[{at}] is not what was answered")


def _readable(call: Mapping[str, Any]) -> Mapping[str, Any]:
    function = call["function"]
    return {**call, "function": {**function, "arguments": readable(function["arguments"])}}


def _chunks(whole: Any) -> Iterator[dict[str, Any]]:
    choice = whole["choices"][0]
    message = choice["message"]
    head = {**whole, "object": "chat.completion.chunk"}
    usage = head.pop("usage")

    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": None})
    for piece in split(message.get("reasoning_content", "")):
        yield chunk({"reasoning_content": piece})
    for piece in split(message["content"] or ""):
        yield chunk({"content": piece})
    for at, call in enumerate(message.get("tool_calls", [])):
        function = {"name": call["function"]["name"], "arguments": ""}
        yield chunk({"tool_calls": [{**call, "index": at, "function": function}]})
        for piece in split(call["function"]["arguments"]):
            yield chunk({"tool_calls": [{"index": at, "function": {"arguments": piece}}]})
    yield chunk({}, choice["finish_reason"])
    yield {**head, "choices": [], "usage": usage}
