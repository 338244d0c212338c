"""Hunks of unified diffs, read with tolerance.

Counts that are wrong, blank lines that lost their space.
"""

import re
from collections.abc import Callable

from agent_runner.edits.edit import ADD, DROP, KEEP, Hunk, HunkLine
from agent_runner.edits.formats.scan import Scan

_HEADER = re.compile(r"^@@+ -(\d{1,9})(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@+ ?(.*)$")
_NO_NEWLINE = "\\"


def read_hunk(
    scan: Scan, at: int, is_header: Callable[[Scan, int], bool]
) -> tuple[Hunk | None, int]:
    """The hunk whose header stands at `at`, and the first line after it.

    None if it has no lines.
    """
    header = _HEADER.match(scan.line(at))
    counts = (int(header[2] or 1), int(header[3] or 1)) if header else None
    raw = _body(scan, at + 1, counts, is_header)
    size, counted = _size(raw, counts, fenced=scan.fence is not None)
    taken = raw[:size]
    if not taken:
        return None, at + 1 + len(raw)
    lines, newline = _read(taken)
    anchor = header[4] if header else scan.line(at).strip("@")
    hunk = Hunk(
        tuple(lines),
        (anchor,) if anchor.strip() and not re.fullmatch(r"[-+\d,.\s]*", anchor) else (),
        start=int(header[1]) if header else None,
        counted=counted,
        newline_at_end=newline,
    )
    return hunk, at + 1 + size


def _body(
    scan: Scan,
    start: int,
    counts: tuple[int, int] | None,
    is_header: Callable[[Scan, int], bool],
) -> list[str]:
    """All lines that can belong to the hunk.

    While its counts are not used up, whatever they look like.
    """
    old, new = counts or (0, 0)
    body: list[str] = []
    at = start
    while at < len(scan):
        line = scan.line(at)
        if line[:1] not in {KEEP, DROP, ADD, _NO_NEWLINE, ""} or line.startswith("@@"):
            break
        if not line and scan.closes(at):
            break
        if (old <= 0 or new <= 0) and is_header(scan, at):
            break
        old -= line[:1] not in {ADD, _NO_NEWLINE}
        new -= line[:1] not in {DROP, _NO_NEWLINE}
        body.append(line)
        at += 1
    return body


def _size(raw: list[str], counts: tuple[int, int] | None, *, fenced: bool) -> tuple[int, bool]:
    """How many of the lines are the hunk's, and whether that is what its header says.

    The header is believed where only blank lines are left over, or (outside of a fence, where prose
    may follow) where a blank line comes next.
    """
    end = len(raw)
    if counts is not None:
        exact = _counted_to(raw, counts)
        if exact is not None:
            rest = raw[exact:]
            if not any(line.strip() for line in rest) or (not fenced and not rest[0].strip()):
                return exact, True
    while end and not raw[end - 1].strip():
        end -= 1
    return end, False


def _counted_to(raw: list[str], counts: tuple[int, int]) -> int | None:
    old, new = counts
    for at, line in enumerate(raw):
        if old == 0 and new == 0 and not line.startswith(_NO_NEWLINE):
            return at
        old -= line[:1] not in {ADD, _NO_NEWLINE}
        new -= line[:1] not in {DROP, _NO_NEWLINE}
        if old < 0 or new < 0:
            return None
    return len(raw) if old == 0 and new == 0 else None


def _read(raw: list[str]) -> tuple[list[HunkLine], bool | None]:
    """The lines, and what the marks of a missing final newline ask.

    False to lose it, True to get it.
    """
    lines: list[HunkLine] = []
    bare_before = bare_after = False
    for line in raw:
        if line.startswith(_NO_NEWLINE):
            last = lines[-1][0] if lines else KEEP
            bare_before |= last != ADD
            bare_after |= last != DROP
        else:
            lines.append((line[:1] or KEEP, line[1:]))
    if bare_before == bare_after:
        return lines, None if not bare_after else _kept_bare(lines)
    return lines, not bare_after


def _kept_bare(lines: list[HunkLine]) -> bool | None:
    """Both sides lack it: nothing is asked, but a file that is all new shall lack it too."""
    return False if all(op == ADD for op, _ in lines) else None
