"""OpenAI's Chat Completions, which every compatible server speaks: how answers are read.

Facts are from OpenAI's SDK 3.54.0 and, for compatible servers, their own documentation and source
(Ollama, vLLM, OpenRouter, LM Studio, llama.cpp, LiteLLM), as of November 2026. Nothing is taken for
granted but text: compatible servers leave out ids, usage, and even the reason why an answer ended.
"""

import json
from collections.abc import Mapping
from typing import Any

from attrs import define, field

from agent_runner.ground.clock import Clock
from agent_runner.model.agent import Finish
from agent_runner.model.usage import Usage
from agent_runner.providers.client import AgentClient
from agent_runner.providers.http.call import Dialect, HttpClient
from agent_runner.providers.http.chat_request import body_of
from agent_runner.providers.http.reply import (
    TRUNCATED,
    GrowingCall,
    GrowingReply,
    count_of,
    is_json_object,
    items_of,
    mapping_of,
    text_of,
)
from agent_runner.providers.profiles import Profile

_THOUGHTS = ("reasoning_content", "reasoning")
"""Fields of a message with what a model thought: its server wants them back, or does worse."""

_DECLINED = (Finish.REFUSED, "the answer was stopped by the provider's content filter")
_FINISH = {
    "stop": (Finish.COMPLETE, ""),
    "end_turn": (Finish.COMPLETE, ""),
    "eos": (Finish.COMPLETE, ""),
    "stop_sequence": (Finish.COMPLETE, ""),
    "length": TRUNCATED,
    "max_tokens": TRUNCATED,
    "content_filter": _DECLINED,
    "refusal": _DECLINED,
    "tool_calls": (Finish.COMPLETE, ""),
    "tool_use": (Finish.COMPLETE, ""),
    "function_call": (Finish.UNREADABLE, "the model asked for a tool in a form of years ago"),
    "error": (Finish.FAILED, "the server failed while answering"),
}
"""By `finish_reason`: OpenAI's own words, and those of compatible servers."""


def make_client(profile: Profile, clock: Clock) -> AgentClient:
    """A client for Chat Completions."""
    return HttpClient(profile, clock, DIALECT)


