"""What the journal refers to: images of files, calls with their answers, long payloads.

All of it is in one append-only file, `pack`, so that whatever a step has to keep becomes durable
with one sync. A file for each content, as versions before had them, took two or three: its own,
its folder's, and that of a new folder's parent.

An entry is a line (`SHA256 OFFSET SIZE NAME CRC`, the name `-` where only the hash matters), the
content and a newline. It counts where it stands at its own offset, which an entry within somebody's
file does not, while the line has its CRC and the content its hash. So a damaged line costs its own
entry: the next one is looked for behind it. What follows the last entry was never synced: the next
writer cuts it off.
"""

import hashlib
import os
import re
import zlib
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote

from attrs import define, field, frozen

from agent_runner.ground.disk import Disk, storage_errors
from agent_runner.ground.plain_files import open_plain, read_plain, reading
from agent_runner.model.errors import StateError, StorageError

_LINE = re.compile(rb"(([0-9a-f]{64}) ([0-9]{1,15}) ([0-9]{1,15}) (\S{1,900}) )([0-9a-f]{8})\n")
_LONGEST_LINE = 1024
_PIECE = 1 << 20
_NO_NAME = "-"

Key = TypeVar("Key", bytes, str)
"""By what an entry is found: the digest of its content, or its name."""


@frozen
class _Entry:
    """One entry: its content's hash, and where that is, in bytes from the beginning of the file."""

    sha256: str
    offset: int
    size: int


