"""An agent that answers from a script, and counts what it was asked."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeAlias

import anyio.lowlevel

from agent_runner.ground.tokens import tokens_of
from agent_runner.model.agent import AgentRequest, AgentResponse, Prompt
from agent_runner.model.errors import FatalError
from agent_runner.providers.client import WORDS, CallContext, Capabilities
from agent_runner.providers.costs import estimated_usage

Said: TypeAlias = str | AgentResponse | Exception
Line: TypeAlias = Said | Callable[[CallContext], Said | Awaitable[Said]]
"""What is said to one call: words, a whole response, an error, or what follows from the call."""


class ScriptedClient:
    """An `AgentClient` like the one that replays, but from memory; `asked` holds every request."""

    def __init__(
        self, script: Iterable[Line], model: str = "scripted", can: Capabilities = WORDS
    ) -> None:
        self.capabilities = can
        self._script: Iterator[Line] = iter(script)
        self._model = model
        self.asked: list[AgentRequest] = []
        self.fetched: list[str] = []
        self.closed = 0

    async def generate_completion(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        await anyio.lowlevel.checkpoint()
        if context.resume_id is None:
            self.asked.append(context.request)
        else:
            self.fetched.append(context.resume_id)
        context.progress(0)
        line = await self._said(context)
        if isinstance(line, Exception):
            raise line
        if isinstance(line, str):
            usage = estimated_usage(prompt, line, self._model)
            line = AgentResponse(line, usage=usage, model=self._model)
        context.keep(line.text.encode())
        context.progress(tokens_of(line.text, self._model))
        return line

    async def aclose(self) -> None:
        self.closed += 1

    async def _said(self, context: CallContext) -> Said:
        line = next(self._script, FatalError("the script has no more lines"))
        if not callable(line):
            return line
        said = line(context)
        return await said if isinstance(said, Awaitable) else said


def whole(path: str, text: str) -> str:
    """A reply that gives a file its whole content."""
    return f"\n{path}\n```\n{text}```\n"


def replacing(path: str, old: str, new: str) -> str:
    """A reply that replaces some lines of a file."""
    return f"\n{path}\n```\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n"


def showing(*paths: str) -> str:
    """A reply that asks to see files."""
    return "\n".join(["I must look first.", "```show", *paths, "```", ""])


def running(command: str) -> str:
    """A command that a reply proposes."""
    return f"```sh run\n{command}\n```\n"
