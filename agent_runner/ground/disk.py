"""Durable writes: the few ways in which the program changes the disk, and why the disk refused.

They are methods of one class, so that a test can hand in a disk that loses what was never synced.
"""

import contextlib
import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from agent_runner.model.errors import StorageError


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an operating system error into a `StorageError` that names the file and the remedy."""
    try:
        yield
    except OSError as error:
        raise refused(path, error) from error


class Disk:
    """Durable writing. A subclass in the tests keeps only what a power cut would leave."""

    def open_append(self, path: Path) -> int:
        """Open (or create) a file for appending; the descriptor stays out of children."""
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, descriptor: int, content: bytes) -> None:
        """Write all of it or raise OSError."""
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut the file to `size` bytes."""
        os.ftruncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        """Return once content (and size) are on the disk itself."""
        full = getattr(
            fcntl, "F_FULLFSYNC", None
        )  # macOS: fsync alone leaves it in the drive's cache
        if full is not None:
            fcntl.fcntl(descriptor, full)
        else:
            getattr(os, "fdatasync", os.fsync)(descriptor)

    def sync_folder(self, folder: Path) -> None:
        """Make names in the folder durable."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def replace(self, temporary: Path, path: Path) -> None:
        """Give the temporary file its name, in place of whatever had it."""
        temporary.replace(path)

    def create_folder(self, folder: Path) -> None:
        """Create the folder and its parents, private to the user, each new name durable."""
        if folder.is_dir():
            return
        self.create_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        self.sync_folder(folder.parent)

    def reserve(self, descriptor: int, size: int) -> None:
        """Take `size` bytes from the disk now, so that writing them later cannot find it full."""
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:  # macOS
            self.write(descriptor, bytes(size))
            os.lseek(descriptor, 0, os.SEEK_SET)

    def write_file(self, path: Path, content: bytes, *, durable: bool = True) -> None:
        """Write a file by temporary file and rename; `durable` also syncs it and its folder."""
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            try:
                self.write(descriptor, content)
                if durable:
                    self.sync(descriptor)
            finally:
                os.close(descriptor)
            self.replace(Path(name), path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        if durable:
            self.sync_folder(path.parent)


_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "not permitted",
    errno.EIO: "the disk reports an input/output error",
    errno.EFBIG: "the file size limit is reached",
}


def reason_of(error: OSError) -> str:
    """Why the system refused, in words for people."""
    return _REASONS.get(error.errno or 0, error.strerror or str(error))


def refused(path: Path, error: OSError) -> StorageError:
    """The error that says which file could not be written, why, and what to do."""
    return StorageError(
        f"cannot write {path}: {reason_of(error)}",
        fix="make room or mend the permissions, then: agent-runner resume",
    )
