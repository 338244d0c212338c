"""One call over HTTP, the same for every protocol: send, collect, judge, and put it into one form.

Where an answer ends badly depends on how far it came. Before anything of it came, the call failed
and an error is raised; afterwards it is a reply that is no full answer, with its partial text.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

import anyio
import attrs
from attrs import define, field, frozen

from agent_runner.ground.clock import Clock
from agent_runner.ground.redaction import Redactor
from agent_runner.ground.tokens import characters_per_token
from agent_runner.model.agent import AgentRequest, AgentResponse, Finish, Prompt
from agent_runner.model.errors import FatalError, UnknownOutcomeError
from agent_runner.providers.client import WORDS, CallContext
from agent_runner.providers.estimate import estimated_usage
from agent_runner.providers.failures import (
    Failure,
    classify,
    declined,
    failure_in_answer,
    read_failure,
)
from agent_runner.providers.feed import EventFeed, Feed, WholeFeed
from agent_runner.providers.headers import limits, request_id
from agent_runner.providers.http import Connection, broken
from agent_runner.providers.keys import header_secrets
from agent_runner.providers.profiles import Profile
from agent_runner.providers.reading import Draft, Reader, conclude
from agent_runner.providers.remedies import Remedies

if TYPE_CHECKING:
    import httpx

MAX_REPLY = 64 * 1024 * 1024
"""Bytes of one reply; more is no answer but a fault."""

MAX_ERROR = 64 * 1024
"""Bytes of an error's body that are read."""

DRAIN = 0.25
"""Seconds left to a server to end a stream whose last event came, so that its connection serves
the next call too."""


@frozen
class Dialect:
    """What one wire protocol is made of. `reader` takes the cap of the answer, in tokens."""

    path: str
    body: Callable[[Profile, Prompt, AgentRequest], dict[str, Any]]
    reader: Callable[[int], Reader]
    headers: Mapping[str, str] = field(factory=dict)


@define
class Exchange:
    """An answer as it came: what was read of it, its headers, and how its bytes broke off."""

    draft: Draft
    headers: Mapping[str, str]
    cut: str = ""


