"""OpenAI's Responses API: answers, and answers that the provider keeps for us.

Facts are from OpenAI's documentation, OpenAPI description and SDK 3.54.0, as of November 2026.

A background answer is the only one, in the three protocols, that outlives a crash of ours: the
provider keeps it and hands it out by its id. The id is reported as soon as it is known; a lost
connection costs nothing, for the answer is fetched again.
"""

from collections.abc import Mapping
from typing import Any

import attrs
from attrs import define, field

from agent_runner.ground.clock import Clock
from agent_runner.model.agent import AgentResponse, Finish, Prompt
from agent_runner.model.errors import (
    FatalError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
)
from agent_runner.model.usage import Usage
from agent_runner.providers.client import AgentClient, CallContext, capabilities_of
from agent_runner.providers.http.call import Dialect, HttpClient
from agent_runner.providers.http.exchange import Exchange
from agent_runner.providers.http.reply import (
    TRUNCATED,
    GrowingReply,
    count_of,
    items_of,
    mapping_of,
    text_of,
)
from agent_runner.providers.http.responses_request import body_of
from agent_runner.providers.profiles import Profile

FIRST_LOOK, LONGEST_LOOK = 1.0, 10.0
"""Seconds between two looks at a background answer: doubled from the first to the longest."""

_PATH = "/responses"
_PENDING = frozenset({"queued", "in_progress"})
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
"""Items that ask for a tool, and where each has what it asks with."""
_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})
_INCOMPLETE = {
    "max_output_tokens": TRUNCATED,
    "content_filter": (Finish.REFUSED, "the answer was stopped by the provider's content filter"),
}


def make_client(profile: Profile, clock: Clock) -> AgentClient:
    """A client for the Responses API."""
    return ResponsesClient(profile, clock)


class ResponsesClient:
    """An `AgentClient` for the Responses API, in the foreground or in the background."""

    def __init__(self, profile: Profile, clock: Clock) -> None:
        self.capabilities = capabilities_of(profile)
        self._profile = profile
        self._clock = clock
        self._http = HttpClient(profile, clock, DIALECT)

    async def generate_completion(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        """Ask, or fetch the answer that `context.resume_id` names. See `client`."""
        if context.resume_id is not None:
            exchange = await self._await_answer(context.resume_id, context)
        elif self._profile.background:
            exchange = await self._in_background(prompt, context)
        else:
            exchange = await self._http.ask(prompt, context)
        return self._http.response(exchange, prompt, context.request)

    async def aclose(self) -> None:
        """Close the connection. A background answer goes on at the provider."""
        await self._http.aclose()

    async def _in_background(self, prompt: Prompt, context: CallContext) -> Exchange:
        # what comes first is a mere receipt: it is kept only where it turns out to be the answer
        raw: list[bytes] = []
        receipt = await self._http.ask(prompt, attrs.evolve(context, keep=raw.append))
        reply = receipt.reply
        if reply.response_id and not reply.ended and reply.failure is None:
            # journaled before the first look: a crash from here on costs nothing
            context.created(reply.response_id)
            return await self._await_answer(reply.response_id, context)
        context.keep(b"".join(raw))
        return receipt

    async def _await_answer(self, response_id: str, context: CallContext) -> Exchange:
        """Look until the answer has ended; give up after `timeout` seconds without the server."""
        pause, last_seen = FIRST_LOOK, self._clock.monotonic()
        while True:
            raw: list[bytes] = []
            try:
                looked = await self._look(response_id, attrs.evolve(context, keep=raw.append))
            except (TransientError, RateLimitedError, UnknownOutcomeError) as error:
                if self._clock.monotonic() - last_seen > self._profile.timeout:
                    raise UnknownOutcomeError(
                        f"the answer {response_id} could not be fetched: {error}",
                        fix="it was paid for; look for it in the provider's console",
                        status=error.status,
                        request_id=error.request_id,
                    ) from error
            else:
                last_seen = self._clock.monotonic()
                if looked.reply.ended or looked.reply.failure or looked.reply.unreadable:
                    context.keep(b"".join(raw))
                    return looked
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_LOOK)

    async def _look(self, response_id: str, context: CallContext) -> Exchange:
        try:
            return await self._http.fetch(f"{_PATH}/{response_id}", context)
        except FatalError as error:
            # 404 is also a model that is not known, but this model answered when it was asked
            if error.status != 404:
                raise
            raise UnknownOutcomeError(
                f"the provider no longer keeps the answer {response_id}; it was billed",
                status=error.status,
                request_id=error.request_id,
            ) from error


