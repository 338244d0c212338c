"""What a block may have meant that names nothing there is: files, and lines of a file."""

import difflib
import os
from collections import Counter
from pathlib import Path

from agent_runner.files.jail import is_forbidden_name
from agent_runner.ground.suggestions import near_paths

_MOST_FILES = 20_000
_MOST_COMPARED = 2_000
_MOST_LINES = 60_000
_MOST_PLACES = 20
"""A line that stands more often says nothing about where."""

_SHOWN = 12
_WIDTH = 160
_SKIPPED = frozenset(
    {"node_modules", ".venv", "venv", "__pycache__", ".tox", ".nox", ".mypy_cache"}
)


def nearest_names(root: Path, path: str) -> tuple[str, ...]:
    """At most three paths below the root that the path may be meant for."""
    return tuple(f"`{name}`" for name in near_paths(path, _files(root)))


def _files(root: Path) -> list[str]:
    files: list[str] = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in _SKIPPED and not is_forbidden_name(f))
        base = Path(folder).relative_to(root)
        files += [(base / name).as_posix() for name in sorted(names)]
        if len(files) >= _MOST_FILES:
            break
    return files[:_MOST_FILES]


def closest(lines: list[str], needle: list[str]) -> tuple[int, int] | None:
    """The range of lines (from 0, end excluded) most like the needle; None if nothing is like it.

    Each line of the needle that stands somewhere votes for where the needle would begin; if none
    does, the line that is spelled most like its longest one.
    """
    lines = lines[:_MOST_LINES]
    where: dict[str, list[int]] = {text: [] for line in needle if len(text := line.strip()) > 1}
    for at, line in enumerate(lines):
        if line.strip() in where:
            where[line.strip()].append(at)
    votes = Counter(
        at - offset
        for offset, line in enumerate(needle)
        if len(places := where.get(line.strip(), [])) <= _MOST_PLACES
        for at in places
    )
    if votes:
        start = votes.most_common(1)[0][0]
    else:
        longest = max(needle, key=lambda line: len(line.strip()))
        texts = {line[:_WIDTH]: at for at, line in enumerate(lines[:_MOST_COMPARED])}
        alike = difflib.get_close_matches(longest[:_WIDTH], texts, 1, 0.6)
        if not alike:
            return None
        start = texts[alike[0]] - needle.index(longest)
    return max(0, start), min(len(lines), max(0, start) + max(1, len(needle)))


def numbered(lines: list[str], start: int, stop: int) -> str:
    """Lines for reading, each with its number from 1; the end of a long run is left out."""
    last = min(stop, start + _SHOWN)
    shown = [f"{at + 1:>6} | {_clipped(lines[at])}" for at in range(start, last)]
    more = [f"       | ({stop - last} more lines)"] if stop > last else []
    return "\n".join([*shown, *more])


def first_difference(
    lines: list[str], start: int, needle: list[str]
) -> tuple[int, str, str] | None:
    """The first line (from 0) that is not as the needle has it, the line, and the needle's."""
    for at, wanted in enumerate(needle, start):
        there = lines[at] if at < len(lines) else ""
        if there.strip() != wanted.strip() or at >= len(lines):
            return at, _clipped(there), _clipped(wanted)
    return None


def _clipped(line: str) -> str:
    return line if len(line) <= _WIDTH else line[:_WIDTH] + "..."
