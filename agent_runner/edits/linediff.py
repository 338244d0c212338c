"""Which lines two texts share, in bounded time.

For diffs, for SEARCH/REPLACE blocks, for files of mixed endings.
"""

import difflib
from collections.abc import Sequence
from typing import TypeVar

from agent_runner.edits.edit import ADD, DROP, KEEP, HunkLine

Line = TypeVar("Line", str, bytes)

Same = tuple[int, int, int]
"""A run of lines that both have: where in the old, where in the new, how many."""

_NEAR = 24
"""In long texts a change of up to so many lines is looked for first."""

_ALIKE = 8
"""So many lines must follow alike after it."""

_SMALL = 40_000
"""Old lines times new lines up to which every pairing is tried."""


def same_runs(old: Sequence[Line], new: Sequence[Line]) -> list[Same]:
    """The runs that stay, in order, not overlapping.

    Not always the most lines, never a wrong one.
    """
    runs: list[Same] = []
    waiting = [(0, len(old), 0, len(new))]
    while waiting:
        low, high, new_low, new_high = waiting.pop()
        head = _common(old, new, low, high, new_low, new_high)
        if head:
            runs.append((low, new_low, head))
            low, new_low = low + head, new_low + head
        tail = _common_tail(old, new, low, high, new_low, new_high)
        if tail:
            high, new_high = high - tail, new_high - tail
            runs.append((high, new_high, tail))
        if low == high or new_low == new_high:
            continue
        if (high - low) * (new_high - new_low) <= _SMALL:
            matcher = difflib.SequenceMatcher(
                None, old[low:high], new[new_low:new_high], autojunk=False
            )
            runs += [
                (low + block.a, new_low + block.b, block.size)
                for block in matcher.get_matching_blocks()
                if block.size
            ]
            continue
        near = _resynced(old, new, low, high, new_low, new_high)
        if near is not None:
            waiting.append((near[0], high, near[1], new_high))
            waiting.append((low, near[0], new_low, near[1]))
            continue
        waiting += _between(
            _anchors(old, new, low, high, new_low, new_high), low, high, new_low, new_high
        )
    return _merged(sorted(runs))


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


def _common(
    old: Sequence[Line], new: Sequence[Line], low: int, high: int, new_low: int, new_high: int
) -> int:
    """How many lines both begin with; whole slices are compared, ever longer ones."""
    most = min(high - low, new_high - new_low)
    size, step = 0, 1
    while size < most:
        step = min(step, most - size)
        start, new_start = low + size, new_low + size
        if old[start : start + step] == new[new_start : new_start + step]:
            size += step
            step *= 2
        elif step == 1:
            break
        else:
            step = max(1, step // 4)
    return size


def _common_tail(
    old: Sequence[Line], new: Sequence[Line], low: int, high: int, new_low: int, new_high: int
) -> int:
    """The same from the end."""
    most = min(high - low, new_high - new_low)
    size, step = 0, 1
    while size < most:
        step = min(step, most - size)
        stop, new_stop = high - size, new_high - size
        if old[stop - step : stop] == new[new_stop - step : new_stop]:
            size += step
            step *= 2
        elif step == 1:
            break
        else:
            step = max(1, step // 4)
    return size


def _resynced(
    old: Sequence[Line], new: Sequence[Line], low: int, high: int, new_low: int, new_high: int
) -> tuple[int, int] | None:
    """Where both go on alike a few lines further on.

    The nearest such place for a change of a few lines.
    """
    for apart in range(1, 2 * _NEAR):
        for gone in range(max(0, apart - _NEAR), min(apart, _NEAR) + 1):
            at, new_at = low + gone, new_low + apart - gone
            if at + _ALIKE > high or new_at + _ALIKE > new_high or old[at] != new[new_at]:
                continue
            if old[at : at + _ALIKE] == new[new_at : new_at + _ALIKE]:
                return at, new_at
    return None


def _anchors(
    old: Sequence[Line], new: Sequence[Line], low: int, high: int, new_low: int, new_high: int
) -> list[tuple[int, int]]:
    """Lines that stand once in each part.

    The longest series of them in the same order (patience).
    """
    once = _unique(old, low, high)
    new_once = _unique(new, new_low, new_high)
    pairs = sorted((at, new_once[line]) for line, at in once.items() if line in new_once)
    piles: list[int] = []
    back: list[int] = []
    tops: list[int] = []
    for index, (_, new_at) in enumerate(pairs):
        pile = _bisect(tops, new_at)
        back.append(piles[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(new_at)
            piles.append(index)
        else:
            tops[pile] = new_at
            piles[pile] = index
    series: list[tuple[int, int]] = []
    index = piles[-1] if piles else -1
    while index >= 0:
        series.append(pairs[index])
        index = back[index]
    return series[::-1]


def _bisect(tops: list[int], value: int) -> int:
    low, high = 0, len(tops)
    while low < high:
        middle = (low + high) // 2
        if tops[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


def _unique(lines: Sequence[Line], low: int, high: int) -> dict[Line, int]:
    seen: dict[Line, int] = {}
    for at in range(low, high):
        line = lines[at]
        seen[line] = -1 if line in seen else at
    return {line: at for line, at in seen.items() if at >= 0}


def _between(
    anchors: list[tuple[int, int]], low: int, high: int, new_low: int, new_high: int
) -> list[tuple[int, int, int, int]]:
    """The parts from anchor to anchor; each begins with its anchor, so that it gets shorter."""
    if not anchors:
        return []
    parts = []
    at, new_at = low, new_low
    for anchor, new_anchor in [*anchors, (high, new_high)]:
        parts.append((at, anchor, new_at, new_anchor))
        at, new_at = anchor, new_anchor
    return parts


def _merged(runs: list[Same]) -> list[Same]:
    merged: list[Same] = []
    for run in runs:
        if merged:
            start, new_start, size = merged[-1]
            if (start + size, new_start + size) == run[:2]:
                merged[-1] = (start, new_start, size + run[2])
                continue
        merged.append(run)
    return merged
