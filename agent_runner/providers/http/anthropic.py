"""Anthropic's Messages API: how its answers are read.

Facts are from Anthropic's documentation (Messages, streaming, errors, migration to version
2026-10-21) and its Python SDK 2.12.0, as of November 2026.
"""

import json
from collections.abc import Mapping
from typing import Any

from attrs import define, field

from agent_runner.ground.clock import Clock
from agent_runner.model.agent import Finish
from agent_runner.model.usage import Usage
from agent_runner.providers.client import AgentClient
from agent_runner.providers.http.anthropic_request import body_of
from agent_runner.providers.http.call import Dialect, HttpClient
from agent_runner.providers.http.reply import (
    TRUNCATED,
    GrowingCall,
    GrowingReply,
    arguments_of,
    count_of,
    items_of,
    mapping_of,
    text_of,
)
from agent_runner.providers.profiles import Profile

_FINISH = {
    "end_turn": (Finish.COMPLETE, ""),
    "stop_sequence": (Finish.COMPLETE, ""),
    "max_tokens": TRUNCATED,
    "model_context_window_exceeded": (Finish.WINDOW, "prompt and answer exceed the model's window"),
    "tool_use": (Finish.COMPLETE, ""),  # without a call it is empty: newer models do that
    "pause_turn": (Finish.UNREADABLE, "the server paused in a loop of tools, and none is offered"),
}
"""By `stop_reason`. A refusal, which is an HTTP 200 too, has details and is read on its own."""


def make_client(profile: Profile, clock: Clock) -> AgentClient:
    """A client for the Messages API."""
    return HttpClient(profile, clock, DIALECT)


@define
class GrowingBlock:
    """A block of content: as it was announced, and the pieces that came for its fields since."""

    content: dict[str, Any]
    pieces: dict[str, list[str]] = field(factory=dict)
    call: GrowingCall | None = None

    def add(self, name: str, delta: Mapping[str, Any]) -> None:
        """Add the piece of a field that a delta holds."""
        self.pieces.setdefault(name, []).append(text_of(delta.get(name)))

    def finished(self) -> dict[str, Any]:
        """The block as it stands at its end."""
        block = dict(self.content)
        for name, pieces in self.pieces.items():
            block[name] = text_of(block.get(name)) + "".join(pieces)
        if self.call is not None:
            block["id"] = self.call.id  # one of ours where there was none
            block["input"] = arguments_of(self.call.finished().arguments)
        return block


@define
class MessagesReader:
    """Reads the answers of the Messages API."""

    reply: GrowingReply = field(factory=GrowingReply)
    _usage: dict[str, Any] = field(factory=dict)
    _blocks: dict[int, GrowingBlock] = field(factory=dict)

    def items(self) -> list[Any]:
        """The content's blocks in their order, thinking and signatures included."""
        return [block.finished() for _, block in sorted(self._blocks.items())]

    def read_event(self, event: Mapping[str, Any]) -> None:
        """Read one event; unknown kinds are ignored, as the vendor asks."""
        kind = event.get("type")
        if kind == "message_start":
            self._head(mapping_of(event.get("message")))
        elif kind == "content_block_start":
            self._block(_index(event), mapping_of(event.get("content_block")))
        elif kind == "content_block_delta":
            self._delta(_index(event), mapping_of(event.get("delta")))
        elif kind == "message_delta":  # one or more, the last with the reason and all the usage
            self._stop(mapping_of(event.get("delta")))
            self._used(mapping_of(event.get("usage")))
        elif kind == "message_stop":
            self.reply.ended = True
        elif kind == "error":  # after HTTP 200, an overload for instance
            self.reply.failure = mapping_of(event.get("error"))

    def read_done(self) -> None:
        """Ignore a mark that some gateways add; this protocol has an end of its own."""

    def read_whole(self, body: Mapping[str, Any]) -> None:
        """Read a whole message."""
        if not isinstance(body.get("content"), list):
            self.reply.reject(body, "the answer is no message of the Messages API")
            return
        self._head(body)
        for index, block in enumerate(items_of(body["content"])):
            self._block(index, block)
        self._stop(body)
        self.reply.ended = True

    def _head(self, message: Mapping[str, Any]) -> None:
        self.reply.started = True
        self.reply.model = text_of(message.get("model"))
        self.reply.response_id = text_of(message.get("id")) or None
        self._used(mapping_of(message.get("usage")))

    def _block(self, index: int, block: Mapping[str, Any]) -> None:
        kind = block.get("type")
        growing = self._blocks[index] = GrowingBlock(dict(block))
        if kind == "text":
            self.reply.add(text_of(block.get("text")))
        elif kind == "tool_use":
            call = self.reply.tool_call(index)
            call.id, call.name = text_of(block.get("id")), text_of(block.get("name"))
            growing.call = call
            # a stream begins the block with an empty `input` and sends its JSON in pieces
            if block.get("input"):
                call.pieces.append(json.dumps(block["input"], ensure_ascii=False))

    def _delta(self, index: int, delta: Mapping[str, Any]) -> None:
        kind = delta.get("type")
        block = self._blocks.setdefault(index, GrowingBlock({}))
        if kind == "text_delta":
            self.reply.add(text_of(delta.get("text")))
            block.add("text", delta)
        elif kind == "input_json_delta":
            piece = text_of(delta.get("partial_json"))
            # only where the block was announced as a call: server tools stream JSON as well
            if block.call is not None:
                block.call.pieces.append(piece)
            self.reply.count(piece)
        elif kind == "thinking_delta":
            self.reply.count(text_of(delta.get("thinking")))
            block.add("thinking", delta)
        elif kind == "signature_delta":
            block.add("signature", delta)
        elif kind == "citations_delta":
            block.content["citations"] = [
                *(block.content.get("citations") or []),
                delta.get("citation"),
            ]

    def _stop(self, holder: Mapping[str, Any]) -> None:
        reason = holder.get("stop_reason")
        if reason is None:
            return
        if reason == "refusal":
            details = mapping_of(holder.get("stop_details"))
            why = (text_of(details.get("category")), text_of(details.get("explanation")))
            self.reply.finish = Finish.REFUSED
            self.reply.detail = ": ".join(filter(None, ("the model declined", *why)))
            return
        unknown = (Finish.UNREADABLE, f'the answer ended in an unknown way: "{reason}"')
        self.reply.finish, self.reply.detail = _FINISH.get(str(reason), unknown)

    def _used(self, usage: Mapping[str, Any]) -> None:
        """Take figures in: those of a stream are cumulative, so a later one replaces an earlier.

        `input_tokens` leaves the cached part out, unlike OpenAI's; our `Usage.input` includes it.
        """
        self._usage.update({name: value for name, value in usage.items() if value is not None})
        if not self._usage:
            return
        latest = self._usage
        cached = count_of(latest, "cache_read_input_tokens")
        written = count_of(latest, "cache_creation_input_tokens")
        self.reply.usage = Usage(
            input=count_of(latest, "input_tokens") + cached + written,
            output=count_of(latest, "output_tokens"),
            cached=cached,
            cache_write=written,
            reasoning=count_of(latest, "output_tokens_details", "thinking_tokens"),
        )
        for name in ("service_tier", "speed", "inference_geo"):
            if latest.get(name):
                self.reply.service[name] = latest[name]


def _index(event: Mapping[str, Any]) -> int:
    index = event.get("index")
    return index if isinstance(index, int) else 0


DIALECT = Dialect(
    path="/v1/messages",
    body=body_of,
    reader=MessagesReader,
    headers={"anthropic-version": "2026-10-21"},
)
