"""The lines of a file that come closest to a text that was not found, in bounded time."""

import re
from collections import Counter

_MOST_LINES = 60_000
_MOST_PLACES = 20
"""A line that stands more often says nothing about where."""

_SHOWN = 12
_WIDTH = 160
_ENOUGH = 0.5
"""So much of a line's words must be shared to call it close."""


def closest(lines: list[str], needle: list[str]) -> tuple[int, int] | None:
    """The range of lines (from 0, end excluded) most like the needle.

    None if nothing is like it.
    """
    lines = lines[:_MOST_LINES]
    start = _voted(lines, needle)
    if start is None:
        start = _worded(lines, needle)
    if start is None:
        return None
    start = max(0, start)
    return start, min(len(lines), start + max(1, len(needle)))


def numbered(lines: list[str], start: int, stop: int) -> str:
    """Lines for reading, each with its number from 1; the middle of a long run is left out."""
    shown = [
        f"{at + 1:>6} | {_clipped(lines[at])}" for at in range(start, min(stop, start + _SHOWN))
    ]
    if stop - start > _SHOWN:
        shown.append(f"       | ({stop - start - _SHOWN} more lines)")
    return "\n".join(shown)


def first_difference(
    lines: list[str], start: int, needle: list[str]
) -> tuple[int, str, str] | None:
    """The first line (from 0) that is not as the needle has it.

    Its number, the line, the needle's.
    """
    for offset, wanted in enumerate(needle):
        at = start + offset
        there = lines[at] if at < len(lines) else ""
        if there.strip() != wanted.strip() or at >= len(lines):
            return at, _clipped(there), _clipped(wanted)
    return None


def _clipped(line: str) -> str:
    return line if len(line) <= _WIDTH else line[:_WIDTH] + "..."


def _voted(lines: list[str], needle: list[str]) -> int | None:
    """Each line of the needle that stands somewhere votes for where the needle would begin."""
    where: dict[str, list[int]] = {text: [] for line in needle if len(text := line.strip()) > 1}
    for at, line in enumerate(lines):
        places = where.get(line.strip())
        if places is not None and len(places) <= _MOST_PLACES:
            places.append(at)
    votes: Counter[int] = Counter()
    for offset, line in enumerate(needle):
        places = where.get(line.strip(), [])
        if len(places) <= _MOST_PLACES:
            for at in places:
                votes[at - offset] += 1
    return votes.most_common(1)[0][0] if votes else None


def _worded(lines: list[str], needle: list[str]) -> int | None:
    """The line that shares most words with one of the needle's longest lines."""
    longest = sorted(range(len(needle)), key=lambda at: -len(needle[at].strip()))[:3]
    wanted = {at: words for at in longest if (words := _words(needle[at]))}
    if not wanted:
        return None
    every = frozenset().union(*wanted.values())
    best = (_ENOUGH, -1)
    for at, line in enumerate(lines):
        words = _words(line) & every
        if not words:
            continue
        size = len(_words(line))
        for offset, those in wanted.items():
            share = len(words & those) / max(len(those), size)
            if share > best[0]:
                best = (share, at - offset)
    return best[1] if best[0] > _ENOUGH else None


def _words(line: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", line[:500].lower()))
