"""Hunks, as diffs and envelopes have them: lines that begin with a space, `-` or `+` below `@@`.

Counts may be wrong, and blank lines may have lost their space; a line that has lost its mark is
never taken for another.
"""

import re
from collections.abc import Callable
from itertools import pairwise

from attrs import evolve, frozen

from agent_runner.edits.edit import Hunk
from agent_runner.edits.formats.scan import Scan
from agent_runner.ground.linediff import ADD, DROP, KEEP, HunkLine

_HEADER = re.compile(
    r"^@@+(?: -(\d{1,9})(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@+)? ?(.*?)(?: @@)?$"
)
_NO_TEXT = re.compile(r"[-+\d,.\s\u2026@]*")
_LOST = re.compile(r"^(?:[+-](?:[^\s+-]|$| {2,}\S)| \S| {5})")
"""A line that goes on with a hunk, rather than an item of a list."""

_END_OF_FILE = re.compile(r"^\*\*\* End of File\s*$")
_NO_NEWLINE = "\\ "
_AHEAD = 12

Stops = Callable[[Scan, int], bool]
"""Whether the line is where the hunks of a file end, whatever it begins with."""


@frozen
class ReadHunk:
    """A hunk, the first line after it, and what is wrong with it ("" for nothing)."""

    hunk: Hunk
    end: int
    wrong: str = ""


def read_hunk(scan: Scan, at: int, stops: Stops) -> ReadHunk:
    """The hunk that begins at this line, with `@@` (several are nested) or with its first line."""
    head = _head(scan, at)
    anchors, start, counts = head.anchors, head.end, head.counts
    raw, size = _body(scan, start, counts, stops)
    is_counted = size is not None and _ends(raw[size:], fenced=scan.fence is not None)
    size = size if size is not None and is_counted else _without_blanks(raw)
    lines, newline = _read(raw[:size])
    number = head.first if is_counted else None
    hunk = Hunk(tuple(lines), anchors, head.heading, number, newline_at_end=newline)
    end, stop = start + size, start + len(raw)
    sizes = (len(hunk.before), len(hunk.after))
    said = sizes if counts is None or is_counted else counts
    is_short = any(size < most for size, most in zip(sizes, said, strict=True))
    is_long = any(size > most for size, most in zip(sizes, said, strict=True))
    where = f"the hunk at line {at + 1} of the reply"
    doubts = (
        (hunk.changes_nothing, f"{where} has no line that begins with `-` or `+`."),
        (_repeats(anchors), f"{where} names the same line twice after `@@`."),
        (
            not any(map(str.strip, hunk.kept)) and (is_long or _is_mixed(hunk)),
            f"{where} may be two: write `@@` above each, and some unchanged lines.",
        ),
        (
            is_long and _doubles(hunk),
            f"{where} is longer than it says, and a line that comes stands in it twice.",
        ),
        (
            is_short and scan.fence is None and stop >= len(scan),
            f"{where} is shorter than it says: perhaps it is cut off.",  # nothing else ends it
        ),
        (
            not is_counted and _cut(scan, stop, raw, stops),
            f"a hunk ends early: line {stop + 1} begins with none of space, `-` and `+`.",
        ),
    )
    wrong = next((text for is_so, text in doubts if is_so), "")
    if _END_OF_FILE.match(scan.line(stop)):
        hunk, end = evolve(hunk, at_end=True), stop + 1
    return ReadHunk(hunk, end, wrong)


@frozen
class _Head:
    """What the `@@` lines of a hunk say, and the first line below them."""

    end: int
    anchors: tuple[str, ...]
    heading: str = ""
    first: int | None = None
    counts: tuple[int, int] | None = None


def _head(scan: Scan, at: int) -> _Head:
    anchors: list[str] = []
    while (header := _HEADER.match(scan.line(at))) is not None:
        text = "" if _NO_TEXT.fullmatch(header[4]) else header[4]
        at += 1
        if header[1] is not None:
            counts = (int(header[2] or 1), int(header[3] or 1))
            return _Head(at, tuple(anchors), text, int(header[1]), counts)
        anchors += [text] if text else []
    return _Head(at, tuple(anchors))