class HttpClient:
    """An `AgentClient` for one profile and dialect."""

    capabilities = WORDS

    def __init__(self, profile: Profile, clock: Clock, dialect: Dialect) -> None:
        self._profile = profile
        self._clock = clock
        self._dialect = dialect
        self._connection = Connection(profile)
        self._remedies = Remedies()

    async def generate_completion(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        """Ask once. See `client` for what comes back and what is raised."""
        return self.reply(await self.ask(prompt, context), prompt)

    async def ask(self, prompt: Prompt, context: CallContext) -> Exchange:
        """Send the question; once more where the server only minds how a field is named."""
        body = self._dialect.body(self._profile, prompt, context.request)
        body |= self._profile.params
        body = {name: value for name, value in body.items() if value is not None}
        context.progress(0)
        while True:
            failed = await self._send("POST", self._dialect.path, self._remedies.on(body), context)
            if isinstance(failed, Exchange):
                return failed
            if not self._remedies.learn(failed, body):
                return self._turned_away(failed)

    async def fetch(self, path: str, context: CallContext) -> Exchange:
        """Get an answer that the server keeps."""
        answer = await self._send("GET", path, None, context)
        return answer if isinstance(answer, Exchange) else self._turned_away(answer)

    def reply(self, exchange: Exchange, prompt: Prompt) -> AgentResponse:
        """The exchange in the form that is the same for all; raises if no answer began."""
        draft, redactor = exchange.draft, self._redactor()
        response = conclude(draft, cut=exchange.cut)
        if draft.failure is not None and _nothing_came(draft):
            response = self._failed_at_once(draft.failure, exchange.headers, response)
        usage = response.usage
        if draft.usage is None:
            usage = estimated_usage(prompt, response.text, self._profile.model)
        elif response.finish is Finish.CUT:
            guess = round(draft.received / characters_per_token(self._profile.model))
            usage = attrs.evolve(usage, output=max(usage.output, guess), estimated=True)
        return attrs.evolve(
            response,
            text=redactor.exact(response.text),
            detail=redactor.text(response.detail),
            usage=usage,
            model=response.model or self._profile.model,
            request_id=request_id(exchange.headers),
            limits=limits(exchange.headers, self._clock.now()),
            logs=self._remedies.notes,
        )

    async def aclose(self) -> None:
        """Close the connection; a second time does nothing."""
        await self._connection.aclose()

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, context: CallContext
    ) -> Exchange | Failure:
        headers = self._dialect.headers
        async with self._connection.send(method, path, body, headers) as response:
            if response.is_success:
                return await self._collect(response, context, streamed=bool(body))
            raw = await _beginning(response)
            return read_failure(response.status_code, response.headers, raw, self._redactor())

    async def _collect(
        self, response: "httpx.Response", context: CallContext, *, streamed: bool
    ) -> Exchange:
        kind = response.headers.get("content-type", "").lower()
        if "html" in kind:
            raise FatalError(
                f"{self._profile.name}: {self._profile.base_url} answered with a web page",
                fix=f"check providers.{self._profile.name}.base_url",
                status=response.status_code,
            )
        reader = self._dialect.reader(context.request.max_output_tokens)
        whole = "json" in kind or not (
            "event-stream" in kind or (streamed and self._profile.stream)
        )
        feed = WholeFeed(reader) if whole else EventFeed(reader)
        cut = await self._pour(response, feed, context)
        draft = reader.draft
        if not (draft.begun or draft.ended or draft.failure or draft.unreadable):
            raise UnknownOutcomeError(
                f"{self._profile.name} answered {response.status_code} and then nothing: "
                f"{cut or 'the answer is empty'}; it may have been billed",
                status=response.status_code,
                request_id=request_id(response.headers),
                limits=limits(response.headers, self._clock.now()),
            )
        return Exchange(draft, dict(response.headers), cut)

    async def _pour(self, response: "httpx.Response", feed: Feed, context: CallContext) -> str:
        """All bytes into the reader and to disk; how they broke off, "" if they ended."""
        import httpx

        outlet = self._redactor().stream()
        per_token = characters_per_token(self._profile.model)
        draft, size, cut = feed.reader.draft, 0, ""
        try:
            async for chunk in _chunks(response, draft):
                size += len(chunk)
                _kept(context, outlet.feed(chunk))
                feed.take(chunk)
                context.progress(round(draft.received / per_token))
                if size > MAX_REPLY:
                    draft.unreadable = f"the answer is longer than {MAX_REPLY} bytes"
                if draft.unreadable:
                    break
            else:
                feed.end()
        except httpx.HTTPError as error:
            if not (draft.begun or size):
                raise broken(error, self._profile) from error
            silence = f"nothing came for {self._profile.timeout:g} s"
            reason = str(error) or type(error).__name__
            cut = silence if isinstance(error, httpx.ReadTimeout) else f"it broke off: {reason}"
            feed.cut()
        finally:
            _kept(context, outlet.end())
        context.progress(round(draft.received / per_token))
        return cut

    def _turned_away(self, failure: Failure) -> Exchange:
        reason = declined(failure)
        if reason is None:
            raise classify(failure, self._profile, self._clock.now())
        draft = Draft(finish=Finish.REFUSED, detail=reason, begun=True, ended=True)
        return Exchange(draft, failure.headers)

    def _failed_at_once(
        self, error: Mapping[str, Any], headers: Mapping[str, str], response: AgentResponse
    ) -> AgentResponse:
        """An error in place of an answer: raised if it is one that we know what to do about."""
        failure = failure_in_answer(error, headers, self._redactor())
        reason = declined(failure)
        if reason is not None:
            return attrs.evolve(response, finish=Finish.REFUSED, detail=reason)
        known = classify(failure, self._profile, self._clock.now())
        if type(known) is FatalError:
            return response
        raise known

    def _redactor(self) -> Redactor:
        """For the key as it is now."""
        secrets = [self._profile.key.secret() or "", *header_secrets(self._profile.headers)]
        return Redactor(secrets)


async def _chunks(response: "httpx.Response", draft: Draft) -> AsyncIterator[bytes]:
    """The body's bytes; once the answer is complete the server has a moment to end it properly."""
    import httpx

    chunks = response.aiter_bytes()
    async for chunk in chunks:
        yield chunk
        if draft.ended:
            break
    else:
        return
    rest = []
    with anyio.move_on_after(DRAIN):
        try:
            rest = [chunk async for chunk in chunks]
        except httpx.HTTPError:
            return  # the answer is whole; how the connection ended no longer matters
    for chunk in rest:
        yield chunk


async def _beginning(response: "httpx.Response") -> bytes:
    """The first part of an error's body; what is broken in it does not matter."""
    import httpx

    raw = b""
    try:
        async for chunk in response.aiter_bytes():
            raw += chunk
            if len(raw) > MAX_ERROR:
                break
    except httpx.HTTPError:
        pass
    return raw[:MAX_ERROR]


def _kept(context: CallContext, raw: bytes) -> None:
    if raw:
        context.keep(raw)


def _nothing_came(draft: Draft) -> bool:
    """No word, no thought, no tool: at most the few tokens with which a message begins."""
    used = draft.usage.output if draft.usage is not None else 0
    return not draft.received and not draft.tools and used <= 8
