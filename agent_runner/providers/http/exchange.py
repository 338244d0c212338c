"""An answer on its way: its bytes go to disk, then into what reads its protocol, to its end."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING

import anyio
from attrs import define, frozen

from agent_runner.ground.clock import Clock
from agent_runner.ground.redaction import Redactor
from agent_runner.ground.tokens import characters_per_token
from agent_runner.model.errors import FatalError, UnknownOutcomeError
from agent_runner.providers.client import CallContext
from agent_runner.providers.http.connection import error_of_break
from agent_runner.providers.http.headers import limits_of, request_id
from agent_runner.providers.http.reply import GrowingReply, ReplyReader
from agent_runner.providers.http.stream import EventFeed, Feed, WholeFeed
from agent_runner.providers.keys import header_secrets
from agent_runner.providers.profiles import Profile

if TYPE_CHECKING:
    import httpx

MAX_REPLY = 64 * 1024 * 1024
"""Bytes of one reply; more is no answer but a fault."""

MAX_ERROR = 64 * 1024
"""Bytes of an error's body that are read."""

DRAIN = 0.25
"""Seconds that a server has, after the last event of a stream, to end it properly: only then can
its connection serve the next call too."""


@define
class Exchange:
    """An answer as it came: who read it, its headers, and how its bytes broke off."""

    reader: ReplyReader
    headers: Mapping[str, str]
    cut: str = ""

    @property
    def reply(self) -> GrowingReply:
        """What was read of it."""
        return self.reader.reply


@frozen
class Receiver:
    """Receives the answers of one provider; `reader` makes what understands one of them."""

    profile: Profile
    clock: Clock
    reader: Callable[[], ReplyReader]

    async def collect(
        self, response: "httpx.Response", context: CallContext, *, streamed: bool
    ) -> Exchange:
        """Take the whole answer.

        Raises FatalError for a web page, UnknownOutcomeError where nothing came.
        """
        kind = response.headers.get("content-type", "").lower()
        # a login page of a proxy, or the site in place of its API: 200, and no answer at all
        if "html" in kind:
            raise FatalError(
                f"{self.profile.name}: {self.profile.base_url} answered with a web page",
                fix=f"check providers.{self.profile.name}.base_url",
                status=response.status_code,
            )
        reader = self.reader()
        # the content type decides, for a server may answer whole though a stream was asked for;
        # where it names neither, what was asked for is believed
        whole = "json" in kind or not ("event-stream" in kind or (streamed and self.profile.stream))
        feed = WholeFeed(reader) if whole else EventFeed(reader)
        cut = await self._receive(response, feed, context)
        reply = reader.reply
        # a 200 and then nothing: the server took the request, so it may have been billed, and only
        # `UnknownOutcomeError` counts it so
        if not (reply.started or reply.ended or reply.failure or reply.unreadable):
            raise UnknownOutcomeError(
                f"{self.profile.name} answered {response.status_code} and then nothing: "
                f"{cut or 'the answer is empty'}; it may have been billed",
                status=response.status_code,
                request_id=request_id(response.headers),
                limits=limits_of(response.headers, self.clock.now()),
            )
        return Exchange(reader, dict(response.headers), cut)

    async def _receive(self, response: "httpx.Response", feed: Feed, context: CallContext) -> str:
        """Put all bytes into the reader and to disk; how they broke off, "" if they ended.

        To disk first: bytes that the reader cannot understand are what a bug report needs.
        """
        import httpx

        outlet = self.redactor().stream()
        per_token = characters_per_token(self.profile.model)
        reply, size, cut = feed.reader.reply, 0, ""
        try:
            with anyio.fail_after(self.profile.timeout) as silence:
                async for chunk in _chunks(response, reply):
                    size += len(chunk)
                    _keep(context, outlet.feed(chunk))
                    if feed.take(chunk):
                        silence.deadline = anyio.current_time() + self.profile.timeout
                    context.progress(round(reply.received / per_token))
                    if size > MAX_REPLY:
                        reply.unreadable = f"the answer is longer than {MAX_REPLY} bytes"
                    if reply.unreadable:
                        break
                else:
                    feed.end()
        except TimeoutError:
            # counted from the last word: a server that only sends pings has no more to say
            cut = f"no word came for {self.profile.timeout:g} s"
            feed.cut()
        except httpx.HTTPError as error:
            # once the first byte came it is a reply, cut short: its words are kept for people, and
            # what it used is estimated, for it is likely to be billed
            if not (reply.started or size):
                raise error_of_break(error, self.profile) from error
            cut = f"it broke off: {str(error) or type(error).__name__}"
            if isinstance(error, httpx.ReadTimeout):
                cut = f"no word came for {self.profile.timeout:g} s"
            feed.cut()
        finally:
            _keep(context, outlet.end())
        context.progress(round(reply.received / per_token))
        return cut

    def redactor(self) -> Redactor:
        """Knows the key as it is now; made anew each time, so that nothing here holds the key."""
        secrets = [self.profile.key.secret() or "", *header_secrets(self.profile.headers)]
        return Redactor(secrets)


async def _chunks(response: "httpx.Response", reply: GrowingReply) -> AsyncIterator[bytes]:
    """The body's bytes; once the answer is complete the server has a moment to end it properly."""
    import httpx

    chunks = response.aiter_bytes()
    async for chunk in chunks:
        yield chunk
        if reply.ended:
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


async def beginning(response: "httpx.Response") -> bytes:
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


def _keep(context: CallContext, raw: bytes) -> None:
    if raw:
        context.keep(raw)
