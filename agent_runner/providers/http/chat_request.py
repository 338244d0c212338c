"""OpenAI's Chat Completions: how a request looks, at OpenAI and at compatible servers."""

import json
from collections.abc import Iterator
from typing import Any

from agent_runner.model.agent import AgentRequest, Message, Prompt, ToolCall, ToolSpec
from agent_runner.providers.http.reply import arguments_of, sendable_arguments
from agent_runner.providers.profiles import Profile

CAPS = ("max_tokens", "max_completion_tokens")
"""The two names of the answer's cap. `Profile.cap` says which one a server takes: OpenAI's newer
models refuse the first, and Ollama ignores the second without a word, so that nothing is capped."""


def body_of(profile: Profile, prompt: Prompt, request: AgentRequest) -> dict[str, Any]:
    """The request's body. A stream tells no usage unless `stream_options` asks for it."""
    messages = [said for message in prompt.messages for said in _messages(message, profile)]
    if prompt.system:
        messages.insert(0, {"role": "system", "content": prompt.system})
    body: dict[str, Any] = {"model": profile.model, "messages": messages, "stream": profile.stream}
    if not any(name in profile.params for name in CAPS):
        body[profile.cap] = request.max_output_tokens
    if profile.stream:
        body["stream_options"] = {"include_usage": True}
    if profile.official:
        body["store"] = False  # its default is not documented; other servers may refuse the field
    if prompt.tools:
        body["tools"] = [_offer(tool) for tool in prompt.tools]
    return body


def _offer(tool: ToolSpec) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    return {"type": "function", "function": function}


def _messages(message: Message, profile: Profile) -> Iterator[dict[str, Any]]:
    """One turn: the model's as it came, answers one by one before any word of the user's."""
    for answer in message.answers:
        yield {"role": "tool", "tool_call_id": answer.id, "content": answer.text}
    if message.raw:
        for said in json.loads(message.raw):
            yield said if profile.official else _readable(said)
    elif message.calls:
        calls = [_call(call) for call in message.calls]
        yield _readable({"role": "assistant", "content": message.text or None, "tool_calls": calls})
    elif message.text or not message.answers:
        yield {"role": message.role, "content": message.text}


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = call.arguments
    if call.freeform:  # offered by a protocol that has such calls, and now sent by one without
        arguments = json.dumps(arguments_of(arguments, freeform=True), ensure_ascii=False)
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def _readable(said: dict[str, Any]) -> dict[str, Any]:
    """A turn of the model's with arguments that a server can read which reads them."""
    if not said.get("tool_calls"):
        return said
    calls = [
        {**call, "function": {**function, "arguments": sendable_arguments(function["arguments"])}}
        for call in said["tool_calls"]
        for function in [call["function"]]
    ]
    return {**said, "tool_calls": calls}
