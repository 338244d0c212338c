"""Removes folders with all that is in them, whatever their rights; others may be at it, too."""

import contextlib
import os
import stat

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove(folder: int, name: str) -> None:
    """Remove whatever has this name in an open folder, also folders that forbid it.

    Raises:
        OSError: it cannot be removed.
    """
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
    except OSError:  # a folder: EISDIR on Linux, EPERM elsewhere
        _remove_folder(folder, name)


def _remove_folder(above: int, name: str) -> None:
    try:
        here = _opened(above, name)
    except FileNotFoundError:
        return
    try:
        with os.scandir(here) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for inner, is_folder in found:
            with contextlib.suppress(FileNotFoundError):
                if is_folder:
                    _remove_folder(here, inner)
                else:
                    os.unlink(inner, dir_fd=here)
    finally:
        os.close(here)
    os.rmdir(name, dir_fd=above)


def _opened(above: int, name: str) -> int:
    """A folder, opened through no link, that may be listed and written from now on."""
    try:
        here = os.open(name, _FOLDER, dir_fd=above)
    except PermissionError:
        if not hasattr(os, "O_PATH"):
            raise
        pinned = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
        try:
            os.chmod(f"/proc/self/fd/{pinned}", stat.S_IRWXU)  # noqa: PTH101 - no path of a file
        finally:
            os.close(pinned)
        here = os.open(name, _FOLDER, dir_fd=above)
    os.fchmod(here, stat.S_IRWXU)
    return here
