"""Which paths a reply may name, and how they are opened.

Below the task's root, through no symbolic link.

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

_FORBIDDEN_NAMES = frozenset({".git", ".agent-runner"})
_SHORT_NAMES = re.compile(r"^(?:git|agent-|agentr)~\d+$", re.IGNORECASE)
_DRIVE = re.compile(r"^[A-Za-z]:")
_LONGEST_NAME = 255
_LONGEST_PATH = 2048
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@frozen
class Refusal:
    """Why a path is not allowed or cannot be what was asked for; `reason` completes "PATH: ..."."""

    reason: str


@frozen
class Standing:
    """What stands at a path: its content and status.

    Or nothing, and which folders above are missing too.
    """

    content: bytes | None
    status: os.stat_result | None = None
    missing: tuple[str, ...] = ()


def spelled(path: str) -> str | Refusal:
    """The path in its plain form (`./a//b` is `a/b`), or why its spelling is refused.

    Touches nothing.
    """
    parts = [part for part in path.split("/") if part not in {"", "."}]
    plain = "/".join(parts)
    reason = _strange_characters(path) or _not_relative(path) or _strange_parts(parts)
    if reason:
        return Refusal(reason)
    if len(plain.encode()) > _LONGEST_PATH:
        return Refusal(f"it is longer than {_LONGEST_PATH} bytes")
    return plain


def _not_relative(path: str) -> str:
    if not path.strip():
        return "the path is empty"
    if path.startswith("/"):
        return "it is an absolute path; paths are relative to the task's folder"
    if path.startswith("~"):
        return "`~` is a home folder; paths are relative to the task's folder"
    if _DRIVE.match(path) or "\\" in path:
        return "it is a Windows path; use relative paths with `/`"
    return "it names a folder, not a file" if path.endswith("/") else ""


def _strange_parts(parts: list[str]) -> str:
    if not parts:
        return "it names the task's folder, not a file"
    for part in parts:
        if part == "..":
            return "`..` is not allowed; paths stay below the task's folder"
        if is_forbidden_name(part):
            return f"nothing in `{_forbidden(part)}` may be changed or read"
        if len(part.encode()) > _LONGEST_NAME:
            return f"a name in it is longer than {_LONGEST_NAME} bytes"
    return ""


def folded(path: str) -> str:
    """The path as file systems see it that ignore case and Unicode composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", path).casefold())


def is_forbidden_name(name: str) -> bool:
    """Whether some file system takes this name for `.git` or `.agent-runner`."""
    plain = _forbidden(name)
    return plain in _FORBIDDEN_NAMES or _SHORT_NAMES.match(plain) is not None


def _forbidden(name: str) -> str:
    """The name without what a file system may ignore.

    Case, composition, invisible characters, tails.
    """
    visible = "".join(char for char in name if unicodedata.category(char) != "Cf")
    return folded(visible).split(":", 1)[0].rstrip(". ")


def _strange_characters(path: str) -> str:
    if "\0" in path:
        return "it holds a NUL character"
    if any(unicodedata.category(char) == "Cc" for char in path):
        return "it holds control characters"
    if any("\ud800" <= char <= "\udfff" for char in path):
        return "it holds half of a character pair (a surrogate)"
    if any(unicodedata.category(char) in {"Zl", "Zp"} for char in path):
        return "it holds a line separator"
    return ""


@contextlib.contextmanager
def opened_root(root: Path) -> Iterator[int]:
    """A descriptor of the task's folder.

    The root itself was named by the user: links in it are followed.

    Raises:
        OSError: it is not there or no folder.
    """
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_folder(root: int, parts: list[str]) -> int | Refusal | None:
    """A descriptor of the folder below the root, for the caller to close; None if it is not there.

    Follows no symbolic link on the way. Raises OSError for what is neither.
    """
    folder = os.dup(root)
    for depth, part in enumerate(parts):
        try:
            below = os.open(part, _FOLDER, dir_fd=folder)
        except OSError as error:
            try:
                if error.errno == errno.ENOENT:
                    return None
                if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.EMLINK}:
                    here = "/".join(parts[: depth + 1])
                    return Refusal(_in_the_way(folder, part, here))
                raise
            finally:
                os.close(folder)
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


def open_inside(root: int, path: str) -> int | Refusal | None:
    """A descriptor of the regular file at a path that `spelled` let pass; None if nothing is there.

    For the caller to close. Never blocks on a FIFO, never opens a device. Raises OSError.
    """
    *parts, name = path.split("/")
    folder = open_folder(root, parts)
    if folder is None or isinstance(folder, Refusal):
        return folder
    try:
        return open_entry(folder, name)
    finally:
        os.close(folder)


def open_entry(folder: int, name: str) -> int | Refusal | None:
    """The same for a name in an open folder."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return Refusal(f"it is {_kind(status.st_mode)}, not a file")
    try:
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
    """What stands at a path that `spelled` let pass.

    `most`: the largest size that is read, in bytes.
    """
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
        if descriptor is None:
            return Standing(None)
        if isinstance(descriptor, Refusal):
            return descriptor
        return _read(descriptor, most)
    except OSError as error:
        return Refusal(f"it cannot be read ({error.strerror})")


def read_all(descriptor: int) -> bytes:
    """The whole file; closes the descriptor."""
    with open(descriptor, "rb", buffering=0) as file:  # a descriptor, no path
        return file.readall()


def _read(descriptor: int, most: int) -> Standing | Refusal:
    status = os.fstat(descriptor)
    if status.st_size > most:
        os.close(descriptor)
        return Refusal(f"it has {status.st_size} bytes; at most {most} are handled")
    return Standing(read_all(descriptor), status)


def _in_the_way(folder: int, name: str, path: str) -> str:
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return f"`{path}` is not a folder"
    if stat.S_ISLNK(mode):
        return f"`{path}` is a symbolic link, and none is followed"
    return f"`{path}` is {_kind(mode)}, not a folder"


_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISREG, "a file"),
)


def _kind(mode: int) -> str:
    return next((words for test, words in _KINDS if test(mode)), "something else")
