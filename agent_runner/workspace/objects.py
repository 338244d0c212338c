"""Contents and trees that snapshots need, kept by us in one file and named as git names them."""

import contextlib
import hashlib
import os
import re
import stat
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import define, field

from agent_runner.ground.disk import Disk, storage_errors
from agent_runner.model.errors import StateError

BLOB, TREE = b"blob", b"tree"
"""The kinds of objects: a file's content, a folder's entries."""

FOLDER_MODE = b"40000"
"""The mode of a folder in a tree."""

_HEAD = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) (blob|tree) (\d{1,12})\n")
_ENTRIES = {n: re.compile(rb"([0-7]+) ([^\0]+)\0(.{%d})" % n, re.DOTALL) for n in (20, 32)}
_LONGEST_HEAD = 96
_SHA1 = 20  # bytes
_BUFFER = 8 << 20  # bytes that wait for the next write at most
_SPEED = {BLOB: 1, TREE: 0}  # of zlib: a run waits for it; the names in a tree do not get shorter


def object_name(kind: bytes, content: bytes, hashing: str) -> bytes:
    """The name that git gives such an object: 20 bytes for `sha1`, 32 for `sha256`."""
    name = hashlib.new(hashing, b"%b %d\0" % (kind, len(content)), usedforsecurity=False)
    name.update(content)
    return name.digest()


def tree_entries(content: bytes, size: int) -> list[tuple[bytes, bytes, bytes]]:
    """Mode, name and object of each entry of a tree; `size` is the length of an object's name."""
    return _ENTRIES[size].findall(content)


