"""One call on disk: what was asked, the room for the answer, and the answer.

Both are kept in the blobs, by the call's id and compressed: there they become durable together and
with one sync. Of a question only what is new in it is kept (`model/conversation.py`). The call's
folder below `logs/` has a copy of the answer for people, which stands in for one that is damaged
in the blobs if it is still the same, and what came of an answer that broke off. It may also have
what releases before wrote: whole questions, and answers that are nowhere else.
"""

import contextlib
import hashlib
import json
import os
import zlib
from pathlib import Path
from typing import Any

from attrs import frozen

from agent_runner.ground.disk import Disk, create_folder_below, storage_errors
from agent_runner.ground.plain_files import open_plain, read_plain
from agent_runner.model.agent import AgentResponse, Finish
from agent_runner.model.conversation import StoredRequest
from agent_runner.store.blobs import Blobs
from agent_runner.store.codec import from_plain, to_plain

_BYTES_PER_TOKEN = 8
"""Of an answer as JSON: about four as text, the rest for escapes."""

_ROOM_BESIDE = 64 * 1024
"""Bytes for everything in an answer that is not its text."""

_MOST_INFLATED = 1 << 28
"""Bytes of one question or answer; more was never written here."""

_LEVEL = 6
"""Of compression: a page of code takes 0.4 ms, and a quarter of its room."""

_ENCODED = json.JSONEncoder(ensure_ascii=False).encode

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND


@frozen
class CallFiles:
    """The files of the call with this id; `folder` is the one for people, in the state folder."""

    call: str
    top: Path
    folder: Path
    blobs: Blobs
    disk: Disk

    def begin(self, request: StoredRequest) -> None:
        """Reserve room, so that a paid answer finds the disk not full.

        The request itself is kept with its answer: without one it is of no use, but where the
        provider keeps the answer (`keep_request`).

        Raises StorageError before anything is spent.
        """
        with storage_errors(self.folder):
            create_folder_below(self.top, self.folder)
        asked = len(_json(to_plain(request)))
        self.blobs.reserve(request.max_output_tokens * _BYTES_PER_TOKEN + _ROOM_BESIDE + asked)

    def keep_request(self, request: StoredRequest) -> None:
        """Keep what was asked; durable with the next entry of the journal."""
        if self.blobs.hash_of(self._request) is None:
            self.blobs.write(self._request, _compressed(_json(to_plain(request))))

    def keep_piece(self, raw: bytes) -> None:
        """Keep a piece of the answer as it came, for people and bug reports.

        Never a reason to stop: on a full disk the answer itself still has its reserved room.
        """
        if not raw:
            return
        with contextlib.suppress(OSError), os.fdopen(open_plain(self._partial, _APPEND), "ab") as f:
            f.write(raw)

    def pieces(self) -> bytes:
        """The pieces of the answer that were kept, as far as they are there."""
        with contextlib.suppress(OSError):
            return read_plain(self._partial)
        return b""

    def settle(self, request: StoredRequest | None, response: AgentResponse) -> None:
        """Put the whole answer on disk, durably and atomically, before anything is made of it.

        `request`: None for an answer that was found, whose question is lost.
        """
        content = _json(to_plain(response))
        if request is not None:  # first: an answer that is found must find its question
            self.keep_request(request)
        with contextlib.suppress(OSError):  # then this, to be there whenever the answer is
            self.disk.write_file(self._response_copy, content, durable=False)
        self.blobs.write(self._response, _compressed(content))
        self.blobs.sync()
        self.blobs.release()
        # what an agent did by itself stands nowhere else
        if response.finish is Finish.COMPLETE and response.files is None:
            with contextlib.suppress(OSError):  # nor has anybody use for what broke off before it
                for partial in self.folder.parent.glob(f"*/{self._partial.name}"):
                    partial.unlink(missing_ok=True)

    def give_up(self) -> None:
        """Release the reserved room after a call that brought nothing."""
        self.blobs.release()

    def request(self) -> StoredRequest | None:
        """What was asked, if it is there, and whole."""
        plain = self._read(self._request, self.folder / "request.json")
        if plain is None:
            return None
        try:
            return from_plain(_unfolded(plain), StoredRequest)
        except Exception:  # noqa: BLE001  # any damage means the same: it is not there
            return None

    def response(self) -> AgentResponse | None:
        """The answer, if it is there, and whole."""
        plain = self._read(self._response, self._response_copy)
        if plain is None:
            return None
        try:
            return from_plain(plain, AgentResponse)
        except Exception:  # noqa: BLE001  # as above
            return None

    def _read(self, name: str, copy: Path) -> Any:
        """What was kept under this name, as plain JSON; None where it is gone or damaged.

        A copy for people counts if the blobs never had the content, or had the same.
        """
        content, sha256 = self.blobs.read(name), self.blobs.hash_of(name)
        try:
            if content is not None:
                return _plain(content)
            content = read_plain(copy)
            as_kept = {hashlib.sha256(one).hexdigest() for one in (content, _compressed(content))}
            return _plain(content) if sha256 is None or sha256 in as_kept else None
        except (OSError, ValueError, RecursionError, zlib.error):
            return None

    @property
    def _request(self) -> str:
        return f"{self.call}/request"

    @property
    def _response(self) -> str:
        return f"{self.call}/response"

    @property
    def _response_copy(self) -> Path:
        return self.folder / "response.json"

    @property
    def _partial(self) -> Path:
        return self.folder / "response.partial"


def _json(plain: dict[str, Any]) -> bytes:
    """In UTF-8, not as ASCII with escapes, which make a Russian text three times as long.

    A line a field, for people: with json's own indentation it takes ten times as long.
    """
    fields = (f"{json.dumps(key)}: {_ENCODED(value)}" for key, value in plain.items())
    return ("{\n " + ",\n ".join(fields) + "\n}").encode("utf-8", "surrogatepass")


def _compressed(content: bytes) -> bytes:
    return zlib.compress(content, _LEVEL)


def _plain(content: bytes) -> Any:
    """The JSON in a content, compressed or not (releases before kept it as it was)."""
    if not content.startswith(b"{"):
        inflating = zlib.decompressobj()
        content = inflating.decompress(content, _MOST_INFLATED)
        if not inflating.eof:
            raise ValueError("it is not whole")
    return json.loads(content.decode("utf-8", "surrogatepass"))


def _unfolded(plain: Any) -> Any:
    """A request as it is kept now, of one that has its whole prompt in it."""
    if "prompt" not in plain:
        return plain
    return {**plain, **plain["prompt"]}
