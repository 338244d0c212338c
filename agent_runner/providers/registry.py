"""From a profile to its client: built-in protocols first, then those that other packages bring."""

import importlib
from collections.abc import Callable
from typing import Any

from attrs import frozen

from agent_runner.ground.clock import Clock
from agent_runner.model.agent import AgentResponse, Prompt
from agent_runner.model.errors import UsageError
from agent_runner.providers.catalogue import PROTOCOLS
from agent_runner.providers.client import (
    IN_PLACE,
    WORDS,
    AgentClient,
    CallContext,
    Capabilities,
    ClientFactory,
    instructions_of,
)
from agent_runner.providers.profiles import GROUP, Profile, plugged_in


def make_client(profile: Profile, clock: Clock) -> AgentClient:
    """The client for `profile`; touches neither network nor key. Raises UsageError."""
    known = PROTOCOLS.get(profile.protocol)
    if known is None:
        client = _foreign_factory(profile.protocol)(profile, clock)
        return client if hasattr(client, "capabilities") else _Undeclared(client)
    module, _, name = known.factory.partition(":")
    factory: ClientFactory = getattr(importlib.import_module(module), name)
    return factory(profile, clock)


def _foreign_factory(protocol: str) -> Callable[[Profile, Clock], Any]:
    entry = plugged_in().get(protocol)
    if entry is None:
        raise UsageError(f'there is no protocol "{protocol}"')
    try:
        return entry.load()  # type: ignore[no-any-return]  # whatever a foreign package has there
    except Exception as error:  # whatever it does at import
        raise UsageError(
            f'the plug-in for protocol "{protocol}" ({entry.value}) cannot be loaded: {error}',
            fix=f"reinstall the package that brings this entry point of {GROUP}",
        ) from error


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
            instructions = instructions_of(prompt)
            response = await self.client.apply_code_changes(context.root, instructions)
        return response  # type: ignore[no-any-return]  # whatever a foreign package returns

    async def aclose(self) -> None:
        await self.client.aclose()
