"""Reads one file as text for the agent, or says in a few words why it is not shown."""

import difflib
import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from agent_runner.model.shown_files import FileText, NotShown
from agent_runner.workspace.git import Repository
from agent_runner.workspace.names import Scope
from agent_runner.workspace.secrets import holds_secret, looks_secret

MAX_BYTES = 8 << 20
"""A file beyond this is not read at all."""

_CLOSE = 3  # names suggested for one that does not exist


def read_text(root: Path, path: str) -> FileText | NotShown:
    """The file at `path` (relative to `root`), exactly as it stands; no link is followed."""
    if looks_secret(path):
        return NotShown(path, "it looks like a secret")
    try:
        content = _bytes(root, path)
    except OSError as error:
        return NotShown(path, error.strerror or "it cannot be read")
    return content if isinstance(content, NotShown) else _decoded(path, content)


def why_not(scope: Scope, path: str, names: Sequence[str]) -> NotShown:
    """Why `path` is none of `names`, the files there are to show."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or path.startswith("~") or "\0" in path:
        return NotShown(path, "it lies outside the task's folder")
    if not os.path.lexists(scope.root / path):
        close = difflib.get_close_matches(path, names, n=_CLOSE)
        close += [name for name in names if PurePosixPath(name).name == pure.name][:_CLOSE]
        hint = "; there are: " + ", ".join(dict.fromkeys(close)) if close else ""
        return NotShown(path, f"there is no such file{hint}")
    if _behind_link(scope.root, path):
        return NotShown(path, "a symbolic link leads to it")
    repository = Repository.find(scope.root)
    if repository and repository.ignored([path]):
        return NotShown(path, "git ignores it")
    if (scope.root / path).is_dir():
        return NotShown(path, "the folder holds no files to show")
    return NotShown(path, "it is not part of the task's files")


def _bytes(root: Path, path: str) -> bytes | NotShown:
    where = root / path
    if _behind_link(root, path):
        return NotShown(path, "a symbolic link leads to it")
    if where.is_symlink():
        return NotShown(path, f"it is a symbolic link to {where.readlink()}")
    descriptor = os.open(where, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return NotShown(path, "it is no regular file")
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        return NotShown(path, f"it is too large ({found.st_size:,} bytes)")
    return content


def _decoded(path: str, content: bytes) -> FileText | NotShown:
    if b"\0" in content:
        return NotShown(path, "it is a binary file")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return NotShown(path, "it is not UTF-8 text")
    if holds_secret(path, text):
        return NotShown(path, "it holds a key or an access token")
    return FileText(path, text)


def _behind_link(root: Path, path: str) -> bool:
    """Whether a folder on the way to `path` is a symbolic link."""
    return any((root / parent).is_symlink() for parent in list(PurePosixPath(path).parents)[:-1])
