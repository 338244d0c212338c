"""OpenAI's Responses API as its server speaks it, to a client that has nothing stored."""

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
    readable,
    split,
)

_BODY = (
    *("model", "input", "instructions", "max_output_tokens", "store", "stream", "background"),
    *("tools", "tool_choice", "parallel_tool_calls", "include", "prompt_cache_key", "reasoning"),
    *("metadata", "service_tier", "text", "truncation", "safety_identifier"),
)
_TOOLS = {
    "function": ("name", "description", "parameters", "strict"),
    "custom": ("name", "description", "format"),
}
_ITEMS = {
    "message": ("id", "role", "content", "status", "phase"),
    "reasoning": ("id", "summary", "content", "encrypted_content", "status"),
    "function_call": ("id", "call_id", "name", "arguments", "status", "caller", "namespace"),
    "custom_tool_call": ("id", "call_id", "name", "input", "status", "caller", "namespace"),
    "function_call_output": ("call_id", "output", "id", "status"),
    "custom_tool_call_output": ("call_id", "output", "id"),
}
_ENCRYPTED = "reasoning.encrypted_content"
_CALLS = ("function_call", "custom_tool_call")


@frozen
class Responses:
    """See `said.Protocol`."""

    name: str = "responses"
    path: str = "/responses"

    def check(self, body: Mapping[str, Any], issued: list[Any]) -> None:
        only(body, _BODY, "")
        demand(isinstance(body.get("model"), str), "Missing required parameter: 'model'.")
        for at, tool in enumerate(body.get("tools", [])):
            _check_tool(tool, f"tools[{at}].")
        items = [_item(item, f"input[{at}].") for at, item in enumerate(body["input"])]
        demand(items and items[0].get("role") == "user", "input: must begin with the user")
        ours = {_key(item): whole["output"] for whole in issued for item in whole["output"]}
        _check_pairs(items)
        _check_reasoning(items, ours, stored=bool(body.get("store", True)))
        for at, item in enumerate(items):
            if item["type"] in {*_CALLS, "reasoning"}:
                _check_unchanged(items, at, ours)

    def answer(self, say: Say, number: int, body: Mapping[str, Any], used: Used) -> Any:
        output: list[Any] = []
        if say.thinking:
            thought = {"id": f"rs_{number}", "type": "reasoning", "summary": []}
            if _ENCRYPTED in body.get("include", []):
                thought["encrypted_content"] = f"gAAAA{number}=="
            output.append(thought)
        if say.text:
            part = {"type": "output_text", "text": say.text, "annotations": [], "logprobs": []}
            message = {"id": f"msg_of_server_{number}", "type": "message", "role": "assistant"}
            phase = "commentary" if say.calls else "final_answer"
            output.append({**message, "status": "completed", "content": [part], "phase": phase})
        for at, call in enumerate(say.calls):
            named = {"id": f"fc_{number}_{at}", "call_id": f"call_{number}_{at}"}
            named |= {"name": call.name, "status": "completed"}
            if call.freeform:
                output.append({"type": "custom_tool_call", **named, "input": call.text})
            else:
                output.append({"type": "function_call", **named, "arguments": call.text})
        return {
            "id": f"resp_{number}",
            "object": "response",
            "created_at": 1,
            "model": MODEL,
            "status": "incomplete" if say.cut else "completed",
            "output": output,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if say.cut else None,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": {
                "input_tokens": used.input,
                "input_tokens_details": {
                    "cached_tokens": used.cached,
                    "cache_write_tokens": used.written,
                },
                "output_tokens": used.output,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": used.input + used.output,
            },
        }

    def events(self, whole: Any) -> Pieces:
        return tuple(
            event(one["type"], {**one, "sequence_number": at})
            for at, one in enumerate(_events(whole))
        )

    def pieces(self, body: Mapping[str, Any]) -> list[tuple[str, bool]]:
        parts = [*body.get("tools", []), {"system": body.get("instructions", "")}, *body["input"]]
        return [(plain(part), True) for part in parts]

    def error(self, refused: RefusedError) -> Mapping[str, Any]:
        named = {"param": refused.param or "input", "code": None}
        return {"error": {"message": str(refused), "type": "invalid_request_error", **named}}


RESPONSES = Responses()


def _check_tool(tool: Mapping[str, Any], where: str) -> None:
    demand(
        tool.get("type") in _TOOLS, f"Invalid value: '{tool.get('type')}'.", param=f"{where}type"
    )
    only(tool, ("type", *_TOOLS[tool["type"]]), where)
    if tool["type"] == "custom":
        form = tool.get("format", {"type": "text"})
        known = form.get("type") == "text" or form.get("syntax") in {"lark", "regex"}
        demand(known, "Invalid grammar", param=f"{where}format")
    else:
        demand(isinstance(tool.get("parameters"), dict), "Missing", param=f"{where}parameters")
        demand(tool.get("strict") is False, "Invalid schema: 'required' must list every property")


