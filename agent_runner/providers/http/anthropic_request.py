"""Anthropic's Messages API: how a request looks, and which parts of it are marked for the cache.

Facts are from Anthropic's documentation (Messages, tool use, prompt caching), as of November 2026.
"""

import json
from collections.abc import Mapping
from typing import Any

from agent_runner.model.agent import AgentRequest, Message, Prompt, ToolSpec
from agent_runner.providers.http.reply import arguments_of, text_of
from agent_runner.providers.profiles import Profile


def body_of(profile: Profile, prompt: Prompt, request: AgentRequest) -> dict[str, Any]:
    """The request's body. `max_tokens` is required, and thinking counts inside of it.

    Sampling fields and `thinking` are never sent but by the user's `params`: under version
    2026-10-21 `temperature` is a 400 even at its default, and each newer model refuses some way of
    saying `thinking`.
    """
    body: dict[str, Any] = {
        "model": profile.model,
        "max_tokens": request.max_output_tokens,
        "messages": [
            {"role": message.role, "content": _content(message)} for message in prompt.messages
        ],
        "stream": profile.stream,
    }
    if prompt.system:
        body["system"] = prompt.system
    if prompt.tools:
        body["tools"] = [_offer(tool) for tool in prompt.tools]
    if prompt.tools or len(prompt.messages) > 1:
        _mark_for_cache(body)
    return body


def _offer(tool: ToolSpec) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": tool.parameters,
    }


def _content(message: Message) -> str | list[Any]:
    """A turn's content: what the model sent as it came, answers before words, plain words as text.

    An answer that stands behind any word is a 400, and so is one in another message than its
    fellows.
    """
    if message.raw:
        # blocks of text without text are sent by the API, which does not take them back
        return [block for block in json.loads(message.raw) if not _is_blank(block)]
    if not message.answers and not message.calls:
        return message.text
    words = [{"type": "text", "text": message.text}] if message.text.strip() else []
    results: list[dict[str, Any]] = [
        {"type": "tool_result", "tool_use_id": one.id, "content": one.text}
        | ({"is_error": True} if one.is_error else {})
        for one in message.answers
    ]
    uses = [
        {
            "type": "tool_use",
            "id": call.id,
            "name": call.name,
            "input": arguments_of(call.arguments, freeform=call.freeform),
        }
        for call in message.calls
    ]
    return [*results, *words, *uses]


def _is_blank(block: Mapping[str, Any]) -> bool:
    return block.get("type") == "text" and not text_of(block.get("text")).strip()


def _mark_for_cache(body: dict[str, Any]) -> None:
    """Mark what is sent again next time: the standing text, and the two newest turns of the user.

    Two, since a look-up goes back 20 blocks at the most: a turn of ten calls and their answers
    would put the mark of the turn before out of reach. With one call and no conversation there is
    nothing to come back to, and writing the cache costs a quarter more than plain input.
    """
    mark = {"cache_control": {"type": "ephemeral"}}
    if "system" in body:
        body["system"] = [{"type": "text", "text": body["system"], **mark}]
    users = [message for message in body["messages"] if message["role"] == "user"]
    for message in users[-2:]:
        content = message["content"]
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        *before, last = content
        message["content"] = [*before, {**last, **mark}]