def _repeats(anchors: tuple[str, ...]) -> bool:
    return len(set(map(str.strip, anchors))) < len(anchors)


def _is_mixed(hunk: Hunk) -> bool:
    """Whether a line comes above one that goes, as where the `@@` between two hunks is lost."""
    ops = "".join(op for op, text in hunk.lines if op != KEEP or text.strip())
    return ops.startswith(ADD) and DROP in ops


def _doubles(hunk: Hunk) -> bool:
    """Whether a line that comes is followed by the same one, which may be a slip."""
    return any(a == b and a[0] == ADD and a[1].strip() for a, b in pairwise(hunk.lines))


def _body(
    scan: Scan, start: int, counts: tuple[int, int] | None, stops: Stops
) -> tuple[list[str], int | None]:
    """All lines that can belong to the hunk; while its counts last, whatever they look like.

    Also how many of them use the counts up; None where no number of lines does.
    """
    old, new = counts or (-1, -1)
    body: list[str] = []
    size: int | None = None
    for at in range(start, len(scan) + 1):
        line = scan.line(at)
        is_note = line.startswith(_NO_NEWLINE)
        if old == new == 0 and size is None and not is_note:
            size = len(body)
        is_own = not line or is_note or line.startswith((KEEP, DROP, ADD))
        if at == len(scan) or not is_own or ((old <= 0 or new <= 0) and stops(scan, at)):
            break
        old -= line[:1] != ADD and not is_note
        new -= line[:1] != DROP and not is_note
        body.append(line)
    return body, size


def _ends(rest: list[str], *, fenced: bool) -> bool:
    """Whether the header's counts can be believed, by the lines that they leave over.

    Only blank ones are, or (outside of a fence, where prose may follow) a blank one comes next, and
    none that goes on with a hunk.
    """
    if rest[:1] != [] and rest[0].rstrip() == "--":  # as `git format-patch` ends
        return True
    is_apart = not fenced and not any(map(_LOST.match, rest)) and not "".join(rest[:1]).strip()
    return is_apart or not any(map(str.strip, rest))


def _without_blanks(raw: list[str]) -> int:
    """How many lines there are without bare ones at the end; with its space one is context."""
    return next((at + 1 for at in reversed(range(len(raw))) if raw[at]), 0)


def _cut(scan: Scan, stop: int, raw: list[str], stops: Stops) -> bool:
    """Whether the hunk perhaps goes on below `stop`, the first line that is not its own.

    Below a fence that is closed only the next line is asked: all else is what follows the diff.
    """
    is_closed = scan.closes(stop)
    is_apart = is_closed or (bool(raw) and not raw[-1])
    for below in range(stop + is_closed, min(len(scan), stop + _AHEAD)):
        line = scan.line(below)
        is_fence = line.startswith(("```", "~~~")) and (is_apart or below > stop)
        if is_closed and below == stop + 1 and is_fence and not line.strip("`~ "):
            return True  # one of the two is a line of the hunk
        if is_fence or line.startswith(("@@", "<<<<<", "*** ")) or stops(scan, below):
            return False
        if _LOST.match(line) or (line.strip() and not is_apart):
            return True
        if line.strip() and is_closed:
            return False
    return False


def _read(raw: list[str]) -> tuple[list[HunkLine], bool | None]:
    """The lines, and what the marks of a missing final newline ask: to lose it, to get it, nothing.

    Where both sides lack it, nothing is asked.
    """
    lines: list[HunkLine] = []
    bare: set[str] = set()
    for line in raw:
        if line.startswith(_NO_NEWLINE):
            last = lines[-1][0] if lines else KEEP
            bare |= {DROP, ADD} if last == KEEP else {last}
        else:
            lines.append((line[:1] or KEEP, line[1:]))
    return lines, {frozenset(DROP): True, frozenset(ADD): False}.get(frozenset(bare))
