"""What stands at a path, as git would name it; remembered, so that files are read once."""

import hashlib
import os
import stat
from pathlib import Path

from agent_runner.ground.clock import Clock

_SETTLED = 2.0  # seconds: no file system in use stamps times more coarsely (FAT)
_CHUNK = 1 << 18
_TRIES = 3  # for a file that shrinks while it is read

_Signature = tuple[int, int, int, int, int, int]


class Contents:
    """Entries of files: `100644 HASH`, `100755 HASH` or `120000 HASH` (a link), as git's blobs.

    A remembered entry is used while the file's stat is the same, and only if the file was older
    than the look at it by more than time stamps can tell apart: one written twice within a tick is
    read again. Contents are hashed as they are, without git's conversions. Not thread-safe.
    """

    def __init__(self, root: Path, clock: Clock, hashing: str = "sha1") -> None:
        self._root = root
        self._clock = clock
        self.hashing = hashing
        self._known: dict[str, tuple[_Signature, bytes]] = {}
        self._seen: dict[str, tuple[_Signature, bytes]] = {}
        self._settled_before = 0.0

    def begin(self) -> None:
        """A new look at the tree begins; files that the last one did not meet are forgotten."""
        self._known, self._seen = self._seen, {}
        self._settled_before = self._clock.now() - _SETTLED

    def entry(self, path: str, found: os.stat_result | None = None) -> bytes | None:
        """The entry of what stands at `path`; None for anything but a file or a symbolic link.

        `found` is its `lstat` where that is known already. A file that cannot be read has an entry
        made of its size and time.
        """
        try:
            stat_now = found or os.lstat(self._root / path)
        except OSError:  # gone, or a file where a folder was
            return None
        now = _signature(stat_now)
        known = self._known.get(path)
        if known is None or known[0] != now:
            entry = self._read(path, stat_now)
            if entry is None:
                return None
            known = (now, entry)
        if max(stat_now.st_mtime, stat_now.st_ctime) < self._settled_before:
            self._seen[path] = known
        return known[1]

    def _read(self, path: str, found: os.stat_result) -> bytes | None:
        where = self._root / path
        try:
            if stat.S_ISLNK(found.st_mode):
                target = os.fsencode(os.readlink(where))
                return b"120000 " + self._named(target)
            if not stat.S_ISREG(found.st_mode):
                return None
            mode = b"100755 " if found.st_mode & stat.S_IXUSR else b"100644 "
            return mode + self._hashed(where)
        except FileNotFoundError:
            return None
        except OSError:
            return b"100644 ?%d-%d" % (found.st_size, found.st_mtime_ns)

    def _named(self, content: bytes) -> bytes:
        blob = hashlib.new(self.hashing, b"blob %d\0" % len(content), usedforsecurity=False)
        blob.update(content)
        return blob.hexdigest().encode()

    def _hashed(self, where: Path) -> bytes:
        """Hash as many bytes as the file has when it is opened; one that grows is cut there."""
        descriptor = os.open(where, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            for _ in range(_TRIES):
                size = left = os.fstat(descriptor).st_size
                file.seek(0)
                blob = hashlib.new(self.hashing, b"blob %d\0" % size, usedforsecurity=False)
                while left and (chunk := file.read(min(left, _CHUNK))):
                    blob.update(chunk)
                    left -= len(chunk)
                if not left:
                    break
        return blob.hexdigest().encode()


def _signature(found: os.stat_result) -> _Signature:
    """What changes when a file does."""
    return (
        found.st_mode,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
        found.st_ino,
        found.st_dev,
    )
