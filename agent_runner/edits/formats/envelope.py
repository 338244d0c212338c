"""The `*** Begin Patch` envelope.

Files added, deleted, updated by hunks without line numbers, and moved.
"""

import re

from attrs import define, field

from agent_runner.edits.edit import (
    ADD,
    DROP,
    KEEP,
    Alter,
    Complaint,
    Delete,
    Edit,
    Hunk,
    HunkLine,
    Move,
    Origin,
    Write,
)
from agent_runner.edits.formats.scan import Found, Scan, complaint, joined

_BEGIN = re.compile(r"^\*\*\* Begin Patch\s*$")
_END = re.compile(r"^\*\*\* End Patch\s*$")
_FILE = re.compile(r"^\*\*\* (Add|Update|Delete) File: *(.*?)\s*$")
_MOVE = re.compile(r"^\*\*\* Move to: *(.*?)\s*$")
_END_OF_FILE = re.compile(r"^\*\*\* End of File\s*$")
_FORM = (
    "Write `*** Begin Patch`, then `*** Add File: PATH` with lines that begin with `+`,"
    " `*** Update File: PATH` with hunks (`@@`, then lines that begin with a space, `-` or `+`)"
    " or `*** Delete File: PATH`, and `*** End Patch`."
)


class Envelope:
    """Reads `*** Begin Patch` ... `*** End Patch`, fenced or not; one block per file in it."""

    name = "Begin Patch"

    def starts(self, scan: Scan, at: int) -> bool:
        """At its first line; also at a file's line that stands outside of an envelope."""
        line = scan.line(at)
        return _BEGIN.match(line) is not None or _FILE.match(line) is not None

    def read(self, scan: Scan, at: int) -> Found:
        """The whole envelope."""
        if not _BEGIN.match(scan.line(at)):
            origin = scan.next_block(at, self.name)
            wrong = f"`{scan.line(at).strip()[:80]}` stands outside of `*** Begin Patch`."
            return Found(at + 1, problems=(complaint(origin, wrong, _FORM),))
        edits: list[Edit] = []
        problems: list[Complaint] = []
        place = at + 1
        while place < len(scan) and not _stops(scan, place):
            if found := _FILE.match(scan.line(place)):
                section = _Section(scan, scan.next_block(place, self.name), found[2])
                place = section.read(found[1], place + 1)
                edits += section.edits
                problems += section.problems
            elif scan.line(place).strip():
                origin = scan.next_block(place, self.name)
                wrong = f"`{scan.line(place).strip()[:80]}` is no line of an envelope."
                problems.append(complaint(origin, wrong, _FORM))
                place = _next_file(scan, place + 1)
            else:
                place += 1
        ended = place < len(scan) and _END.match(scan.line(place)) is not None
        fenced = place < len(scan) and scan.closes(place)
        if not ended and not fenced:
            wrong = "the envelope does not end: no `*** End Patch` follows."
            return Found(place, problems=(complaint(scan.next_block(at, self.name), wrong, _FORM),))
        if not edits and not problems:
            origin = scan.next_block(at, self.name)
            problems.append(complaint(origin, "the envelope is empty.", _FORM))
        return Found(place + ended, tuple(edits), problems=tuple(problems))


def _stops(scan: Scan, at: int) -> bool:
    closes = scan.closes(at) and not scan.line(at).startswith(" ")  # with a space it is context
    return closes or _END.match(scan.line(at)) is not None or _begins_again(scan, at)


def _begins_again(scan: Scan, at: int) -> bool:
    return _BEGIN.match(scan.line(at)) is not None


def _next_file(scan: Scan, at: int) -> int:
    while at < len(scan) and not _stops(scan, at) and not _FILE.match(scan.line(at)):
        at += 1
    return at


@define
class _Section:
    """One file of an envelope."""

    scan: Scan
    origin: Origin
    path: str
    edits: list[Edit] = field(factory=list)
    problems: list[Complaint] = field(factory=list)

    def read(self, verb: str, at: int) -> int:
        end = _next_file(self.scan, at)
        if not self.path:
            self._complain("no path stands after `File:`.")
        elif verb == "Add":
            self._add(at, end)
        elif verb == "Delete":
            self.edits.append(Delete(self.path, self.origin))
        else:
            self._update(at, end)
        return end

    def _complain(self, wrong: str) -> None:
        self.problems.append(complaint(self.origin, wrong, _FORM))

    def _lines(self, at: int, end: int) -> list[str]:
        lines = [self.scan.line(index) for index in range(at, end)]
        while lines and not lines[-1].strip() and not lines[-1].startswith((" ", "+", "-")):
            lines.pop()
        return lines

    def _add(self, at: int, end: int) -> None:
        lines = [line for line in self._lines(at, end) if not _END_OF_FILE.match(line)]
        strange = [line for line in lines if line and not line.startswith("+")]
        if strange:
            self._complain(
                f"the line `{strange[0].strip()[:80]}` of a new file does not begin with `+`."
            )
            return
        self.edits.append(Write(self.path, self.origin, joined([line[1:] for line in lines])))

    def _update(self, at: int, end: int) -> None:
        lines = self._lines(at, end)
        target = None
        if lines and (moved := _MOVE.match(lines[0])):
            target = moved[1]
            lines = lines[1:]
        hunks = self._hunks(lines)
        if hunks is None:
            return
        if not hunks and target is None:
            self._complain(f"`*** Update File: {self.path}` has no hunks.")
            return
        if hunks:
            self.edits.append(Alter(self.path, self.origin, tuple(hunks)))
        if target is not None:
            self.edits.append(Move(self.path, self.origin, target))

    def _hunks(self, lines: list[str]) -> list[Hunk] | None:
        """The hunks in order; None after a complaint.

        Lines of `@@ text` one after another are nested anchors.
        """
        hunks: list[Hunk] = []
        anchors: list[str] = []
        body: list[HunkLine] = []
        at_end = False
        dividing = 0  # blank lines at the end so far that have no space, and so are no context

        def close() -> None:
            nonlocal anchors, body, at_end
            if body:
                kept = body[: len(body) - dividing] or body[:1]
                hunks.append(Hunk(tuple(kept), tuple(anchors), at_end=at_end))
                anchors = []
            body, at_end = [], False

        for line in lines:
            if line.startswith("@@"):
                close()
                text = re.sub(r"^@@(?: -\d[\d,]* \+\d[\d,]* @@)? ?", "", line).removesuffix(" @@")
                anchors += [text] if text.strip() else []
            elif _END_OF_FILE.match(line):
                at_end = True
                close()
            elif line[:1] in {KEEP, DROP, ADD}:
                body.append((line[0], line[1:]))
            elif not line:
                body.append((KEEP, ""))
            elif not line.startswith("\\"):
                self._complain(
                    f"the line `{line.strip()[:80]}` of a hunk begins with none of"
                    " space, `-` and `+`."
                )
                return None
            dividing = 0 if line else dividing + 1
        close()
        return hunks
