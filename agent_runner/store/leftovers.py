"""Temporary files of a run that was killed between writing one and giving it its name."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from agent_runner.store.layout import Layout

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[a-z0-9_]{8}")
"""As `Disk.write_file` names them."""

_OURS = re.compile(r"\.gitignore|state\.json|list\.json|journal\.torn-\d+")
"""What is written so in the state folder itself, which may have hidden files of others."""


def leftovers(layout: Layout) -> Iterator[Path]:
    """The temporary files that nobody will name any more, while the state's lock is held."""
    for name in _names(layout.folder):
        found = _TEMPORARY.fullmatch(name)
        if found and _OURS.fullmatch(found["name"]):
            yield layout.folder / name
    for folder, _, names in os.walk(layout.folder / "logs"):
        yield from (Path(folder, name) for name in names if _TEMPORARY.fullmatch(name))


def remove_leftovers(layout: Layout) -> None:
    """Remove them; one that cannot be removed is in nobody's way."""
    for path in leftovers(layout):
        with contextlib.suppress(OSError):
            path.unlink()


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