def _item(item: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    kind = item.get("type", "message")
    demand(kind in _ITEMS, f"Invalid value: '{kind}'.", param=f"{where}type")
    only(item, ("type", *_ITEMS[kind]), where)
    content = item.get("content")
    if kind == "message" and isinstance(content, list):
        wanted = "output_text" if item["role"] == "assistant" else "input_text"
        for part in content:
            demand(part["type"] == wanted, f"Invalid value: '{part['type']}'.", param=where)
            only(part, ("type", "text", "annotations", "logprobs"), where)
    return {"type": kind, **item}


def _check_pairs(items: list[Mapping[str, Any]]) -> None:
    """Every call is answered before anybody says another word, and nothing else is answered."""
    open_calls: dict[str, str] = {}
    answered = False
    for item in items:
        kind = item["type"]
        if kind in _CALLS:
            demand(not (open_calls and answered), f"No tool output found for {list(open_calls)}")
            open_calls[item["call_id"]] = f"{kind}_output"
            answered = False
        elif kind.endswith("_output"):
            wanted = open_calls.pop(item["call_id"], "")
            demand(wanted, f"No tool call found for {kind} with call_id {item['call_id']}.")
            demand(kind == wanted, f"{item['call_id']}: {kind} in place of {wanted}")
            demand(isinstance(item["output"], str), "output: must be text")
            answered = True
        else:
            missing = ", ".join(open_calls)
            demand(not open_calls, f"No tool output found for function call {missing}.")
    demand(not open_calls, f"No tool output found for function call {', '.join(open_calls)}.")


def _check_reasoning(
    items: list[Mapping[str, Any]], ours: Mapping[str, Any], *, stored: bool
) -> None:
    for at, item in enumerate(items):
        if item["type"] != "reasoning":
            continue
        sealed = item.get("encrypted_content")
        demand(
            sealed or stored,
            f"Item with id '{item['id']}' not found. Items are not persisted when `store` is set"
            " to false.",
            status=404,
        )
        demand(sealed in ours, "The encrypted content could not be verified.")
        following = items[at + 1] if at + 1 < len(items) else {"type": ""}
        follows = following["type"] in _CALLS or following.get("role") == "assistant"
        demand(
            follows,
            f"Item '{item['id']}' of type 'reasoning' was provided without its required following"
            " item.",
        )


def _check_unchanged(items: list[Mapping[str, Any]], at: int, ours: Mapping[str, Any]) -> None:
    """What stands around an item of ours is the whole output that it came with, in order."""
    item = items[at]
    output = ours.get(_key(item))
    if output is None:
        return
    position = [_key(one) for one in output].index(_key(item))
    sent = items[max(0, at - position) : at - position + len(output)]
    reasoning = next((one for one in output if one["type"] == "reasoning"), None)
    kinds = [one["type"] for one in sent]
    demand(
        reasoning is None or "reasoning" in kinds,
        f"Item '{item.get('id')}' of type '{item['type']}' was provided without its required"
        f" 'reasoning' item: '{(reasoning or {}).get('id')}'.",
    )
    same = [plain(_bare(one)) for one in sent] == [plain(_bare(one)) for one in output]
    demand(same, "The items of an earlier response were changed, left out or put in another order")


def _key(item: Mapping[str, Any]) -> str:
    return str(item.get("call_id") or item.get("encrypted_content") or item.get("id"))


def _bare(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as it must come back: without the id of a message, with arguments to be read."""
    bare = {k: v for k, v in item.items() if not (k == "id" and item["type"] == "message")}
    if "arguments" in bare:
        bare["arguments"] = readable(bare["arguments"])
    return bare


def _events(whole: Any) -> Iterator[dict[str, Any]]:
    head = {**whole, "output": [], "status": "in_progress", "usage": None}
    yield {"type": "response.created", "response": head}
    for at, item in enumerate(whole["output"]):
        where = {"output_index": at, "item_id": item["id"]}
        yield {"type": "response.output_item.added", "output_index": at, "item": _begun(item)}
        if item["type"] == "message":
            text = item["content"][0]["text"]
            for piece in split(text):
                words = {"content_index": 0, "delta": piece, "logprobs": []}
                yield {"type": "response.output_text.delta", **where, **words}
        elif item["type"] == "function_call":
            for piece in split(item["arguments"]):
                yield {"type": "response.function_call_arguments.delta", **where, "delta": piece}
        elif item["type"] == "custom_tool_call":
            for piece in split(item["input"]):
                yield {"type": "response.custom_tool_call_input.delta", **where, "delta": piece}
        yield {"type": "response.output_item.done", "output_index": at, "item": item}
    yield {"type": f"response.{whole['status']}", "response": whole}


def _begun(item: Mapping[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"content": [], "arguments": "", "input": "", "encrypted_content": ""}
    return {name: empty.get(name, value) for name, value in item.items()}
