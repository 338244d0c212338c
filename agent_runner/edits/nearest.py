"""Which existing files a path that does not exist may have meant, in bounded time."""

import difflib
import os
from pathlib import Path

from agent_runner.edits.jail import is_forbidden_name

_MOST_FILES = 20_000
_MOST_COMPARED = 2_000
_SKIPPED = frozenset(
    {"node_modules", ".venv", "venv", "__pycache__", ".tox", ".nox", ".mypy_cache"}
)


def nearest_names(root: Path, path: str) -> tuple[str, ...]:
    """At most three paths below the root.

    Those of the same name first, then those spelled alike.
    """
    wanted = path.strip("/").rsplit("/", 1)[-1].casefold()
    files = _files(root)
    same = [file for file in files if file.rsplit("/", 1)[-1].casefold() == wanted]
    if len(path) > 300:  # nothing is spelled like that
        return tuple(same[:3])
    named = [
        file for file in files if file[:1] == path[:1] or file.rsplit("/", 1)[-1][:1] == wanted[:1]
    ]
    alike = difflib.get_close_matches(path, named[:_MOST_COMPARED], 3, 0.6)
    return tuple(f"`{file}`" for file in dict.fromkeys([*same, *alike]))[:3]


def _files(root: Path) -> list[str]:
    files: list[str] = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in _SKIPPED and not is_forbidden_name(f))
        base = Path(folder).relative_to(root).as_posix()
        files += [name if base == "." else f"{base}/{name}" for name in sorted(names)]
        if len(files) >= _MOST_FILES:
            break
    return files[:_MOST_FILES]
