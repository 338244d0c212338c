"""One call on disk: what was asked, the room for the answer, and the answer.

Request and answer are kept in the blobs, by the call's id: there they become durable together and
with one sync. The call's folder below `logs/` has copies of both for people, and what came of an
answer that broke off. A copy stands in for what is damaged in the blobs if it is still the same,
and for what versions before wrote, which had nothing but the folder.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from agent_runner.ground.disk import Disk, create_folder_below, storage_errors
from agent_runner.ground.plain_files import open_plain, read_plain
from agent_runner.model.agent import AgentRequest, AgentResponse
from agent_runner.store.blobs import Blobs
from agent_runner.store.codec import from_plain, to_plain_whole

_BYTES_PER_TOKEN = 8
"""Of an answer as JSON: about four as text, the rest for escapes."""

_ROOM_BESIDE = 64 * 1024
"""Bytes for everything in an answer that is not its text."""

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND

T = TypeVar("T")


@frozen
class CallFiles:
    """The files of the call with this id; `folder` is the one for people, in the state folder."""

    call: str
    top: Path
    folder: Path
    blobs: Blobs
    disk: Disk

    def begin(self, request: AgentRequest) -> None:
        """Show what will be asked, and reserve room so that a paid answer finds the disk not full.

        The request itself becomes durable with its answer: without one it is of no use, but where
        the provider keeps the answer (`keep_request`).

        Raises StorageError before anything is spent.
        """
        content = _json(request)
        with storage_errors(self.folder):
            create_folder_below(self.top, self.folder)
            prompt = self.folder / "prompt.md"
            self.disk.write_file(prompt, _readable(request).encode(), durable=False)
            self.disk.write_file(self._request_copy, content, durable=False)
        room = request.max_output_tokens * _BYTES_PER_TOKEN + _ROOM_BESIDE
        self.blobs.reserve(room + len(content))

    def keep_request(self, request: AgentRequest) -> None:
        """Keep what was asked; durable with the next entry of the journal."""
        self.blobs.write(self._request, _json(request))

    def keep_piece(self, raw: bytes) -> None:
        """Keep a piece of the answer as it came, for people and bug reports.

        Never a reason to stop: on a full disk the answer itself still has its reserved room.
        """
        if not raw:
            return
        partial = self.folder / "response.partial"
        with contextlib.suppress(OSError), os.fdopen(open_plain(partial, _APPEND), "ab") as file:
            file.write(raw)

    def settle(self, request: AgentRequest, response: AgentResponse) -> None:
        """Put the whole answer on disk, durably and atomically, before anything is made of it."""
        content = _json(response)
        with contextlib.suppress(OSError):  # first, so that it is there whenever the answer is
            self.disk.write_file(self._response_copy, content, durable=False)
        self.keep_request(request)
        self.blobs.write(self._response, content)
        self.blobs.sync()
        self.blobs.release()

    def give_up(self) -> None:
        """Release the reserved room after a call that brought nothing."""
        self.blobs.release()

    def request(self) -> AgentRequest | None:
        """What was asked, if it is there, and whole."""
        return self._read(self._request, self._request_copy, AgentRequest)

    def response(self) -> AgentResponse | None:
        """The answer, if it is there, and whole."""
        return self._read(self._response, self._response_copy, AgentResponse)

    def _read(self, name: str, copy: Path, cls: type[T]) -> T | None:
        content, sha256 = self.blobs.read(name), self.blobs.hash_of(name)
        if content is None:
            with contextlib.suppress(OSError):
                content = read_plain(copy)
        if content is None or sha256 not in {None, hashlib.sha256(content).hexdigest()}:
            return None
        try:
            return from_plain(json.loads(content), cls)
        except Exception:  # noqa: BLE001  # any damage means the same: it is not there
            return None

    @property
    def _request(self) -> str:
        return f"{self.call}/request"

    @property
    def _response(self) -> str:
        return f"{self.call}/response"

    @property
    def _request_copy(self) -> Path:
        return self.folder / "request.json"

    @property
    def _response_copy(self) -> Path:
        return self.folder / "response.json"


def _json(value: AgentRequest | AgentResponse) -> bytes:
    return json.dumps(to_plain_whole(value), indent=1).encode("ascii")


def _readable(request: AgentRequest) -> str:
    """The prompt for people: the same text as in request.json, without JSON around it."""
    parts = [f"# system\n\n{request.prompt.system}\n"]
    parts += [f"# {message.role}\n\n{message.text}\n" for message in request.prompt.messages]
    return "\n".join(parts)