@define
class Blobs:
    """Contents by their sha256 (64 hex digits), and some by a name, of which the latest counts.

    Readers need no lock and may look while a run is on. Only the holder of the state's lock
    writes, and what it wrote is durable from the next `sync` on.

    Attributes:
        folder: Where `pack` is, and the files of versions before it: `ab/cdef...`.
        path: That of `pack`.
    """

    folder: Path
    disk: Disk
    path: Path = field(init=False)
    _file: int = -1
    _end: int = 0
    """Where the next entry begins: behind the last whole one."""
    _reserved: bool = False
    _unsynced: bool = False
    _broken: bool = False
    _by_hash: dict[bytes, int] = field(factory=dict)
    """Where the line of each entry is, and no more: a list of 10,000 tasks has 50,000 entries."""
    _by_name: dict[str, int] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """Name the file once: each entry is written by its path."""
        self.path = self.folder / "pack"

    def put(self, content: bytes) -> str:
        """Keep a content and return its sha256; one that is there already is not written again.

        Raises StorageError: the disk refused; nothing was kept.
        """
        self._open_to_write()
        name = hashlib.sha256(content)
        known = self._by_hash.get(name.digest())
        # compared, not just looked up: a power cut may have left the line and half of the content
        if known is None or self._read_at(known)[1] != content:
            self._append(name.hexdigest(), _NO_NAME, content)
        return name.hexdigest()

    def get(self, sha256: str) -> bytes:
        """The content with this hash. Raises StateError if it is gone or damaged."""
        at = self._find(self._by_hash, _digest(sha256))
        if at is None:
            return self._get_old(sha256)
        content = self._read_at(at)[1]
        if content is None:
            raise _lost(f"{self.path}: content {sha256} is damaged")
        return content

    def hash_of(self, name: str) -> str | None:
        """The sha256 of the latest content of this name, whole or not; None where there is none."""
        at = self._find(self._by_name, quote(name))
        entry = None if at is None else self._read_at(at)[0]
        return entry.sha256 if entry is not None else None

    def write(self, name: str, content: bytes) -> None:
        """Keep a content under a name, in place of what had it. Raises StorageError."""
        self._open_to_write()
        self._append(hashlib.sha256(content).hexdigest(), quote(name), content)

    def read(self, name: str) -> bytes | None:
        """The latest content of this name; None where there is none, or it is not whole."""
        at = self._find(self._by_name, quote(name))
        return self._read_at(at)[1] if at is not None else None

    def damaged(self) -> tuple[str, ...]:
        """Names, or hashes, of what was kept and is not whole any more; every content is read."""
        self._find(self._by_name, "")  # so that all of the file's lines are known
        kept = {unquote(name): at for name, at in self._by_name.items()}
        kept |= {sha256.hex(): at for sha256, at in self._by_hash.items()}
        return tuple(name for name, at in kept.items() if self._read_at(at)[1] is None)

    def reserve(self, size: int) -> None:
        """Take room from the disk, so that writing `size` bytes later cannot find it full.

        Raises StorageError: there is no such room.
        """
        self._open_to_write()
        with storage_errors(self.path):
            self._reserved = True
            self.disk.reserve(self._file, self._end, size)

    def release(self) -> None:
        """Give reserved room back that was not needed."""
        if self._reserved:
            with storage_errors(self.path):
                self.disk.truncate(self._file, self._end)
            self._reserved = False

    def sync(self) -> None:
        """Return once everything that was kept is on the disk.

        A failed sync is final: what it lost nobody knows. Raises StorageError.
        """
        if not self._unsynced:
            return
        if self._broken:
            raise StorageError(f"{self.path}: an earlier sync failed", fix="look at the disk")
        with storage_errors(self.path):
            self._broken = True
            self.disk.sync(self._file)
        self._broken = self._unsynced = False

    def close(self) -> None:
        """Close the file; what was kept stays. A second time does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        """Give the descriptor back where nobody closed it: they run out in a long process."""
        self.close()

    def _append(self, sha256: str, name: str, content: bytes) -> None:
        line = b"%s %d %d %s " % (sha256.encode(), self._end, len(content), name.encode())
        line += b"%08x\n" % zlib.crc32(line)
        with storage_errors(self.path):
            os.lseek(self._file, self._end, os.SEEK_SET)
            self._unsynced = True
            # in one write: after it there is a whole entry or none that counts, and where it failed
            # the next one takes its place
            self.disk.write(self._file, line + content + b"\n")
        self._index(_Entry(sha256, self._end + len(line), len(content)), name, self._end)

    def _open_to_write(self) -> None:
        if self._file >= 0:
            return
        with storage_errors(self.path):
            is_new = not self.path.exists()
            self.disk.create_folder(self.folder)
            self._file = open_plain(self.path, os.O_RDWR | os.O_CREAT)
            if is_new:
                self.disk.sync_folder(self.folder)
            self._read_on(self._file)
            if os.fstat(self._file).st_size > self._end:
                self.disk.truncate(self._file, self._end)

    def _find(self, index: dict[Key, int], key: Key) -> int | None:
        """Where its line is; where that is not known, what another process wrote is read first."""
        if key not in index and self._file < 0:
            try:
                with reading(self.path) as file:
                    self._read_on(file.fileno())
            except OSError:
                return None
        return index.get(key)

    def _read_on(self, file: int) -> None:
        """Take in the lines from `_end` on; contents are passed over."""
        size, at = os.fstat(file).st_size, self._end
        while at < size:
            line = _LINE.match(os.pread(file, _LONGEST_LINE, at))
            if line is None or not _is_entry(file, line, at):
                at = self._next_entry(file, at + 1, size)
                continue
            self._index(_entry(line, at), line[5].decode(), at)
            at = self._end

    def _next_entry(self, file: int, start: int, size: int) -> int:
        """Where the first entry from `start` on begins; `size`, the file's, where there is none."""
        while start < size:
            piece = os.pread(file, _PIECE + _LONGEST_LINE, start)
            for line in _LINE.finditer(piece):
                at = start + line.start()
                if _is_entry(file, line, at):
                    return at
            start += _PIECE
        return size

    def _index(self, entry: _Entry, name: str, at: int) -> None:
        if name == _NO_NAME:
            self._by_hash[bytes.fromhex(entry.sha256)] = at
        else:
            self._by_name[name] = at
        self._end = entry.offset + entry.size + 1

    def _read_at(self, at: int) -> tuple[_Entry | None, bytes | None]:
        """The entry whose line is there, and its content.

        None for the one or both that are not as they were written, or if the file is gone.
        """
        try:
            if self._file >= 0:
                return _read(self._file, at)
            with reading(self.path) as file:
                return _read(file.fileno(), at)
        except OSError:
            return None, None

    def _get_old(self, sha256: str) -> bytes:
        """A content as versions before kept it: each in a file of its own."""
        path = self.folder / sha256[:2] / sha256[2:]
        try:
            content = read_plain(path)
        except OSError as error:
            raise _lost(f"{self.path}: content {sha256} is gone") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise _lost(f"{path}: the stored content is damaged (its sha256 differs)")
        return content


def _lost(what: str) -> StateError:
    return StateError(
        what,
        fix="restore that file from a backup, or see what else is missing",
        command=("doctor",),
    )


def _digest(sha256: str) -> bytes:
    """The hash as it is in the index; b"", which nothing has, for what is none."""
    try:
        return bytes.fromhex(sha256)
    except ValueError:
        return b""


def _entry(line: re.Match[bytes], at: int) -> _Entry:
    return _Entry(line[2].decode(), at + len(line[0]), int(line[4]))


def _read(file: int, at: int) -> tuple[_Entry | None, bytes | None]:
    line = _LINE.match(os.pread(file, _LONGEST_LINE, at))
    if line is None or zlib.crc32(line[1]) != int(line[6], 16):
        return None, None
    entry = _entry(line, at)
    content = os.pread(file, entry.size, entry.offset)
    return entry, content if hashlib.sha256(content).hexdigest() == entry.sha256 else None


def _is_entry(file: int, line: re.Match[bytes], at: int) -> bool:
    """Whether this line, found at `at`, is whole and belongs there, and its content ends as all do.

    A wrong size would lead into the next entry, and cost that one too.
    """
    if zlib.crc32(line[1]) != int(line[6], 16) or int(line[3]) != at:
        return False
    return os.pread(file, 1, at + len(line[0]) + int(line[4])) == b"\n"
