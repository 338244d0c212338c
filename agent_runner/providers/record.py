"""Saves every answer in the form that `replay` reads, so that a run can be replayed without a key.

Known keys are taken out; everything else is kept byte for byte.
"""

from pathlib import Path
from typing import Any

import attrs

from agent_runner.model.agent import AgentResponse, Prompt
from agent_runner.model.errors import StorageError
from agent_runner.model.redaction import Redactor
from agent_runner.providers.client import AgentClient, CallContext
from agent_runner.providers.replay import encode, recording


class RecordingClient:
    """Passes calls on to another client and writes what it answers below `folder`."""

    def __init__(self, client: AgentClient, folder: Path, redactor: Redactor) -> None:
        self._client = client
        self._folder = folder
        self._redactor = redactor

    async def generate_completion(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        """As the client behind it; raises StorageError too, if the recording cannot be written."""
        response = await self._client.generate_completion(prompt, context)
        _save(recording(self._folder, context.request), self._without_keys(response))
        return response

    async def aclose(self) -> None:
        """Close the client behind it."""
        await self._client.aclose()

    def _without_keys(self, response: AgentResponse) -> AgentResponse:
        return attrs.evolve(
            response,
            **{
                name: _clean(value, self._redactor)
                for name, value in (
                    ("text", response.text),
                    ("detail", response.detail),
                    ("service", response.service),
                    ("edits", response.edits),
                    ("logs", response.logs),
                    ("tool_calls", response.tool_calls),
                )
            },
        )


def _save(path: Path, response: AgentResponse) -> None:
    """Whole or not at all, for a torn recording would replay as a bad answer."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(encode(response).encode())
        temporary.replace(path)
    except OSError as error:
        raise StorageError(
            f"the answer cannot be recorded in {path}: {error.strerror or error}",
            fix="make room, or leave out --record",
        ) from error


def _clean(value: Any, redactor: Redactor) -> Any:
    """`value` without known keys, whatever it is made of."""
    if isinstance(value, str):
        return redactor.exact(value)
    if isinstance(value, dict):
        return {_clean(name, redactor): _clean(inner, redactor) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_clean(inner, redactor) for inner in value)
    if attrs.has(type(value)):
        inner = attrs.asdict(value, recurse=False)
        return attrs.evolve(value, **{name: _clean(v, redactor) for name, v in inner.items()})
    return value
