"""OpenAI's Chat Completions, the dialect of every compatible server: requests and answers.

Nothing is taken for granted but text: compatible servers leave out ids, usage, and even the reason
why an answer ended.
"""

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from agent_runner.model.agent import AgentRequest, Finish, Prompt
from agent_runner.model.usage import Usage
from agent_runner.providers.profiles import Profile
from agent_runner.providers.reading import Draft, count_of, items_of, mapping_of, text_of

PATH = "/chat/completions"

CAPS = ("max_tokens", "max_completion_tokens")
"""The two names of the answer's cap; which one a server takes is the profile's `cap`."""

_TRUNCATED = (Finish.TRUNCATED, "the answer reached its cap of tokens (max_output_tokens)")
_DECLINED = (Finish.REFUSED, "the answer was stopped by the provider's content filter")
_TOOL = (Finish.UNREADABLE, "the model asked for a tool, and none is offered")
_FINISH = {
    "stop": (Finish.COMPLETE, ""),
    "end_turn": (Finish.COMPLETE, ""),
    "eos": (Finish.COMPLETE, ""),
    "stop_sequence": (Finish.COMPLETE, ""),
    "length": _TRUNCATED,
    "max_tokens": _TRUNCATED,
    "content_filter": _DECLINED,
    "refusal": _DECLINED,
    "tool_calls": _TOOL,
    "function_call": _TOOL,
    "error": (Finish.FAILED, "the server failed while answering"),
}


def body(profile: Profile, prompt: Prompt, request: AgentRequest) -> dict[str, Any]:
    """The request's body."""
    turns = [{"role": m.role, "content": m.text} for m in prompt.messages]
    if prompt.system:
        turns.insert(0, {"role": "system", "content": prompt.system})
    asked: dict[str, Any] = {"model": profile.model, "messages": turns, "stream": profile.stream}
    if not any(name in profile.params for name in CAPS):
        asked[profile.cap] = request.max_output_tokens
    if profile.stream:
        asked["stream_options"] = {"include_usage": True}
    if profile.official:
        asked["store"] = False
    return asked


@define
class ChatReader:
    """Reads the answers of Chat Completions. `cap`: most tokens asked for, to see a cut answer."""

    cap: int
    draft: Draft = field(factory=Draft)

    def take(self, event: Mapping[str, Any]) -> None:
        """One chunk."""
        if event.get("error"):
            self.draft.failure = _failure(event["error"])
            return
        self._head(event)
        for choice in items_of(event.get("choices"))[:1]:
            self.draft.begun = True
            self._message(mapping_of(choice.get("delta")))
            self._stop(choice)

    def done(self) -> None:
        """The stream's own end mark came."""
        self.draft.ended = True
        self._assume_end()

    def take_whole(self, body: Mapping[str, Any]) -> None:
        """A whole completion."""
        if body.get("error"):
            self.draft.failure = _failure(body["error"])
            return
        choices = items_of(body.get("choices"))
        if not choices:
            self.draft.unreadable = "the answer is no chat completion: it holds no choices"
            return
        self.draft.begun = True
        self._head(body)
        self._message(mapping_of(choices[0].get("message")))
        self._stop(choices[0])
        self.done()

    def _head(self, event: Mapping[str, Any]) -> None:
        self.draft.model = text_of(event.get("model")) or self.draft.model
        self.draft.response_id = text_of(event.get("id")) or self.draft.response_id
        if event.get("service_tier"):
            self.draft.service["service_tier"] = event["service_tier"]
        usage = mapping_of(event.get("usage"))
        if count_of(usage, "prompt_tokens") or count_of(usage, "completion_tokens"):
            self.draft.usage = Usage(
                input=count_of(usage, "prompt_tokens"),
                output=count_of(usage, "completion_tokens"),
                cached=count_of(usage, "prompt_tokens_details", "cached_tokens"),
                cache_write=count_of(usage, "prompt_tokens_details", "cache_write_tokens"),
                reasoning=count_of(usage, "completion_tokens_details", "reasoning_tokens"),
            )
            if usage.get("cost") is not None:
                self.draft.service["cost"] = usage["cost"]

    def _message(self, message: Mapping[str, Any]) -> None:
        content = message.get("content")
        if isinstance(content, list):  # some servers answer in parts
            content = "".join(text_of(part.get("text")) for part in items_of(content))
        self.draft.add(text_of(content))
        self.draft.count(text_of(message.get("reasoning_content") or message.get("reasoning")))
        if message.get("refusal"):
            self.draft.refusal.append(text_of(message["refusal"]))
        for position, call in enumerate(items_of(message.get("tool_calls"))):
            index = call.get("index")
            tool = self.draft.tool(index if isinstance(index, int) else position)
            function = mapping_of(call.get("function"))
            tool.id = tool.id or text_of(call.get("id"))
            tool.name = tool.name or text_of(function.get("name"))
            tool.arguments += text_of(function.get("arguments"))

    def _stop(self, choice: Mapping[str, Any]) -> None:
        reason = choice.get("finish_reason")
        if reason is None:
            return
        unknown = (Finish.UNREADABLE, f'the answer ended in an unknown way: "{reason}"')
        self.draft.finish, self.draft.detail = _FINISH.get(str(reason), unknown)
        if choice.get("error"):
            self.draft.failure = _failure(choice["error"])

    def _assume_end(self) -> None:
        """A server that does not say how the answer ended is believed, unless it hit the cap."""
        used = self.draft.usage
        if self.draft.finish is None:
            at_cap = used is not None and used.output >= self.cap
            self.draft.finish, self.draft.detail = _TRUNCATED if at_cap else (Finish.COMPLETE, "")


def _failure(error: object) -> Mapping[str, Any]:
    return error if isinstance(error, Mapping) else {"message": text_of(error)}
