"""Patches for people: which line is which, and how much each file changed."""

import enum
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agent_runner.ui import words

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


class LineKind(enum.Enum):
    """What a line of a patch is."""

    HEAD = enum.auto()
    HUNK = enum.auto()
    ADDED = enum.auto()
    REMOVED = enum.auto()
    CONTEXT = enum.auto()


def classified(lines: Iterable[str]) -> Iterator[tuple[LineKind, str]]:
    """Each line of a patch with its kind.

    A hunk is as long as its first line says: a removed line that begins with `--` is no head.
    """
    old = new = 0
    for line in lines:
        kind = LineKind.CONTEXT
        if old <= 0 and new <= 0:
            hunk = _HUNK.match(line)
            kind = LineKind.HUNK if hunk else LineKind.HEAD
            if hunk:
                old, new = (int(size or 1) for size in hunk.groups())
            elif line.startswith("\\"):
                kind = LineKind.CONTEXT
        elif line.startswith("+"):
            kind, new = LineKind.ADDED, new - 1
        elif line.startswith("-"):
            kind, old = LineKind.REMOVED, old - 1
        elif not line.startswith("\\"):
            old, new = old - 1, new - 1
        yield kind, line


class FileStat(NamedTuple):
    """How much a file changed: lines, or whether it is binary."""

    path: str
    added: int
    removed: int
    binary: bool = False


def file_stat(path: str, patch: str) -> FileStat:
    """The figures of one file, `patch` being its part of the patch."""
    kinds = [kind for kind, _ in classified(patch.splitlines())]
    binary = "\nBinary files " in patch
    return FileStat(path, kinds.count(LineKind.ADDED), kinds.count(LineKind.REMOVED), binary)


def stat_lines(files: Iterable[FileStat], width: int) -> Iterator[str]:
    """` src/a.py | 12 +++++-------`, as git has it, in `width` columns; then the sums."""
    every = list(files)
    names = [words.clean(one.path) for one in every]
    digits = max((len(str(one.added + one.removed)) for one in every), default=1)
    name_width = min(max(map(words.columns, names), default=0), max(10, width - digits - 16))
    room = max(4, width - name_width - digits - 6)
    most = max((one.added + one.removed for one in every), default=0)
    for one, name in zip(every, names, strict=True):
        total = one.added + one.removed
        shown = words.cut(name, name_width)
        front = f" {shown}{' ' * (name_width - words.columns(shown))} |"
        if one.binary:
            yield f"{front} binary"
            continue
        scale = min(1.0, room / most) if most else 1.0
        plus, minus = (max(n and 1, round(n * scale)) for n in (one.added, one.removed))
        yield f"{front} {total:{digits}} {'+' * plus}{'-' * minus}".rstrip()
    added, removed = sum(one.added for one in every), sum(one.removed for one in every)
    yield f" {words.plural(len(every), 'file')} changed, +{added} -{removed}"
