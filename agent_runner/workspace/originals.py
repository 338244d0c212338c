"""Finds files of a copy that name the original folder, and so lead programs back to it."""

import os
from collections.abc import Iterable
from pathlib import Path

_LARGEST = 1 << 20  # bytes of a file that is looked into
_FIRST_LINES = 1 << 10  # bytes of a script: what it is started with
_NAMES = frozenset({"pyvenv.cfg", "direct_url.json"})
_ENDS = (".pth", ".egg-link")
_BEGINNINGS = ("__editable__", "activate", "Activate")
_OF_SCRIPTS = ("bin", "Scripts")


def naming_original(copy: Path, paths: Iterable[str], original: Path) -> tuple[str, ...]:
    """Those of `paths`, in the folder `copy`, that name `original` by its absolute path; sorted.

    Looked into are the files in which virtual environments and editable installs keep paths, and
    the first lines of their programs. What they say makes Python import the original files, not the
    copied ones: tests in the copy would judge the wrong code.
    """
    wanted = os.fsencode(original)
    found = [path for path in paths if wanted in _head(copy, path)]
    return tuple(sorted(found))


def _head(copy: Path, path: str) -> bytes:
    """What a file begins with; nothing of one that is not looked into, or cannot be."""
    folder, _, name = path.rpartition("/")
    if name in _NAMES or name.endswith(_ENDS) or name.startswith(_BEGINNINGS):
        most = _LARGEST
    elif folder.endswith(_OF_SCRIPTS):
        most = _FIRST_LINES
    else:
        return b""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(copy / path, flags), "rb") as file:
            return file.read(most)
    except OSError:
        return b""
