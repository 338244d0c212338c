"""Saves every answer in the form that `replay` reads, so that a run can be replayed without a key.

Known keys were taken out before (`clean`); everything else is kept byte for byte.
"""

from pathlib import Path

from attrs import frozen

from agent_runner.model.agent import AgentRequest, AgentResponse
from agent_runner.model.errors import StorageError
from agent_runner.providers.replay import encode, recording


@frozen
class Recorder:
    """Writes answers below `folder`."""

    folder: Path

    def save(self, request: AgentRequest, response: AgentResponse) -> None:
        """Keep the answer to a request, whole or not at all: a torn one would replay as a bad one.

        Raises StorageError.
        """
        path = recording(self.folder, request)
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
