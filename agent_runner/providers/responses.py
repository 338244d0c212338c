"""OpenAI's Responses API: how a request looks and how its answers are read.

`store` is true unless told otherwise: we tell it, but for a background answer, which can only be
fetched later if it is kept. Events are told apart by the `type` inside their data, for some
servers leave the event's name out.
"""

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from agent_runner.model.agent import AgentRequest, Finish, Prompt
from agent_runner.model.usage import Usage
from agent_runner.providers.profiles import Profile
from agent_runner.providers.reading import Draft, count_of, items_of, mapping_of, text_of

PATH = "/responses"

PENDING = frozenset({"queued", "in_progress"})
"""States of a background answer that is not there yet."""

_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})

_INCOMPLETE = {
    "max_output_tokens": (
        Finish.TRUNCATED,
        "the answer reached its cap of tokens (max_output_tokens), thinking included",
    ),
    "content_filter": (Finish.REFUSED, "the answer was stopped by the provider's content filter"),
}


def body(profile: Profile, prompt: Prompt, request: AgentRequest) -> dict[str, Any]:
    """The request's body."""
    asked: dict[str, Any] = {
        "model": profile.model,
        "input": [{"role": m.role, "content": m.text} for m in prompt.messages],
        "max_output_tokens": request.max_output_tokens,
        "store": profile.background,
        "stream": profile.stream and not profile.background,
    }
    if prompt.system:
        asked["instructions"] = prompt.system
    if profile.background:
        asked["background"] = True
    return asked


@define
class ResponsesReader:
    """Reads the answers of the Responses API."""

    draft: Draft = field(factory=Draft)

    def take(self, event: Mapping[str, Any]) -> None:
        """One event; unknown kinds are ignored."""
        kind = text_of(event.get("type"))
        if kind in _TERMINAL:
            self.take_whole(mapping_of(event.get("response")))
        elif kind == "response.created":
            self._head(mapping_of(event.get("response")))
        elif kind == "response.output_text.delta":
            self.draft.begun = True
            self.draft.add(text_of(event.get("delta")))
        elif kind == "response.refusal.delta":
            self.draft.begun = True
            self.draft.refusal.append(text_of(event.get("delta")))
        elif kind == "error":
            # the fields stand in the event itself; gateways wrap them in `error`
            self.draft.failure = mapping_of(event.get("error")) or dict(event, type="error")
        elif isinstance(event.get("delta"), str):
            self.draft.count(text_of(event["delta"]))

    def done(self) -> None:
        """A mark that some gateways add; this protocol has an end of its own."""

    def take_whole(self, body: Mapping[str, Any]) -> None:
        """A whole response object; its text takes the place of the pieces streamed before."""
        status = body.get("status")
        if not isinstance(status, str) and not isinstance(body.get("output"), list):
            self.draft.failure = mapping_of(body.get("error")) or None
            self.draft.unreadable = "the answer is no response of the Responses API"
            return
        self._head(body)
        self._output(items_of(body.get("output")))
        self._used(body)
        if status in PENDING:
            return
        self.draft.ended = True
        if status == "completed":
            self.draft.finish = Finish.COMPLETE
        elif status == "incomplete":
            reason = text_of(mapping_of(body.get("incomplete_details")).get("reason"))
            other = (Finish.FAILED, f"the answer is incomplete: {reason or 'no reason given'}")
            self.draft.finish, self.draft.detail = _INCOMPLETE.get(reason, other)
        elif status == "cancelled":
            self.draft.finish, self.draft.detail = Finish.FAILED, "the answer was cancelled"
        else:
            self.draft.failure = mapping_of(body.get("error")) or {"message": f"status {status}"}

    def _head(self, response: Mapping[str, Any]) -> None:
        self.draft.begun = True
        self.draft.model = text_of(response.get("model"))
        self.draft.response_id = text_of(response.get("id")) or None
        if response.get("service_tier"):
            self.draft.service["service_tier"] = response["service_tier"]

    def _output(self, items: list[Mapping[str, Any]]) -> None:
        messages = [item for item in items if item.get("type") == "message"]
        final = [message for message in messages if message.get("phase") == "final_answer"]
        parts = [part for message in final or messages for part in items_of(message.get("content"))]
        words = [text_of(p.get("text")) for p in parts if p.get("type") == "output_text"]
        if any(words):
            streamed = self.draft.received
            self.draft.pieces.clear()
            for piece in words:
                self.draft.add(piece)
            self.draft.received = max(streamed, sum(map(len, words)))
        refusals = [text_of(p.get("refusal")) for p in parts if p.get("type") == "refusal"]
        if refusals:
            self.draft.refusal[:] = refusals
        for index, item in enumerate(items):
            if item.get("type") == "function_call":
                tool = self.draft.tool(index)
                tool.id = text_of(item.get("call_id"))
                tool.name, tool.arguments = (
                    text_of(item.get("name")),
                    text_of(item.get("arguments")),
                )

    def _used(self, response: Mapping[str, Any]) -> None:
        usage = mapping_of(response.get("usage"))
        if usage:
            self.draft.usage = Usage(
                input=count_of(usage, "input_tokens"),
                output=count_of(usage, "output_tokens"),
                cached=count_of(usage, "input_tokens_details", "cached_tokens"),
                cache_write=count_of(usage, "input_tokens_details", "cache_write_tokens"),
                reasoning=count_of(usage, "output_tokens_details", "reasoning_tokens"),
            )
