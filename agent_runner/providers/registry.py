"""From a profile to its client: built-in protocols first, then those that other packages bring."""

from typing import Any

from attrs import frozen

from agent_runner.ground.clock import Clock
from agent_runner.model.agent import AgentResponse, Prompt
from agent_runner.model.errors import UsageError
from agent_runner.providers.client import (
    IN_PLACE,
    WORDS,
    AgentClient,
    CallContext,
    Capabilities,
    ClientFactory,
    instructions_of,
)
from agent_runner.providers.plugins import GROUP, plugged_in
from agent_runner.providers.profiles import Profile


def make_client(profile: Profile, clock: Clock) -> AgentClient:
    """The client for `profile`; touches neither network nor key. Raises UsageError."""
    factory = _BUILT_IN.get(profile.protocol) or _plugged_in(profile.protocol)
    return factory(profile, clock)


def _anthropic(profile: Profile, clock: Clock) -> AgentClient:
    from agent_runner.providers import anthropic
    from agent_runner.providers.call import Dialect, HttpClient

    dialect = Dialect(
        anthropic.PATH,
        anthropic.body,
        lambda _cap: anthropic.MessagesReader(),
        anthropic.HEADERS,
    )
    return HttpClient(profile, clock, dialect)


def _responses(profile: Profile, clock: Clock) -> AgentClient:
    from agent_runner.providers.background import ResponsesClient

    return ResponsesClient(profile, clock)


def _chat(profile: Profile, clock: Clock) -> AgentClient:
    from agent_runner.providers import chat
    from agent_runner.providers.call import Dialect, HttpClient

    return HttpClient(profile, clock, Dialect(chat.PATH, chat.body, chat.ChatReader))


def _replay(profile: Profile, clock: Clock) -> AgentClient:  # noqa: ARG001 (a factory)
    from agent_runner.providers.replay import ReplayClient

    return ReplayClient(profile)


_BUILT_IN: dict[str, ClientFactory] = {
    "anthropic": _anthropic,
    "responses": _responses,
    "chat": _chat,
    "replay": _replay,
}


@frozen
class _Undeclared:
    """A client of another package that does not declare its capabilities: its methods tell them.

    One with `apply_code_changes(repo_path, instructions)` works in place. This is the one place
    where that is asked; from here on it is data, as with all others.
    """

    client: Any

    @property
    def capabilities(self) -> Capabilities:
        return IN_PLACE if hasattr(self.client, "apply_code_changes") else WORDS

    async def generate_completion(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        if context.root is None:
            response = await self.client.generate_completion(prompt, context)
        else:
            words = instructions_of(prompt)
            response = await self.client.apply_code_changes(context.root, words)
        return response  # type: ignore[no-any-return]  # whatever a foreign package returns

    async def aclose(self) -> None:
        await self.client.aclose()


def _plugged_in(protocol: str) -> ClientFactory:
    entry = plugged_in().get(protocol)
    if entry is None:
        raise UsageError(f'there is no protocol "{protocol}"')
    try:
        factory = entry.load()
    except Exception as error:  # whatever a foreign package does at import
        raise UsageError(
            f'the plug-in for protocol "{protocol}" ({entry.value}) cannot be loaded: {error}',
            fix=f"reinstall the package that brings this entry point of {GROUP}",
        ) from error

    def make(profile: Profile, clock: Clock) -> AgentClient:
        client = factory(profile, clock)
        return client if hasattr(client, "capabilities") else _Undeclared(client)

    return make