@define
class ObjectStore:
    """One file to which objects are appended; what is read back is checked against its name.

    A record is a line `NAME KIND LENGTH` and as many bytes of zlib. What was not synced may be
    lost or torn by a power cut: the rest after the first bad record is cut off. One process writes
    at a time, which the lock on the state sees to. `spared`: bytes up to which nothing is pruned.
    """

    folder: Path
    disk: Disk = field(factory=Disk)
    spared: int = 64 << 20
    _places: dict[bytes, int] | None = field(init=False, default=None)
    """Where each record begins, and no more: a long run keeps two for every task."""
    _end: int = field(init=False, default=0)
    _waiting: bytearray = field(init=False, factory=bytearray)
    _descriptor: int = field(init=False, default=-1)
    _is_new: bool = field(init=False, default=False)
    _synced: bool = field(init=False, default=True)

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / "objects"

    @property
    def size(self) -> int:
        """How many bytes it has."""
        self._known()
        return self._end

    def holds(self, name: bytes) -> bool:
        """Whether the object is here."""
        return name in self._known()

    def add(self, kind: bytes, content: bytes, name: bytes) -> None:
        """Keep an object under its git name; readable at once, on the disk after `sync`.

        Raises:
            StorageError: the disk refused.
        """
        known = self._known()
        if name in known:
            return
        packed = zlib.compress(content, _SPEED[kind])
        head = b"%b %b %d\n" % (name.hex().encode(), kind, len(packed))
        known[name] = self._end
        self._end += len(head) + len(packed)
        self._waiting += head + packed
        if len(self._waiting) > _BUFFER:
            self.flush()

    def get(self, name: bytes) -> bytes:
        """The content of an object.

        Raises:
            StateError: it is not here, or damaged.
        """
        if name not in self._known():
            raise StateError(f"{self.path}: the object {name.hex()} is not kept any more")
        head, _, packed = self._record(name).partition(b"\n")
        try:
            content = zlib.decompress(packed)
        except zlib.error:
            content = b""
        hashing = "sha1" if len(name) == _SHA1 else "sha256"
        kind = head.split(b" ")[1] if head else b""
        if object_name(kind, content, hashing) != name:
            raise StateError(f"{self.path}: the object {name.hex()} is damaged")
        return content

    def flush(self) -> None:
        """Hand everything to the system; it survives the end of this process.

        Raises:
            StorageError: the disk refused.
        """
        if self._waiting:
            waiting, self._waiting = bytes(self._waiting), bytearray()
            self._synced = False
            with storage_errors(self.path):
                self.disk.write(self._opened(), waiting)

    def sync(self) -> None:
        """Return once everything is on the disk itself.

        Raises:
            StorageError: the disk refused.
        """
        self.flush()
        if not self._synced:
            with storage_errors(self.path):
                self.disk.sync(self._opened())
                if self._is_new:
                    self.disk.sync_folder(self.folder)
            self._synced, self._is_new = True, False

    def prune(self, keep: Iterable[bytes]) -> bool:
        """Forget what is not part of these trees, if it is the larger part of a large file.

        Call it before the first look of a run, for the trees that a look knows are not written
        again. Whether anything was forgotten; a file of at most `spared` bytes is left as it is,
        and `keep` is not asked for. It is written anew beside and renamed, so that a stop in
        between, or a disk that is full, loses nothing.

        Raises:
            StorageError: the disk refused; nothing is forgotten then.
            StateError: a tree is damaged, so that nobody knows what it leads to; likewise.
        """
        fresh = self.path.with_name("objects.new")
        with storage_errors(fresh):
            fresh.unlink(missing_ok=True)  # of a run that was killed meanwhile
        if self.size <= self.spared:
            return False
        live = list(self._live(keep))
        if 2 * sum(self._place(name)[1] for name in live) > self.size:
            return False
        try:
            self._write(fresh, live)
        except BaseException:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise
        self.close()
        return True

    def _write(self, fresh: Path, names: Iterable[bytes]) -> None:
        with storage_errors(fresh):
            descriptor = self.disk.open_append(fresh)
            try:
                for name in names:
                    self.disk.write(descriptor, self._record(name))
                self.disk.sync(descriptor)
            finally:
                os.close(descriptor)
            self.disk.replace(fresh, self.path)
            self.disk.sync_folder(self.folder)

    def close(self) -> None:
        """Give the file back; the next use opens it again."""
        self.flush()
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._places, self._end = -1, None, 0

    def __del__(self) -> None:
        """Give the descriptor back where nobody closed it: they run out in a long process."""
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _live(self, keep: Iterable[bytes]) -> Iterator[bytes]:
        """The trees and all that they lead to, as far as it is here, each once."""
        waiting, met = list(keep), set[bytes]()
        while waiting:
            name = waiting.pop()
            if name in met or not self.holds(name):
                continue
            met.add(name)
            yield name
            for mode, _, entry in tree_entries(self.get(name), len(name)):
                if mode == FOLDER_MODE:
                    waiting.append(entry)
                elif entry not in met and self.holds(entry):
                    met.add(entry)
                    yield entry

    def _record(self, name: bytes) -> bytes:
        start, length = self._place(name)
        return os.pread(self._opened(), length, start)

    def _place(self, name: bytes) -> tuple[int, int]:
        """Where its record begins, and its length; 0 where its head is damaged by now."""
        self.flush()
        start = self._known()[name]
        head = _HEAD.match(os.pread(self._opened(), _LONGEST_HEAD, start))
        return start, head.end() + int(head[3]) if head else 0

    def _known(self) -> dict[bytes, int]:
        if self._places is None:
            self._places = {}
            if os.path.lexists(self.path):
                self._read_heads()
        return self._places

    def _read_heads(self) -> None:
        """Find all records, skipping what they hold; a torn end is cut off."""
        descriptor = self._opened()
        size = os.fstat(descriptor).st_size
        with os.fdopen(os.dup(descriptor), "rb") as file:
            while self._end < size:
                file.seek(self._end)
                head = _HEAD.match(file.read(_LONGEST_HEAD))
                if head is None or self._end + head.end() + int(head[3]) > size:
                    break
                length = head.end() + int(head[3])
                self._known()[bytes.fromhex(head[1].decode())] = self._end
                self._end += length
        if self._end < size:
            with storage_errors(self.path):
                self.disk.truncate(descriptor, self._end)

    def _opened(self) -> int:
        """The file's descriptor.

        Raises:
            StateError: something else is in its place.
        """
        if self._descriptor < 0:
            with storage_errors(self.path):
                self.disk.create_folder(self.folder)
                self._is_new = not os.path.lexists(self.path)
                if not self._is_new and not stat.S_ISREG(self.path.lstat().st_mode):
                    raise StateError(
                        f"{self.path} is no regular file", fix=f"remove it: rm -r {self.path}"
                    )
                self._descriptor = self.disk.open_append(self.path)
        return self._descriptor
