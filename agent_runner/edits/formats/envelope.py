"""The `*** Begin Patch` envelope: files added, deleted, moved, updated by hunks without numbers."""

import re

from agent_runner.edits.edit import Alter, Delete, Edit, Hunk, Move, Origin, Unreadable, Write
from agent_runner.edits.formats.hunks import read_hunk
from agent_runner.edits.formats.scan import Found, Scan, indentation, joined

_BEGIN = "*** Begin Patch"
_END = "*** End Patch"
_FILE = re.compile(r"^\*\*\* (Add|Update|Delete) File: *`?(.*?)`?\s*$")
_MOVE = re.compile(r"^\*\*\* Move to: *`?(.*?)`?\s*$")
_FORM = (
    "Write `*** Begin Patch`, then `*** Add File: PATH` with lines that begin with `+`,"
    " `*** Update File: PATH` with hunks (`@@`, then lines that begin with a space, `-` or `+`)"
    " or `*** Delete File: PATH`, and `*** End Patch`."
)


def starts(scan: Scan, at: int) -> bool:
    """At its first line; also at a file's line that stands outside of an envelope."""
    return begins(scan.raw[at])


def begins(line: str) -> bool:
    """Whether a block begins with the line."""
    return line.strip() == _BEGIN or _FILE.match(line.strip()) is not None


def read(scan: Scan, at: int) -> Found:
    """The whole envelope."""
    if scan.raw[at].strip() != _BEGIN:
        wrong = f"`{scan.raw[at].strip()[:80]}` stands outside of `*** Begin Patch`."
        return at + 1, [Unreadable("", scan.next_block(at, "Begin Patch"), wrong, _FORM)]
    end, is_ended = _end(scan, at)
    edits: list[Edit] = []
    place = at + 1
    while place < end:
        line = scan.line(place)
        found = _FILE.match(line if edits else line.strip())
        below = _next_file(scan, place + 1, end) if line.strip() else place + 1
        if found:
            edits += _section(scan, scan.next_block(place, "Begin Patch"), found, place + 1, below)
        elif line.strip():
            wrong = f"`{line.strip()[:80]}` is no line of an envelope."
            edits.append(Unreadable("", scan.next_block(place, "Begin Patch"), wrong, _FORM))
        place = below
    if not is_ended and not scan.closes(end):
        wrong = "the envelope does not end: no `*** End Patch` follows."
        return end, [Unreadable("", scan.next_block(at, "Begin Patch"), wrong, _FORM)]
    if not edits:
        origin = scan.next_block(at, "Begin Patch")
        edits.append(Unreadable("", origin, "the envelope is empty.", _FORM))
    return end + is_ended, edits


def _end(scan: Scan, at: int) -> tuple[int, bool]:
    """The line after the envelope's last one, and whether that is `*** End Patch`.

    An indented one ends it too, but only if no better one follows: it may be a line of a file.
    """
    deep, stop = indentation(scan.raw[at]), at + 1
    while stop < len(scan) and scan.raw[stop].strip() != _END:
        stop += 1
    if all(indentation(line) >= deep for line in scan.raw[at:stop] if line.strip()):
        scan.indent = deep
    place = at + 1
    while place < len(scan) and scan.line(place).rstrip() not in {_BEGIN, _END}:
        if scan.closes(place) and not scan.line(place).startswith(" "):
            break
        place += 1
    if scan.line(place).rstrip() == _END:
        return place, True
    return (stop, True) if stop < place else (place, False)


def _next_file(scan: Scan, at: int, end: int) -> int:
    while at < end and not _FILE.match(scan.line(at)):
        at += 1
    return at


def _section(scan: Scan, origin: Origin, head: re.Match[str], at: int, end: int) -> list[Edit]:
    """What one file's lines, from `at` to before `end`, ask for."""
    verb, path = head.groups()
    lines = [scan.line(index) for index in range(at, end)]
    while lines and not lines[-1].strip() and not lines[-1].startswith((" ", "+", "-")):
        lines.pop()
    made: list[Edit] = []
    wrong = "" if path else "no path stands after `File:`."
    if verb == "Add":
        strange = next((line for line in lines if line and line[0] not in "+*"), None)
        text = joined([line[1:] for line in lines if line != "*** End of File"])
        made.append(Write(path, origin, text))
        if strange is not None:
            wrong = f"the line `{strange.strip()[:80]}` of a new file does not begin with `+`."
    elif verb == "Delete":
        made.append(Delete(path, origin))
        wrong = f"`{head[0]}` is followed by lines." if any(map(str.strip, lines)) else wrong
    else:
        moved = _MOVE.match(lines[0]) if lines else None
        hunks, strange_hunk = _hunks(scan, at + (moved is not None), at + len(lines))
        made += [Alter(path, origin, tuple(hunks))] if hunks else []
        made += [Move(path, origin, moved[1], replaces=True)] if moved else []
        wrong = wrong or strange_hunk or ("" if made else f"`{head[0]}` has no hunks.")
    return [Unreadable(path, origin, wrong, _FORM)] if wrong else made


def _hunks(scan: Scan, at: int, end: int) -> tuple[list[Hunk], str]:
    """The hunks up to the line `end`, and what is wrong with them."""
    hunks: list[Hunk] = []

    def stops(_scan: Scan, place: int) -> bool:
        return place >= end

    while at < end:
        line = scan.line(at)
        if line.strip() and line[0] not in " +-@":
            return hunks, f"the line `{line.strip()[:80]}` begins with none of space, `-` and `+`."
        if line.strip():
            read = read_hunk(scan, at, stops)
            if not read.hunk.lines:
                return hunks, f"no lines follow `{line.strip()[:80]}`."
            if read.wrong:
                return hunks, read.wrong
            hunks.append(read.hunk)
            at = read.end
        else:
            at += 1
    return hunks, ""
