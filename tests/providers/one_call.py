"""Asks a client once and keeps everything that came of it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import anyio
import attrs
from attrs import define, field

from agent_runner.model.agent import AgentRequest, AgentResponse, Message, Prompt
from agent_runner.model.errors import ProviderError
from agent_runner.model.settings import ProviderSettings, Settings
from agent_runner.providers.client import AgentClient, CallContext
from agent_runner.providers.profiles import Profile, resolve
from agent_runner.providers.registry import make_client

Result = TypeVar("Result")

KEY = "sk-planted-4f9a8b7c6d5e"
PROMPT = Prompt("Be brief.", (Message("user", "Say grün."),))
NOW = 1_795_000_000.0


@define
class StillClock:
    """Time moves only when somebody sleeps."""

    at: float = NOW
    slept: list[float] = field(factory=list)

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
        await anyio.lowlevel.checkpoint()


@define
class Asked:
    """What came of one call: `reply` or `error`, and what was told on the way."""

    reply: AgentResponse | None = None
    error: ProviderError | None = None
    progress: list[int] = field(factory=list)
    pieces: list[bytes] = field(factory=list)
    created: list[str] = field(factory=list)

    @property
    def kept(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def answer(self) -> AgentResponse:
        assert self.reply is not None, f"no reply but {self.error!r}"
        return self.reply

    @property
    def failure(self) -> ProviderError:
        assert self.error is not None, f"no error but {self.reply}"
        return self.error


def request_for(provider: str = "server", *, cap: int = 1000, number: int = 1) -> AgentRequest:
    """A request as the agent step makes it."""
    return AgentRequest(
        call="T1-1",
        task="T1",
        number=number,
        attempt=1,
        turn=1,
        provider=provider,
        model=None,
        prompt=PROMPT,
        max_output_tokens=cap,
    )


def profile_for(
    protocol: str, url: str, *, env: Mapping[str, str] | None = None, **own: Any
) -> Profile:
    """A provider of the user's own at a test server."""
    own = {"model": "some-model", "api_key_env": "TEST_KEY", "timeout": 5.0, **own}
    settings = Settings(
        providers={"server": ProviderSettings(protocol=protocol, base_url=url, **own)}
    )
    return resolve("server", settings, {"TEST_KEY": KEY, **(env or {})})


async def ask_with(
    client: AgentClient,
    *,
    resume_id: str | None = None,
    on_progress: Callable[[int], None] = lambda _tokens: None,
    number: int = 1,
) -> Asked:
    """One call with `client`."""
    asked = Asked()

    def progress(tokens: int) -> None:
        asked.progress.append(tokens)
        on_progress(tokens)

    context = CallContext(
        request_for(number=number), progress, asked.pieces.append, asked.created.append, resume_id
    )
    try:
        asked.reply = await client.generate_completion(PROMPT, context)
    except ProviderError as error:
        asked.error = error
    return asked


def ask(profile: Profile, clock: StillClock | None = None, **how: Any) -> Asked:
    """One call with a client of its own."""

    async def once() -> Asked:
        client = make_client(profile, clock or StillClock())
        try:
            return await ask_with(client, **how)
        finally:
            await client.aclose()

    return run(once)


def say(prompt: Prompt, profile: Profile, *, cap: int = 1000) -> Asked:
    """One call with a prompt of one's own."""

    async def once() -> Asked:
        client, asked = make_client(profile, StillClock()), Asked()
        try:
            request = attrs.evolve(request_for(cap=cap), prompt=prompt)
            asked.reply = await client.generate_completion(prompt, CallContext(request))
        except ProviderError as error:
            asked.error = error
        finally:
            await client.aclose()
        return asked

    return run(once)


def run(work: Callable[[], Awaitable[Result]]) -> Result:
    """Run async work to its end, or fail where it hangs."""

    async def bounded() -> Result:
        with anyio.fail_after(60):
            return await work()

    return anyio.run(bounded)
