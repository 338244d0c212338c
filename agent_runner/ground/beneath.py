"""Opens what lies below a root, component by component, through no symbolic link.

Whoever may put files below the root cannot have another place read or written so.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from agent_runner.ground.plain_files import kind_of
from agent_runner.model.errors import StorageError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@frozen
class Refusal:
    """Why a path is not allowed or cannot be what was asked for; `reason` completes "PATH: ..."."""

    reason: str


@frozen
class Standing:
    """What stands at a path: content and status; or nothing, and which folders are missing too."""

    content: bytes | None
    status: os.stat_result | None = None
    missing: tuple[str, ...] = ()


@contextlib.contextmanager
def opened_root(root: Path) -> Iterator[int]:
    """A descriptor of the task's folder, which the user named: links in its path are followed.

    Raises:
        OSError: it is not there or no folder.
    """
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def readable_root(root: Path) -> Iterator[int]:
    """The same for a look at its files. Raises StorageError where the folder or a file refuses."""
    try:
        with opened_root(root) as descriptor:
            yield descriptor
    except OSError as error:
        fix = "mend the folder, then resume"
        raise StorageError(f"{root}: {error.strerror}", fix=fix) from error


def open_folder(root: int, parts: list[str]) -> int | Refusal | None:
    """A descriptor of the folder below the root, for the caller to close; None if it is not there.

    Follows no symbolic link on the way. Raises OSError for what is neither.
    """
    folder = os.dup(root)
    for depth, part in enumerate(parts):
        try:
            below = os.open(part, _FOLDER, dir_fd=folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno not in {errno.ELOOP, errno.ENOTDIR, errno.EMLINK}:
                raise
            here = "/".join(parts[: depth + 1])
            return Refusal(f"`{here}` is {_kind_in(folder, part)}")
        finally:
            os.close(folder)
        folder = below
    return folder


def names_in(root: int, folder: str) -> list[str]:
    """The names in a folder below the root ("" for itself); none where there is no folder.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = open_folder(root, folder.split("/") if folder else [])
    if not isinstance(descriptor, int):
        return []
    try:
        return os.listdir(descriptor)
    finally:
        os.close(descriptor)


def missing_folders(root: int, parts: list[str]) -> tuple[str, ...]:
    """Which folders on the way are not there, parents first."""
    for depth in range(len(parts)):
        folder = open_folder(root, parts[: depth + 1])
        if folder is None:
            return tuple("/".join(parts[: at + 1]) for at in range(depth, len(parts)))
        if not isinstance(folder, Refusal):
            os.close(folder)
    return ()


def open_entry(folder: int, name: str) -> int | Refusal | None:
    """A descriptor of the regular file of this name in an open folder; None if nothing is there.

    For the caller to close. Never blocks on a FIFO, never opens a device. Raises OSError.
    """
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode):
            return Refusal(f"it is {kind_of(mode)}, not a file")
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EMLINK, errno.ENXIO}:
            return Refusal("it is not a regular file")
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # it was replaced between the two looks
        os.close(descriptor)
        return Refusal("it is not a regular file")
    return descriptor


def standing(root: int, path: str, most: int) -> Standing | Refusal:
    """What stands at a path in its plain form; at most `most` bytes are read."""
    *parts, name = path.split("/")
    try:
        folder = open_folder(root, parts)
        if isinstance(folder, Refusal):
            return folder
        if folder is None:
            return Standing(None, missing=missing_folders(root, parts))
        try:
            descriptor = open_entry(folder, name)
        finally:
            os.close(folder)
        if descriptor is None or isinstance(descriptor, Refusal):
            return descriptor or Standing(None)
        status = os.fstat(descriptor)
        if status.st_size > most:
            os.close(descriptor)
            return Refusal(f"it has {status.st_size} bytes; at most {most} are handled")
        return Standing(read_all(descriptor), status)
    except OSError as error:
        return Refusal(f"it cannot be read ({error.strerror})")


def read_all(descriptor: int) -> bytes:
    """The whole file; closes the descriptor."""
    with open(descriptor, "rb", buffering=0) as file:  # a descriptor, no path
        return file.readall()


def _kind_in(folder: int, name: str) -> str:
    """What stands where a folder is needed, in words."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return "not a folder"
    return (
        "a symbolic link, and none is followed"
        if stat.S_ISLNK(mode)
        else f"{kind_of(mode)}, not a folder"
    )
