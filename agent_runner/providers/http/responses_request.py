"""OpenAI's Responses API: how a request looks.

Nothing is kept at the provider (`store: false`), so what a model thought comes back encrypted with
its answer and is sent again in front of what followed from it, every item in its order. Facts are
from OpenAI's documentation, OpenAPI description and SDK, as of November 2026.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from agent_runner.model.agent import AgentRequest, Message, Prompt, ToolAnswer, ToolCall, ToolSpec
from agent_runner.providers.catalogue import reasons
from agent_runner.providers.http.reply import sendable_arguments
from agent_runner.providers.profiles import Profile

ENCRYPTED = "reasoning.encrypted_content"
"""What to include in an answer, so that reasoning can be sent back without being stored."""


def body_of(profile: Profile, prompt: Prompt, request: AgentRequest) -> dict[str, Any]:
    """The request's body.

    `store` is always sent: its default is true, and every prompt would be kept for 30 days or more.
    Only a background answer needs it, which without `store` is erased ten minutes after its end.
    """
    freeform = {call.id for m in prompt.messages for call in m.calls if call.freeform}
    body: dict[str, Any] = {
        "model": profile.model,
        "input": [
            item
            for at, message in enumerate(prompt.messages)
            for item in _items(message, at, freeform, profile)
        ],
        "max_output_tokens": request.max_output_tokens,
        "store": profile.background,
        "stream": profile.stream and not profile.background,
    }
    if prompt.system:
        body["instructions"] = prompt.system
    if profile.background:
        body["background"] = True
    if prompt.tools:
        body["tools"] = [_offer(tool, custom=profile.custom_tools) for tool in prompt.tools]
        body["parallel_tool_calls"] = True
    # OpenAI's models that do not reason turn the whole request away; other servers ignore it
    if not profile.official or reasons(profile.model):
        body["include"] = [ENCRYPTED]
    if profile.official:
        body["prompt_cache_key"] = _cache_key(request)
    return body


def _offer(tool: ToolSpec, *, custom: bool) -> dict[str, Any]:
    """A tool as it is offered. `strict` is said, since its default here, unlike elsewhere, is true.

    Strict would ask the model for every argument of a tool, also for those that may be left out.
    """
    if tool.grammar and custom:
        grammar = {"type": "grammar", "syntax": "lark", "definition": tool.grammar}
        named = {"name": tool.name, "description": tool.description}
        return {"type": "custom", **named, "format": grammar}
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": False,
    }


def _items(
    message: Message, position: int, freeform: set[str], profile: Profile
) -> Iterator[dict[str, Any]]:
    """One turn of the conversation. What the model said goes back in the form in which it came.

    OpenAI also takes its words as plain text; llama.cpp refuses the whole request then. The id of a
    message is one of our own: it is required, must begin like this, and nothing is looked up by it.
    """
    if message.role != "assistant":
        yield from (_output(answer, freeform) for answer in message.answers)
        if message.text or not message.answers:
            yield {"type": "message", "role": message.role, "content": message.text}
        return
    for at, item in enumerate(json.loads(message.raw) if message.raw else _made(message)):
        if item.get("type") == "message":
            yield {**item, "id": f"msg_{position}_{at}" if at else f"msg_{position}"}
        elif "arguments" in item and not profile.official:
            yield {**item, "arguments": sendable_arguments(item["arguments"])}
        else:
            yield item


def _made(message: Message) -> Iterator[dict[str, Any]]:
    """The items of a turn that is known by its words and calls alone."""
    if message.text or not message.calls:
        words = {"type": "output_text", "text": message.text, "annotations": []}
        yield {"type": "message", "role": "assistant", "status": "completed", "content": [words]}
    yield from map(_call, message.calls)


def _call(call: ToolCall) -> dict[str, Any]:
    named = {"call_id": call.id, "name": call.name}
    if call.freeform:
        return {"type": "custom_tool_call", **named, "input": call.arguments}
    return {"type": "function_call", **named, "arguments": call.arguments}


def _output(answer: ToolAnswer, freeform: set[str]) -> dict[str, Any]:
    kind = "custom_tool_call_output" if answer.id in freeform else "function_call_output"
    return {"type": kind, "call_id": answer.id, "output": answer.text}


def _cache_key(request: AgentRequest) -> str:
    """What brings the calls of one task to one cache: the same for all of them, in every run."""
    return f"agent-runner-{hashlib.sha256(request.task.encode()).hexdigest()[:24]}"
