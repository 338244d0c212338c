"""Anthropic's Messages API: how a request looks and how its answers are read.

Sampling fields and `thinking` are never sent unless the user's `params` hold them: the newest
models turn them away. Thinking counts inside `max_tokens`.
"""

import json
from collections.abc import Mapping
from typing import Any

from attrs import define, field

from agent_runner.model.agent import AgentRequest, Finish, Prompt
from agent_runner.model.usage import Usage
from agent_runner.providers.profiles import Profile
from agent_runner.providers.reading import Draft, count_of, items_of, mapping_of, text_of

PATH = "/v1/messages"
HEADERS = {"anthropic-version": "2026-10-21"}

_FINISH = {
    "end_turn": (Finish.COMPLETE, ""),
    "stop_sequence": (Finish.COMPLETE, ""),
    "max_tokens": (Finish.TRUNCATED, "the answer reached its cap of tokens (max_output_tokens)"),
    "model_context_window_exceeded": (Finish.WINDOW, "prompt and answer exceed the model's window"),
    "tool_use": (Finish.UNREADABLE, "the model asked for a tool, and none is offered"),
    "pause_turn": (Finish.UNREADABLE, "the server paused in a loop of tools, and none is offered"),
}


def body(profile: Profile, prompt: Prompt, request: AgentRequest) -> dict[str, Any]:
    """The request's body."""
    turns = [{"role": m.role, "content": m.text} for m in prompt.messages]
    asked: dict[str, Any] = {
        "model": profile.model,
        "max_tokens": request.max_output_tokens,
        "messages": turns,
        "stream": profile.stream,
    }
    if prompt.system:
        asked["system"] = prompt.system
    return asked


@define
class MessagesReader:
    """Reads the answers of the Messages API."""

    draft: Draft = field(factory=Draft)
    _usage: dict[str, Any] = field(factory=dict)

    def take(self, event: Mapping[str, Any]) -> None:
        """One event; unknown kinds are ignored, as the vendor asks."""
        kind = event.get("type")
        if kind == "message_start":
            self._head(mapping_of(event.get("message")))
        elif kind == "content_block_start":
            self._block(_index(event), mapping_of(event.get("content_block")))
        elif kind == "content_block_delta":
            self._delta(_index(event), mapping_of(event.get("delta")))
        elif kind == "message_delta":
            self._stop(mapping_of(event.get("delta")))
            self._used(mapping_of(event.get("usage")))
        elif kind == "message_stop":
            self.draft.ended = True
        elif kind == "error":
            self.draft.failure = mapping_of(event.get("error"))

    def done(self) -> None:
        """A mark that some gateways add; this protocol has an end of its own."""

    def take_whole(self, body: Mapping[str, Any]) -> None:
        """A whole message."""
        if body.get("type") == "error" or "error" in body:
            self.draft.failure = mapping_of(body.get("error"))
            return
        if not isinstance(body.get("content"), list):
            self.draft.unreadable = "the answer is no message of the Messages API"
            return
        self._head(body)
        for index, block in enumerate(items_of(body["content"])):
            self._block(index, block)
        self._stop(body)
        self.draft.ended = True

    def _head(self, message: Mapping[str, Any]) -> None:
        self.draft.begun = True
        self.draft.model = text_of(message.get("model"))
        self.draft.response_id = text_of(message.get("id")) or None
        self._used(mapping_of(message.get("usage")))

    def _block(self, index: int, block: Mapping[str, Any]) -> None:
        kind = block.get("type")
        if kind == "text":
            self.draft.add(text_of(block.get("text")))
        elif kind == "tool_use":
            tool = self.draft.tool(index)
            tool.id, tool.name = text_of(block.get("id")), text_of(block.get("name"))
            if block.get("input"):
                tool.arguments = json.dumps(block["input"], ensure_ascii=False)

    def _delta(self, index: int, delta: Mapping[str, Any]) -> None:
        kind = delta.get("type")
        if kind == "text_delta":
            self.draft.add(text_of(delta.get("text")))
        elif kind == "input_json_delta":
            piece = text_of(delta.get("partial_json"))
            if index in self.draft.tools:
                self.draft.tools[index].arguments += piece
            self.draft.count(piece)
        elif kind == "thinking_delta":
            self.draft.count(text_of(delta.get("thinking")))

    def _stop(self, told: Mapping[str, Any]) -> None:
        reason = told.get("stop_reason")
        if reason is None:
            return
        if reason == "refusal":
            details = mapping_of(told.get("stop_details"))
            said = (text_of(details.get("category")), text_of(details.get("explanation")))
            self.draft.finish = Finish.REFUSED
            self.draft.detail = ": ".join(filter(None, ("the model declined", *said)))
            return
        unknown = (Finish.UNREADABLE, f'the answer ended in an unknown way: "{reason}"')
        self.draft.finish, self.draft.detail = _FINISH.get(str(reason), unknown)

    def _used(self, usage: Mapping[str, Any]) -> None:
        """Figures are cumulative: a later one takes the place of an earlier one."""
        self._usage.update({name: value for name, value in usage.items() if value is not None})
        if not self._usage:
            return
        told = self._usage
        cached = count_of(told, "cache_read_input_tokens")
        written = count_of(told, "cache_creation_input_tokens")
        self.draft.usage = Usage(
            input=count_of(told, "input_tokens") + cached + written,
            output=count_of(told, "output_tokens"),
            cached=cached,
            cache_write=written,
            reasoning=count_of(told, "output_tokens_details", "thinking_tokens"),
        )
        for name in ("service_tier", "speed", "inference_geo"):
            if told.get(name):
                self.draft.service[name] = told[name]


def _index(event: Mapping[str, Any]) -> int:
    index = event.get("index")
    return index if isinstance(index, int) else 0