@define
class ChatReader:
    """Reads the answers of Chat Completions."""

    reply: GrowingReply = field(factory=GrowingReply)
    _content: list[Any] = field(factory=list)
    _places: dict[object, int] = field(factory=dict)
    _thoughts: dict[str, list[str]] = field(factory=dict)
    _details: list[dict[str, Any]] = field(factory=list)

    def items(self) -> list[Any]:
        """The one message of the answer: words, thoughts and calls, all that servers want back."""
        said: dict[str, Any] = {
            "role": "assistant",
            "content": _joined(self._content),
        }
        said |= {name: "".join(pieces) for name, pieces in self._thoughts.items()}
        if self._details:
            said["reasoning_details"] = self._details
        if self.reply.tool_calls:
            said["tool_calls"] = [
                {
                    "type": "function",
                    **call.more,
                    "id": call.id,
                    "function": {
                        **call.more.get("function", {}),
                        "name": call.name,
                        "arguments": call.arguments,
                    },
                }
                for _, call in sorted(self.reply.tool_calls.items())
            ]
        return [said]

    def read_event(self, event: Mapping[str, Any]) -> None:
        """Read one chunk."""
        if event.get("error"):
            self.reply.failure = _failure(event["error"])
            return
        self._head(event)
        # one answer was asked for; the last chunk, which holds the usage, has no choice at all
        for choice in items_of(event.get("choices"))[:1]:
            self.reply.started = True
            self._message(mapping_of(choice.get("delta")))
            self._stop(choice)

    def read_done(self) -> None:
        """Take the stream's own end mark for the end.

        A server that does not say how the answer ended is believed: several compatible ones leave
        `finish_reason` null to the end. Whether it hit the cap is asked of every answer.
        """
        self.reply.ended = True
        if self.reply.finish is None:
            self.reply.finish = Finish.COMPLETE

    def read_whole(self, body: Mapping[str, Any]) -> None:
        """Read a whole completion."""
        choices = items_of(body.get("choices"))
        if body.get("error") or not choices:
            self.reply.reject(body, "the answer is no chat completion: it holds no choices")
            return
        self.reply.started = True
        self._head(body)
        self._message(mapping_of(choices[0].get("message")), whole=True)
        self._stop(choices[0])
        self.read_done()

    def _head(self, event: Mapping[str, Any]) -> None:
        self.reply.model = text_of(event.get("model")) or self.reply.model
        self.reply.response_id = text_of(event.get("id")) or self.reply.response_id
        if event.get("service_tier"):
            self.reply.service["service_tier"] = event["service_tier"]
        usage = mapping_of(event.get("usage"))
        # zeros are no report: without one the use is estimated
        if count_of(usage, "prompt_tokens") or count_of(usage, "completion_tokens"):
            self.reply.usage = Usage(
                input=count_of(usage, "prompt_tokens"),
                output=count_of(usage, "completion_tokens"),
                cached=count_of(usage, "prompt_tokens_details", "cached_tokens"),
                cache_write=count_of(usage, "prompt_tokens_details", "cache_write_tokens"),
                reasoning=count_of(usage, "completion_tokens_details", "reasoning_tokens"),
            )
            if usage.get("cost") is not None:  # OpenRouter, in dollars
                self.reply.service["cost"] = usage["cost"]

    def _message(self, message: Mapping[str, Any], *, whole: bool = False) -> None:
        content = message.get("content")
        if isinstance(content, str | list):
            self._content.append(content)
        if isinstance(content, list):  # some servers answer in parts
            content = "".join(text_of(part.get("text")) for part in items_of(content))
        self.reply.add(text_of(content))
        for name in _THOUGHTS:
            piece = text_of(message.get(name))
            if piece:
                self._thoughts.setdefault(name, []).append(piece)
                self.reply.count(piece)
        for detail in items_of(message.get("reasoning_details")):
            self._detail(detail)
        if message.get("refusal"):
            self.reply.refusal.append(text_of(message["refusal"]))
        for call in items_of(message.get("tool_calls")):
            self._call(call, whole=whole)

    def _detail(self, detail: Mapping[str, Any]) -> None:
        """A piece of OpenRouter's account of the thoughts: texts grow, what else it says is set."""
        last = self._details[-1] if self._details else {}
        goes_on = "index" in detail and all(
            last.get(name) == detail.get(name) for name in ("index", "type")
        )
        if not goes_on:
            self._details.append(dict(detail))
            return
        for name, value in detail.items():
            if name in {"text", "summary", "data"} and isinstance(value, str):
                last[name] = text_of(last.get(name)) + value
            elif value is not None:
                last[name] = value

    def _call(self, piece: Mapping[str, Any], *, whole: bool) -> None:
        """A call, or a piece of one; what it holds beside name and arguments goes back as it came.

        A stream numbers its calls and sends id and name once, then arguments piece by piece.
        """
        function, index = mapping_of(piece.get("function")), piece.get("index")
        arguments = function.get("arguments")
        if isinstance(arguments, Mapping):  # some servers send the object itself
            arguments = json.dumps(arguments, ensure_ascii=False)
        said = GrowingCall(
            text_of(piece.get("id")), text_of(function.get("name")), [text_of(arguments)]
        )
        last = len(self.reply.tool_calls) - 1
        place = self._places.get(index, -1) if isinstance(index, int) else last
        call = self.reply.tool_calls.get(place)
        if call is None or whole or _begins_another(said, call):
            place = len(self.reply.tool_calls)
            call = self.reply.tool_call(place)
        if isinstance(index, int):
            self._places[index] = place
        call.id, call.name = call.id or said.id, call.name or said.name
        call.pieces += said.pieces
        self.reply.count(said.arguments)
        kept = {"id", "function"} if whole else {"id", "function", "index"}
        call.more |= {name: value for name, value in piece.items() if name not in kept}
        inner = {n: v for n, v in function.items() if n not in {"name", "arguments"}}
        if inner:
            call.more["function"] = {**call.more.get("function", {}), **inner}

    def _stop(self, choice: Mapping[str, Any]) -> None:
        reason = choice.get("finish_reason")
        if reason is None:
            return
        unknown = (Finish.UNREADABLE, f'the answer ended in an unknown way: "{reason}"')
        self.reply.finish, self.reply.detail = _FINISH.get(str(reason), unknown)
        if choice.get("error"):
            self.reply.failure = _failure(choice["error"])


def _begins_another(said: GrowingCall, call: GrowingCall) -> bool:
    """Whether a piece begins a call of its own though a call stands at its number already.

    Some compatible servers leave numbers out or give all calls the same one; some repeat the name,
    or make up a new id, with every piece.
    """
    if not said.name or not call.name:
        return False
    if said.name != call.name or (said.id and call.id and said.id != call.id):
        return True
    return not said.id and bool(said.arguments) and is_json_object(call.arguments)


def _joined(content: list[Any]) -> Any:
    """Pieces of text as one; a list of parts where the server wrote parts; None: nothing came."""
    if all(isinstance(piece, str) for piece in content):
        return "".join(content) if content else None
    parts = [[{"type": "text", "text": one}] if isinstance(one, str) else one for one in content]
    return [part for pieces in parts for part in pieces]


def _failure(error: object) -> Mapping[str, Any]:
    return error if isinstance(error, Mapping) else {"message": text_of(error)}


DIALECT = Dialect(
    path="/chat/completions",
    body=body_of,
    reader=ChatReader,
)
