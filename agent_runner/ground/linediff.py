"""Which lines two texts share, in bounded time, and which go and come."""

import difflib
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

Line = TypeVar("Line", str, bytes)

Same = tuple[int, int, int]
"""A run of lines that both have: where in the old, where in the new, how many."""

KEEP, DROP, ADD = " ", "-", "+"
"""What a line of a hunk does: stays (context), goes, comes."""

HunkLine = tuple[str, str]
"""One of KEEP, DROP, ADD, and the line's text without its ending."""

_SMALL = 40_000
"""Old lines times new lines up to which every pairing is tried."""


def same_runs(old: Sequence[Line], new: Sequence[Line]) -> list[Same]:
    """The runs that stay, in order, not overlapping.

    Not always the most lines, never a wrong one. Adjoining runs are not joined.
    """
    runs: list[Same] = []
    waiting = [(0, len(old), 0, len(new))]
    while waiting:
        low, high, new_low, new_high = waiting.pop()
        head = _common(old[low:high], new[new_low:new_high])
        runs += [(low, new_low, head)] if head else []
        low, new_low = low + head, new_low + head
        tail = _common(old[low:high][::-1], new[new_low:new_high][::-1])
        high, new_high = high - tail, new_high - tail
        runs += [(high, new_high, tail)] if tail else []
        if low == high or new_low == new_high:
            continue
        part, new_part = old[low:high], new[new_low:new_high]
        if len(part) * len(new_part) <= _SMALL:
            matcher = difflib.SequenceMatcher(None, part, new_part, autojunk=False)
            blocks = matcher.get_matching_blocks()
            runs += [(low + b.a, new_low + b.b, b.size) for b in blocks if b.size]
            continue
        anchors: list[tuple[int, int]] = _anchors(part, new_part)
        cuts = [(0, 0), *anchors, (len(part), len(new_part))] if anchors else []
        for (at, new_at), (stop, new_stop) in pairwise(cuts):
            waiting.append((low + at, low + stop, new_low + new_at, new_low + new_stop))
    return sorted(runs)


def hunk_lines(before: list[str], after: list[str]) -> tuple[HunkLine, ...]:
    """The two texts as one run of lines that stay, go and come."""
    lines: list[HunkLine] = []
    at = new_at = 0
    for start, new_start, size in [*same_runs(before, after), (len(before), len(after), 0)]:
        lines += [(DROP, text) for text in before[at:start]]
        lines += [(ADD, text) for text in after[new_at:new_start]]
        lines += [(KEEP, text) for text in before[start : start + size]]
        at, new_at = start + size, new_start + size
    return tuple(lines)


def _common(old: Sequence[Line], new: Sequence[Line]) -> int:
    """How many lines both begin with; whole slices are compared, ever longer ones."""
    most = min(len(old), len(new))
    size, step = 0, 1
    while size < most:
        step = min(step, most - size)
        if old[size : size + step] == new[size : size + step]:
            size, step = size + step, step * 2
        elif step == 1:
            break
        else:
            step = max(1, step // 4)
    return size


def _anchors(old: Sequence[Line], new: Sequence[Line]) -> list[tuple[int, int]]:
    """Lines that stand once in each, in the longest series of the same order (patience).

    Of those that follow each other in both, the first.
    """
    once, new_once = _unique(old), _unique(new)
    pairs = sorted((at, new_once[line]) for line, at in once.items() if line in new_once)
    piles: list[int] = []
    back: list[int] = []
    tops: list[int] = []
    for index, (_, new_at) in enumerate(pairs):
        pile = bisect_left(tops, new_at)
        back.append(piles[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [new_at]
        piles[pile : pile + 1] = [index]
    series: list[tuple[int, int]] = []
    index = piles[-1] if piles else -1
    while index >= 0:
        series.append(pairs[index])
        index = back[index]
    known = set(series)
    return [(at, new_at) for at, new_at in series[::-1] if (at - 1, new_at - 1) not in known]


def _unique(lines: Sequence[Line]) -> dict[Line, int]:
    seen: dict[Line, int] = {}
    for at, line in enumerate(lines):
        seen[line] = -1 if line in seen else at
    return {line: at for line, at in seen.items() if at >= 0}
