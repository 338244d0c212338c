"""Background answers of the Responses API: the provider keeps them, we fetch them by id.

The only way of the three protocols in which an answer outlives a crash of ours. The id is told as
soon as it is known; a lost connection costs nothing, for the answer is asked for again by its id.
"""

import attrs

from agent_runner.ground.clock import Clock
from agent_runner.model.agent import AgentResponse, Prompt
from agent_runner.model.errors import (
    FatalError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
)
from agent_runner.providers import responses
from agent_runner.providers.call import Dialect, Exchange, HttpClient
from agent_runner.providers.client import WORDS, CallContext
from agent_runner.providers.profiles import Profile
from agent_runner.providers.responses import ResponsesReader

FIRST_LOOK = 1.0
LONGEST_LOOK = 10.0
"""Seconds between two looks: doubled from the first to the longest."""

RESPONSES = Dialect(responses.PATH, responses.body, lambda _cap: ResponsesReader())


class ResponsesClient:
    """An `AgentClient` for the Responses API, in the foreground or in the background."""

    capabilities = WORDS

    def __init__(self, profile: Profile, clock: Clock) -> None:
        self._profile = profile
        self._clock = clock
        self._http = HttpClient(profile, clock, RESPONSES)

    async def generate_completion(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        """Ask, or fetch the answer that `context.resume_id` names. See `client`."""
        if context.resume_id is not None:
            exchange = await self._awaited(context.resume_id, context)
        elif self._profile.background:
            exchange = await self._in_background(prompt, context)
        else:
            exchange = await self._http.ask(prompt, context)
        return self._http.reply(exchange, prompt)

    async def aclose(self) -> None:
        """Close the connection. A background answer goes on at the provider."""
        await self._http.aclose()

    async def _in_background(self, prompt: Prompt, context: CallContext) -> Exchange:
        kept: list[bytes] = []
        started = await self._http.ask(prompt, attrs.evolve(context, keep=kept.append))
        draft = started.draft
        if draft.response_id and not draft.ended and draft.failure is None:
            context.created(draft.response_id)
            return await self._awaited(draft.response_id, context)
        context.keep(b"".join(kept))
        return started

    async def _awaited(self, response_id: str, context: CallContext) -> Exchange:
        """Look until the answer has ended; an unreachable server is borne for `timeout` seconds."""
        pause, last_seen = FIRST_LOOK, self._clock.monotonic()
        while True:
            kept: list[bytes] = []
            try:
                looked = await self._look(response_id, attrs.evolve(context, keep=kept.append))
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
                if looked.draft.ended or looked.draft.failure or looked.draft.unreadable:
                    context.keep(b"".join(kept))
                    return looked
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_LOOK)

    async def _look(self, response_id: str, context: CallContext) -> Exchange:
        try:
            return await self._http.fetch(f"{responses.PATH}/{response_id}", context)
        except FatalError as error:
            if error.status != 404:
                raise
            raise UnknownOutcomeError(
                f"the provider no longer keeps the answer {response_id}; it was billed",
                status=error.status,
                request_id=error.request_id,
            ) from error
