"""Hunks, as diffs and envelopes have them: lines that begin with a space, `-` or `+` below `@@`.

Counts may be wrong, and blank lines may have lost their space; a line that has lost its mark is
never taken for another.
"""

import re
from collections.abc import Callable

from attrs import evolve, frozen

from agent_runner.edits.edit import ADD, DROP, KEEP, Hunk, HunkLine
from agent_runner.edits.formats.scan import Scan

_HEADER = re.compile(
    r"^@@+(?: -(\d{1,9})(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@+)? ?(.*?)(?: @@)?$"
)
_NO_TEXT = re.compile(r"[-+\d,.\s\u2026@]*")
_LOST = re.compile(r"^(?:[+-](?:[^\s+-]| {2,}\S)| \S| {5})")
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
    anchors: list[str] = []
    start, heading, counts, first = at, "", None, None
    while (header := _HEADER.match(scan.line(start))) is not None and not stops(scan, start):
        text = "" if _NO_TEXT.fullmatch(header[4]) else header[4]
        start += 1
        if header[1] is None:
            anchors += [text] if text else []
            continue
        first, heading = int(header[1]), text
        counts = (int(header[2] or 1), int(header[3] or 1))
        break
    raw = _body(scan, start, counts, stops)
    size, is_counted = _size(raw, counts, fenced=scan.fence is not None)
    lines, newline = _read(raw[:size])
    hunk = Hunk(tuple(lines), tuple(anchors), heading, newline_at_end=newline)
    hunk = evolve(hunk, start=first if is_counted else None)
    end, stop = start + size, start + len(raw)
    where = f"the hunk at line {at + 1} of the reply"
    doubts = (
        (hunk.changes_nothing, f"{where} has no line that begins with `-` or `+`."),
        (_repeats(anchors), f"{where} names the same line twice after `@@`."),
        (
            counts and not is_counted and _goes_on(raw[:size], counts),
            f"{where} goes on below its last line.",
        ),
        (
            counts and scan.fence is None and stop >= len(scan) and _is_short(raw[:size], counts),
            f"{where} is shorter than it says: perhaps it is cut off.",  # nothing else ends it
        ),
    )
    wrong = next((text for is_so, text in doubts if is_so), "")
    if not wrong and not is_counted and (scan.fence is None or scan.closes(stop)):
        wrong = _cut(scan, stop + scan.closes(stop), raw, stops)  # else what is left over is found
    if _END_OF_FILE.match(scan.line(stop)):
        hunk, end = evolve(hunk, at_end=True), stop + 1
    return ReadHunk(hunk, end, wrong)


def _repeats(anchors: list[str]) -> bool:
    return len(set(map(str.strip, anchors))) < len(anchors)


def _counted(line: str) -> tuple[int, int]:
    """How many old and new lines this one is."""
    is_note = line.startswith(_NO_NEWLINE)
    return line[:1] != ADD and not is_note, line[:1] != DROP and not is_note


def _is_short(raw: list[str], counts: tuple[int, int]) -> bool:
    """Whether there are fewer lines than the header says; blank ones at the end do not count."""
    bare = next((at for at, line in enumerate(raw[::-1]) if line), len(raw))
    sizes = zip(*map(_counted, raw[: len(raw) - bare]), strict=True)
    return any(sum(size) < count for size, count in zip(sizes, counts, strict=False)) or not raw


def _goes_on(raw: list[str], counts: tuple[int, int]) -> bool:
    """Whether the lines are perhaps those of two hunks, the second one's header being lost.

    The first one ends where its header says, and only one of the two quotes lines of the file:
    then nothing shows that the other belongs to the same place.
    """
    old, new = counts
    for at, line in enumerate(raw):
        if old == new == 0:
            return _is_new(raw[:at]) != _is_new(raw[at:])
        gone, come = _counted(line)
        old, new = old - gone, new - come
    return False


def _is_new(raw: list[str]) -> bool:
    return all(line.startswith((ADD, _NO_NEWLINE)) for line in raw)


def _cut(scan: Scan, stop: int, raw: list[str], stops: Stops) -> str:
    """Signs that the hunk goes on below `stop`, the first line that is not its own."""
    is_apart = bool(raw) and not raw[-1]
    for below in range(stop, min(len(scan), stop + _AHEAD)):
        line = scan.line(below)
        is_fence = line.startswith(("```", "~~~")) and (is_apart or below > stop)
        if is_fence or line.startswith(("@@", "<<<<<", "*** ")) or stops(scan, below):
            return ""
        if _LOST.match(line) or (line.strip() and not is_apart):
            return f"a hunk ends early: line {stop + 1} begins with none of space, `-` and `+`."
    return ""


def _body(scan: Scan, start: int, counts: tuple[int, int] | None, stops: Stops) -> list[str]:
    """All lines that can belong to the hunk; while its counts last, whatever they look like."""
    old, new = counts or (0, 0)
    body: list[str] = []
    for at in range(start, len(scan)):
        line = scan.line(at)
        if line and not line.startswith((KEEP, DROP, ADD, _NO_NEWLINE)):
            break
        if (old <= 0 or new <= 0) and stops(scan, at):
            break
        gone, come = _counted(line)
        old, new = old - gone, new - come
        body.append(line)
    return body


def _size(raw: list[str], counts: tuple[int, int] | None, *, fenced: bool) -> tuple[int, bool]:
    """How many of the lines are the hunk's, and whether that is what its header says.

    The header is believed where only blank lines are left over, or (outside of a fence, where prose
    may follow) where a blank line comes next, and none that goes on with a hunk.
    """
    old, new = counts or (-1, -1)
    for at, line in enumerate([*raw, ""]):
        if old == 0 and new == 0 and not line.startswith(_NO_NEWLINE):
            rest = raw[at:]
            is_signed = rest[:1] != [] and rest[0].rstrip() == "--"  # as `git format-patch` ends
            if is_signed or not any(map(str.strip, rest)):
                return at, True
            if not fenced and not rest[0].strip() and not any(map(_LOST.match, rest)):
                return at, True
            break
        gone, come = _counted(line)
        old, new = old - gone, new - come
    end = len(raw)
    while end and not raw[end - 1]:  # with its space a blank line is context
        end -= 1
    return end, False


def _read(raw: list[str]) -> tuple[list[HunkLine], bool | None]:
    """The lines, and what the marks of a missing final newline ask: to lose it, to get it, nothing.

    Where both sides lack it, nothing is asked; but a file that is all new shall lack it too.
    """
    lines: list[HunkLine] = []
    bare: set[str] = set()
    for line in raw:
        if line.startswith(_NO_NEWLINE):
            last = lines[-1][0] if lines else KEEP
            bare |= {DROP, ADD} if last == KEEP else {last}
        else:
            lines.append((line[:1] or KEEP, line[1:]))
    is_new = all(op == ADD for op, _ in lines)
    asked = {frozenset(DROP): True, frozenset(ADD): False}.get(frozenset(bare))
    return lines, False if is_new and ADD in bare else asked
