"""OpenAI's Chat Completions, which every compatible server speaks: requests and answers.

Facts are from OpenAI's SDK 3.54.0 and, for compatible servers, their own documentation and source
(Ollama, vLLM, OpenRouter, LM Studio, llama.cpp, LiteLLM), as of November 2026. Nothing is taken for
granted but text: compatible servers leave out ids, usage, and even the reason why an answer ended.
"""

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from agent_runner.ground.clock import Clock
from agent_runner.model.agent import AgentRequest, Finish, Prompt
from agent_runner.model.usage import Usage
from agent_runner.providers.client import AgentClient
from agent_runner.providers.http.call import Dialect, HttpClient
from agent_runner.providers.http.reply import (
    TRUNCATED,
    GrowingReply,
    count_of,
    items_of,
    mapping_of,
    text_of,
)
from agent_runner.providers.profiles import Profile

CAPS = ("max_tokens", "max_completion_tokens")
"""The two names of the answer's cap. `Profile.cap` says which one a server takes: OpenAI's newer
models refuse the first, and Ollama ignores the second without a word, so that nothing is capped."""

_DECLINED = (Finish.REFUSED, "the answer was stopped by the provider's content filter")
_TOOL = (Finish.UNREADABLE, "the model asked for a tool, and none is offered")
_FINISH = {
    "stop": (Finish.COMPLETE, ""),
    "end_turn": (Finish.COMPLETE, ""),
    "eos": (Finish.COMPLETE, ""),
    "stop_sequence": (Finish.COMPLETE, ""),
    "length": TRUNCATED,
    "max_tokens": TRUNCATED,
    "content_filter": _DECLINED,
    "refusal": _DECLINED,
    "tool_calls": _TOOL,
    "function_call": _TOOL,
    "error": (Finish.FAILED, "the server failed while answering"),
}
"""By `finish_reason`: OpenAI's own words, and those of compatible servers."""


def make_client(profile: Profile, clock: Clock) -> AgentClient:
    """A client for Chat Completions."""
    return HttpClient(profile, clock, DIALECT)


def body_of(profile: Profile, prompt: Prompt, request: AgentRequest) -> dict[str, Any]:
    """The request's body. A stream tells no usage unless `stream_options` asks for it."""
    messages = [{"role": m.role, "content": m.text} for m in prompt.messages]
    if prompt.system:
        messages.insert(0, {"role": "system", "content": prompt.system})
    body: dict[str, Any] = {"model": profile.model, "messages": messages, "stream": profile.stream}
    if not any(name in profile.params for name in CAPS):
        body[profile.cap] = request.max_output_tokens
    if profile.stream:
        body["stream_options"] = {"include_usage": True}
    if profile.official:
        body["store"] = False  # its default is not documented; other servers may refuse the field
    return body


@define
class ChatReader:
    """Reads the answers of Chat Completions."""

    reply: GrowingReply = field(factory=GrowingReply)

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
        self._message(mapping_of(choices[0].get("message")))
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

    def _message(self, message: Mapping[str, Any]) -> None:
        content = message.get("content")
        if isinstance(content, list):  # some servers answer in parts
            content = "".join(text_of(part.get("text")) for part in items_of(content))
        self.reply.add(text_of(content))
        self.reply.count(text_of(message.get("reasoning_content") or message.get("reasoning")))
        if message.get("refusal"):
            self.reply.refusal.append(text_of(message["refusal"]))
        for position, piece in enumerate(items_of(message.get("tool_calls"))):
            # a stream numbers its calls and sends id and name once, then arguments piece by piece
            index = piece.get("index")
            call = self.reply.tool_call(index if isinstance(index, int) else position)
            function = mapping_of(piece.get("function"))
            call.id = call.id or text_of(piece.get("id"))
            call.name = call.name or text_of(function.get("name"))
            call.arguments += text_of(function.get("arguments"))

    def _stop(self, choice: Mapping[str, Any]) -> None:
        reason = choice.get("finish_reason")
        if reason is None:
            return
        unknown = (Finish.UNREADABLE, f'the answer ended in an unknown way: "{reason}"')
        self.reply.finish, self.reply.detail = _FINISH.get(str(reason), unknown)
        if choice.get("error"):
            self.reply.failure = _failure(choice["error"])


def _failure(error: object) -> Mapping[str, Any]:
    return error if isinstance(error, Mapping) else {"message": text_of(error)}


DIALECT = Dialect(
    path="/chat/completions",
    body=body_of,
    reader=ChatReader,
)