@define
class ResponsesReader:
    """Reads the answers of the Responses API.

    Events are distinguished by the `type` inside of their data: some servers leave the event's
    name out.
    """

    reply: GrowingReply = field(factory=GrowingReply)
    _items: dict[int, Mapping[str, Any]] = field(factory=dict)

    def items(self) -> list[Any]:
        """Every item of the output in its order, reasoning included."""
        return [
            {**item, "call_id": call.id} if (call := self.reply.tool_calls.get(place)) else item
            for place, item in sorted(self._items.items())
        ]

    def read_event(self, event: Mapping[str, Any]) -> None:
        """Read one event; unknown kinds are ignored."""
        kind = text_of(event.get("type"))
        if kind in _TERMINAL:
            self.read_whole(mapping_of(event.get("response")))
        elif kind == "response.created":
            self._head(mapping_of(event.get("response")))
        elif kind == "response.output_text.delta":
            self.reply.started = True
            self.reply.add(text_of(event.get("delta")))
        elif kind == "response.output_item.done":
            place = event.get("output_index")
            place = place if isinstance(place, int) else len(self._items)
            self._items[place] = mapping_of(event.get("item"))
        elif kind == "response.refusal.delta":
            self.reply.started = True
            self.reply.refusal.append(text_of(event.get("delta")))
        elif kind == "error":
            # the fields stand in the event itself; gateways wrap them in `error`
            self.reply.failure = mapping_of(event.get("error")) or dict(event, type="error")
        elif isinstance(event.get("delta"), str):
            self.reply.count(text_of(event["delta"]))

    def read_done(self) -> None:
        """Ignore a mark that some gateways add; this protocol has an end of its own."""

    def read_whole(self, body: Mapping[str, Any]) -> None:
        """Read a whole response object; its text replaces the pieces streamed before."""
        status = body.get("status")
        if not isinstance(status, str) and not isinstance(body.get("output"), list):
            self.reply.reject(body, "the answer is no response of the Responses API")
            return
        self._head(body)
        # some servers leave the items out of the last event, which had come one by one before
        self._items = dict(enumerate(items_of(body.get("output")))) or self._items
        self._output(self._items)
        self._used(body)
        if status in _PENDING:
            return
        self.reply.ended = True
        if status == "completed":
            self.reply.finish = Finish.COMPLETE
        elif status == "incomplete":
            reason = text_of(mapping_of(body.get("incomplete_details")).get("reason"))
            other = (Finish.FAILED, f"the answer is incomplete: {reason or 'no reason given'}")
            self.reply.finish, self.reply.detail = _INCOMPLETE.get(reason, other)
        elif status == "cancelled":
            self.reply.finish, self.reply.detail = Finish.FAILED, "the answer was cancelled"
        else:
            self.reply.failure = mapping_of(body.get("error")) or {"message": f"status {status}"}

    def _head(self, response: Mapping[str, Any]) -> None:
        self.reply.started = True
        self.reply.model = text_of(response.get("model"))
        self.reply.response_id = text_of(response.get("id")) or None
        if response.get("service_tier"):
            self.reply.service["service_tier"] = response["service_tier"]

    def _output(self, items: Mapping[int, Mapping[str, Any]]) -> None:
        messages = [item for _, item in sorted(items.items()) if item.get("type") == "message"]
        # models that comment on their work mark the answer itself by its phase
        final = [message for message in messages if message.get("phase") == "final_answer"]
        parts = [part for message in final or messages for part in items_of(message.get("content"))]
        words = [text_of(p.get("text")) for p in parts if p.get("type") == "output_text"]
        # the whole object is the truth; the pieces before it were for the progress, and for a cut
        if any(words):
            streamed = self.reply.received
            self.reply.pieces.clear()
            for piece in words:
                self.reply.add(piece)
            self.reply.received = max(streamed, sum(map(len, words)))
        refusals = [text_of(p.get("refusal")) for p in parts if p.get("type") == "refusal"]
        if refusals:
            self.reply.refusal[:] = refusals
        for place, item in items.items():
            text = _CALLS.get(text_of(item.get("type")))
            if text is not None:
                call = self.reply.tool_call(place)
                call.id, call.name = text_of(item.get("call_id")), text_of(item.get("name"))
                call.pieces, call.freeform = [text_of(item.get(text))], text == "input"

    def _used(self, response: Mapping[str, Any]) -> None:
        usage = mapping_of(response.get("usage"))
        if usage:
            self.reply.usage = Usage(
                input=count_of(usage, "input_tokens"),
                output=count_of(usage, "output_tokens"),
                cached=count_of(usage, "input_tokens_details", "cached_tokens"),
                cache_write=count_of(usage, "input_tokens_details", "cache_write_tokens"),
                reasoning=count_of(usage, "output_tokens_details", "reasoning_tokens"),
            )


DIALECT = Dialect(path=_PATH, body=body_of, reader=ResponsesReader)
