"""From a profile to its client: built-in protocols first, then those that other packages bring."""

from typing import cast

from agent_runner.ground.clock import Clock
from agent_runner.model.errors import UsageError
from agent_runner.providers.client import AgentClient, ClientFactory
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


def _plugged_in(protocol: str) -> ClientFactory:
    entry = plugged_in().get(protocol)
    if entry is None:
        raise UsageError(f'there is no protocol "{protocol}"')
    try:
        return cast(ClientFactory, entry.load())
    except Exception as error:  # whatever a foreign package does at import
        raise UsageError(
            f'the plug-in for protocol "{protocol}" ({entry.value}) cannot be loaded: {error}',
            fix=f"reinstall the package that brings this entry point of {GROUP}",
        ) from error
