"""Which paths a reply may name, and how they are opened: below the task's root, through no link.

Two gates: the spelling (pure), and the walk from the root's descriptor, component by component,
that follows nothing. Whatever is read or written in this room goes through the walk.
"""

import contextlib
import errno
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from agent_runner.model.errors import StorageError

_FORBIDDEN_NAMES = frozenset({".git", ".agent-runner", ".gitmodules"})
_SHORT_NAMES = re.compile(r"^(?:git|gitmod|gi7eba|agent-|agentr)~\d+$", re.IGNORECASE)
"""What NTFS calls them in eight letters."""

_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
"""What Unicode calls ignorable by default, beside the characters of category `Cf`."""

_LONGEST_NAME = 255
_LONGEST_PATH = 2048
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFREG: "a file",
}


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


def spelled(path: str) -> str | Refusal:
    """The path in its plain form (`./a//b` is `a/b`), or why its spelling is refused."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    fault = next(_faults(path, parts), None)
    return "/".join(parts) if fault is None else Refusal(fault)


def _faults(path: str, parts: list[str]) -> Iterator[str]:
    kinds = {unicodedata.category(char) for char in path}
    of_path = {
        "it holds a NUL character": "\0" in path,
        "it holds control characters": "Cc" in kinds,
        "it holds half of a character pair (a surrogate)": "Cs" in kinds,
        "it holds a line separator": kinds & {"Zl", "Zp"},
        "the path is empty": not path.strip(),
        "it is an absolute path; paths are relative to the task's folder": path.startswith("/"),
        "`~` is a home folder; paths are relative to the task's folder": path.startswith("~"),
        "it is a Windows path; use relative paths with `/`": re.match(r"[A-Za-z]:|.*\\", path),
        "it names a folder, not a file": path.endswith("/"),
        "it names the task's folder, not a file": not parts,
    }
    yield from (fault for fault, is_so in of_path.items() if is_so)
    for part in parts:
        if part == "..":
            yield "`..` is not allowed; paths stay below the task's folder"
        if is_forbidden_name(part):
            yield f"nothing in `{as_seen(part)}` may be changed or read"
        if len(part.encode()) > _LONGEST_NAME:
            yield f"a name in it is longer than {_LONGEST_NAME} bytes"
    if "Cf" in kinds or _INVISIBLE.search(path):  # it would pass for the name without it
        yield "it holds a character that nobody sees"
    if len(path.encode()) > _LONGEST_PATH:
        yield f"it is longer than {_LONGEST_PATH} bytes"


def folded(path: str) -> str:
    """The path as file systems see it that ignore case and Unicode composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", path).casefold())


def is_forbidden_name(name: str) -> bool:
    """Whether some file system takes this name for `.git`, `.gitmodules` or `.agent-runner`.

    `.gitmodules` says from where git fetches, and is git's own file like those in `.git`.
    """
    return as_seen(name) in _FORBIDDEN_NAMES or _SHORT_NAMES.match(as_seen(name)) is not None


def as_seen(name: str) -> str:
    """The name without what a file system may ignore: case, composition, the invisible, tails."""
    if name.isascii():  # nearly every name, and each in a folder is looked at
        return name.lower().split(":", 1)[0].rstrip(". ")
    seen = _INVISIBLE.sub("", name)
    visible = "".join(char for char in seen if unicodedata.category(char) != "Cf")
    return folded(visible).split(":", 1)[0].rstrip(". ")


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
            return Refusal(f"it is {_kind(mode)}, not a file")
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
    """What stands at a path that `spelled` let pass; at most `most` bytes are read."""
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


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "something else")


def _kind_in(folder: int, name: str) -> str:
    """What stands where a folder is needed, in words."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return "not a folder"
    return (
        "a symbolic link, and none is followed"
        if stat.S_ISLNK(mode)
        else f"{_kind(mode)}, not a folder"
    )
