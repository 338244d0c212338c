"""Durable writes: the few ways in which the program changes the disk, and why a disk refuses.

What must hold after a power cut is written in this order: the content, a sync of the file, the
rename to its name, a sync of the folder. Without the first sync a journaling file system may keep
the new name with an empty file behind it; without the second one the name itself may be gone.
"""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent_runner.ground.plain_files import kind_of, open_plain
from agent_runner.ground.timings import part
from agent_runner.model.errors import StorageError

_PRIVATE = 0o600
_WORTH_A_CALL = 256 * 1024  # bytes
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_all(descriptor: int, content: bytes) -> None:
    """Write every byte or raise OSError: `os.write` alone may stop short on a nearly full disk."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_content(descriptor: int) -> None:
    """Return once a file's content and size are on the disk itself. Raises OSError."""
    with part("sync"):
        if not _full_sync(descriptor):
            getattr(os, "fdatasync", os.fsync)(descriptor)  # macOS has no fdatasync


def sync_names(descriptor: int) -> None:
    """Return once the names in an open folder are on the disk itself. Raises OSError."""
    with part("sync"):
        if not _full_sync(descriptor):
            os.fsync(descriptor)


class Disk:
    """The same by path, as methods of one class: a test's subclass keeps only what was synced."""

    def open_append(self, path: Path) -> int:
        """Open (or create) a regular file for appending, out of child processes' reach."""
        return open_plain(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)

    def write(self, descriptor: int, content: bytes) -> None:
        """Write every byte or raise OSError."""
        write_all(descriptor, content)

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut the file to `size` bytes."""
        os.ftruncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        """Return once the file's content and size are on the disk itself."""
        sync_content(descriptor)

    def sync_folder(self, folder: Path) -> None:
        """Return once the names in the folder are on the disk itself."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            sync_names(descriptor)
        finally:
            os.close(descriptor)

    def replace(self, temporary: Path, path: Path) -> None:
        """Give the temporary file its name, in place of whatever had it."""
        temporary.replace(path)

    def create_folder(self, folder: Path, *, durable: bool = True) -> None:
        """Create the folder and its parents, private to the user.

        `durable` also syncs each folder above, so that the new names survive a power cut.
        """
        if folder.is_dir():
            return
        self.create_folder(folder.parent, durable=durable)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        if durable:
            self.sync_folder(folder.parent)

    def reserve(self, descriptor: int, offset: int, size: int) -> None:
        """Take `size` bytes from `offset` on now, so that writing them later finds no full disk."""
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, offset, size)
        else:  # macOS has none; zeros that were written take their room as well
            os.lseek(descriptor, offset, os.SEEK_SET)
            self.write(descriptor, bytes(size))

    def write_file(
        self, path: Path, content: bytes, *, durable: bool = True, mode: int = _PRIVATE
    ) -> None:
        """Replace a whole file, so that a reader finds the old content or the new, never a part.

        `durable` also syncs the file and its folder; without it a power cut may bring the old
        content back. Raises OSError; the temporary file is then removed.
        """
        self.write_pieces(path, (content,), durable=durable, mode=mode)

    def write_pieces(
        self, path: Path, pieces: Iterable[bytes], *, durable: bool = True, mode: int = _PRIVATE
    ) -> int:
        """The same with a content that never is in memory as a whole; returns its size in bytes."""
        size = 0
        temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
        descriptor = os.open(temporary, _NEW, _PRIVATE)
        try:
            try:
                for piece in _gathered(pieces):
                    self.write(descriptor, piece)
                    size += len(piece)
                if mode != _PRIVATE:
                    os.fchmod(descriptor, mode)
                if durable:
                    self.sync(descriptor)
            finally:
                os.close(descriptor)
            self.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        if durable:
            self.sync_folder(path.parent)
        return size


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Small pieces put together to some that are worth a call of the system; at least one."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= _WORTH_A_CALL:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def create_folder_below(top: Path, folder: Path) -> None:
    """Create `folder` and its parents below `top`, not durably, private to the user.

    A link among them is refused: what is written behind it would be outside of `top`. Raises
    OSError.
    """
    here, below = str(top), str(folder)
    for name in below.removeprefix(f"{here}/").split("/") if below != here else ():
        here = f"{here}/{name}"
        try:
            mode = os.lstat(here).st_mode  # first: nearly always it is there
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                Path(here).mkdir(mode=0o700)
            mode = os.lstat(here).st_mode
        if not stat.S_ISDIR(mode):
            raise OSError(errno.EINVAL, f"{here} is {kind_of(mode)}, not a folder", here)


class storage_errors:  # noqa: N801 - read as a function, as in contextlib
    """Turn an OSError into a StorageError that names the file and what to do.

    A class, since it is entered some thirty times a task: a generator takes three times as long.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing is to be prepared."""

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        """Raise what says more of an OSError."""
        if isinstance(error, OSError):
            raise storage_error(self._path, error) from error


def storage_error(path: Path, error: OSError) -> StorageError:
    """The error that says which file could not be written, why, and what to do."""
    in_the_way = error.errno in {errno.EINVAL, errno.ELOOP, errno.ENOTDIR, errno.EISDIR}
    return StorageError(
        f"cannot write {path}: {reason_of(error)}",
        fix="look where it comes from, and move it away"
        if in_the_way
        else "free some space or fix the permissions",
        command=("resume",),
    )


def reason_of(error: OSError) -> str:
    """Why the system refused, in words that fit behind a colon."""
    return _REASONS.get(error.errno or 0, error.strerror or str(error))


_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "not permitted",
    errno.EIO: "the disk reports an input/output error",
    errno.EFBIG: "the file size limit is reached",
    errno.ELOOP: "a symbolic link is in the way",
    errno.ENOTDIR: "a folder on its way is none",
}

_UNSUPPORTED = {errno.ENOTSUP, errno.EINVAL, errno.ENOTTY}


def _full_sync(descriptor: int) -> bool:
    """Whether macOS's F_FULLFSYNC did it; False where the system or the file system has none.

    macOS's fsync leaves the bytes in the drive's own cache (its fsync(2) says so and names
    F_FULLFSYNC). Network file systems refuse it as unsupported, and only then is fsync the next
    best; any other error is the disk's and is raised, since a sync that failed must not be tried
    again. LevelDB's `SyncFd` does the same for files and folders.
    """
    command = getattr(fcntl, "F_FULLFSYNC", None)
    if command is None:
        return False
    try:
        fcntl.fcntl(descriptor, command)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return False
        raise
    return True
