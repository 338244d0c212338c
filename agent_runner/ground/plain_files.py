"""Opens regular files and nothing else, wherever somebody may have put something in their place.

A link would be followed to a file of the user's, and a named pipe waits for a writer who never
comes. The standard library's few quick modules only: `status` imports this.
"""

import errno
import os
import stat
from pathlib import Path
from typing import IO

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFREG: "a file",
}


def kind_of(mode: int) -> str:
    """What a file's mode says that it is, in words."""
    return _KINDS.get(stat.S_IFMT(mode), "something unknown")


def open_plain(path: Path, flags: int = os.O_RDONLY, *, follow: bool = False) -> int:
    """Open a regular file; the descriptor stays out of child processes, and one made is private.

    `follow`: whether a link at its end may lead there, as in a folder that is the user's own.
    Raises OSError, which says what is there instead.
    """
    no_link = 0 if follow else os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags | no_link | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in {errno.ELOOP, errno.EISDIR, errno.ENXIO}:
            raise
        raise _in_place(path.stat() if follow else path.lstat(), path) from error
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode):
        return descriptor
    os.close(descriptor)
    raise _in_place(status, path)


def reading(path: Path, *, follow: bool = False) -> IO[bytes]:
    """The file, open for reading bytes. Raises OSError as `open_plain` does."""
    return os.fdopen(open_plain(path, follow=follow), "rb")


def read_plain(path: Path, *, follow: bool = False) -> bytes:
    """All bytes of a regular file. Raises OSError as `open_plain` does."""
    with reading(path, follow=follow) as file:
        return file.read()


def _in_place(status: os.stat_result, path: Path) -> OSError:
    return OSError(errno.EINVAL, f"it is {kind_of(status.st_mode)}, not a file", str(path))
