"""The folder that keeps what a command wrote over an overlay: made, read, and emptied again.

Its layout is that of overlayfs, seen with Linux 6.18: `upper` holds the files as they were written;
a character device 0:0 stands where a file or folder of the original was deleted; an extended
attribute says of a folder that it does not show what the original has below it.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

UPPER, WORK = "upper", "work"

_OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")  # by root, in a user namespace


@frozen
class Written:
    """One file or link that a command wrote, or took away; `path` is relative to the original."""

    path: str
    deleted: bool = False


def make(kept: Path, original: Path) -> None:
    """Make the folder for an overlay over `original`; what an earlier command wrote is gone.

    Raises OSError.
    """
    remove(kept)
    kept.mkdir(mode=0o700, parents=True)
    (kept / WORK).mkdir()
    (kept / UPPER).mkdir()
    (kept / UPPER).chmod(original.stat().st_mode & 0o7777)  # that of the overlay itself


def written(kept: Path, original: Path) -> tuple[Written, ...]:
    """What was written over `original`, sorted by path, no command running.

    A file counts that was opened for writing, changed or not; folders, sockets and pipes do not.
    Raises OSError.
    """
    found = _written(kept / UPPER, original, "", opaque=False)
    return tuple(sorted(found, key=lambda one: one.path))


def remove(kept: Path) -> None:
    """Remove the folder and all in it; nothing if it is not there. Raises OSError."""
    if kept.is_symlink() or not kept.exists():
        return
    for top, folders, files in os.walk(kept):
        for name in folders:  # overlayfs makes one that nobody may enter
            if not os.path.islink(os.path.join(top, name)):  # noqa: PTH114, PTH118 - many paths
                os.chmod(os.path.join(top, name), 0o700)  # noqa: PTH101, PTH118 - the same
        for name in files:
            os.unlink(os.path.join(top, name))  # noqa: PTH108, PTH118 - the same
    for top, folders, _ in os.walk(kept, topdown=False):
        for name in folders:
            path = Path(top, name)
            if path.is_symlink():
                path.unlink()
            else:
                path.rmdir()
    kept.rmdir()


def _written(upper: Path, lower: Path, prefix: str, *, opaque: bool) -> Iterator[Written]:
    with os.scandir(upper) as entries:
        seen = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    for name, about in seen.items():
        path, below = f"{prefix}{name}", lower / name
        if stat.S_ISCHR(about.st_mode) and about.st_rdev == 0:
            yield from _deleted(below, path)
        elif stat.S_ISDIR(about.st_mode):
            if below.is_symlink() or below.is_file():
                yield Written(path, deleted=True)
            hides = opaque or _is_opaque(upper / name)
            yield from _written(upper / name, below, f"{path}/", opaque=hides)
        elif stat.S_ISREG(about.st_mode) or stat.S_ISLNK(about.st_mode):
            if below.is_dir() and not below.is_symlink():
                yield from _deleted(below, path)
            yield Written(path)
    if opaque and lower.is_dir() and not lower.is_symlink():
        for name in sorted(set(os.listdir(lower)) - set(seen)):
            yield from _deleted(lower / name, f"{prefix}{name}")


def _deleted(lower: Path, path: str) -> Iterator[Written]:
    """All files of the original at `path` and below."""
    if lower.is_dir() and not lower.is_symlink():
        for name in sorted(os.listdir(lower)):
            yield from _deleted(lower / name, f"{path}/{name}")
    elif os.path.lexists(lower):
        yield Written(path, deleted=True)


def _is_opaque(folder: Path) -> bool:
    for name in _OPAQUE:
        try:
            if os.getxattr(folder, name, follow_symlinks=False) == b"y":
                return True
        except OSError:  # it has none, or the file system has none
            continue
    return False
