"""One call's folder: what was asked, the room for the answer, and the answer.

Invariant: `response.json` is there only whole; an answer found there after a crash is as good as
one just received.
"""

import contextlib
import json
from pathlib import Path

from attrs import frozen

from agent_runner.ground.disk import Disk, storage_errors
from agent_runner.model.agent import AgentRequest, AgentResponse
from agent_runner.store.codec import from_plain, to_plain_whole

_BYTES_PER_TOKEN = 8
"""Of an answer as JSON: about four as text, the rest for escapes."""

_ROOM_BESIDE = 64 * 1024
"""Bytes for everything in response.json that is not the text."""


@frozen
class CallFiles:
    """The files of one call under `folder`."""

    folder: Path
    disk: Disk

    def begin(self, request: AgentRequest) -> None:
        """Write what will be asked, and reserve room so that a paid answer finds the disk not full.

        Raises StorageError before anything is spent.
        """
        with storage_errors(self.folder):
            self.disk.create_folder(self.folder)
            self.disk.write_file(
                self.folder / "prompt.md", _readable(request).encode(), durable=False
            )
            content = json.dumps(to_plain_whole(request), indent=1).encode("ascii")
            self.disk.write_file(self._request, content)
            # last, and only then the call: an answer that is paid for finds its room taken already
            with self._reserved.open("wb") as file:
                size = request.max_output_tokens * _BYTES_PER_TOKEN + _ROOM_BESIDE
                self.disk.reserve(file.fileno(), size)

    def keep(self, raw: bytes) -> None:
        """Keep a piece of the answer as it came, for people and bug reports.

        Never a reason to stop: on a full disk the answer itself still has its reserved room.
        """
        if not raw:
            return
        partial = self.folder / "response.partial"
        with contextlib.suppress(OSError), partial.open("ab") as file:
            file.write(raw)

    def settle(self, response: AgentResponse) -> None:
        """Put the whole answer on disk, durably and atomically, before anything is made of it."""
        content = json.dumps(to_plain_whole(response), indent=1).encode("ascii")
        with storage_errors(self._response):
            # into the room that was reserved, then renamed: a new file would need a free block
            with self._reserved.open("r+b" if self._reserved.exists() else "w+b") as file:
                self.disk.write(file.fileno(), content)
                self.disk.truncate(file.fileno(), len(content))
                self.disk.sync(file.fileno())
            self.disk.replace(self._reserved, self._response)
            self.disk.sync_folder(self.folder)

    def give_up(self) -> None:
        """Release the reserved room after a call that brought nothing."""
        with storage_errors(self.folder):
            self._reserved.unlink(missing_ok=True)

    def request(self) -> AgentRequest | None:
        """What was asked, if it is there."""
        return (
            from_plain(json.loads(self._request.read_bytes()), AgentRequest)
            if self._request.exists()
            else None
        )

    def response(self) -> AgentResponse | None:
        """The answer, if it is there."""
        if not self._response.exists():
            return None
        return from_plain(json.loads(self._response.read_bytes()), AgentResponse)

    @property
    def _request(self) -> Path:
        return self.folder / "request.json"

    @property
    def _response(self) -> Path:
        return self.folder / "response.json"

    @property
    def _reserved(self) -> Path:
        return self.folder / ".response.json.reserved"


def _readable(request: AgentRequest) -> str:
    """The prompt for people: the same text as in request.json, without JSON around it."""
    parts = [f"# system\n\n{request.prompt.system}\n"]
    parts += [f"# {message.role}\n\n{message.text}\n" for message in request.prompt.messages]
    return "\n".join(parts)
