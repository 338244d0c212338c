"""From the text of a reply to what it asks for.

One pass over its lines, every format asked at each.
"""

from collections.abc import Sequence

from attrs import define, evolve, field

from agent_runner.edits.edit import ADD, Alter, Complaint, Edit, Reply
from agent_runner.edits.formats.envelope import Envelope
from agent_runner.edits.formats.requests import Requests
from agent_runner.edits.formats.scan import Format, Found, Scan, complaint, fence_on
from agent_runner.edits.formats.search_replace import SearchReplace
from agent_runner.edits.formats.unified import Unified
from agent_runner.edits.formats.whole_file import WholeFile
from agent_runner.edits.spelling import commented_path

_INNER: tuple[Format, ...] = (Envelope(), SearchReplace(), Unified())
FORMATS: tuple[Format, ...] = (*_INNER, Requests(), WholeFile(_INNER))
"""All formats, asked in this order. A new one is a file in `formats/` and a word here."""


def parse_reply(text: str) -> Reply:
    """Read a model's reply.

    Never raises: what was meant as an edit and cannot be read is a problem.
    """
    scan = Scan([line.removesuffix("\r") for line in text.split("\n")])
    reading = _Reading()
    at = 0
    while at < len(scan):
        if scan.closes(at):
            scan.fence = None
            at += 1
            continue
        form = next((form for form in FORMATS if form.starts(scan, at)), None)
        if form is None:
            at += 1
            continue
        found = form.read(scan, at)
        reading.take(found)
        at = max(_moved(scan, found), at + 1)  # no format can hold the parser up
    if not reading.edits and not reading.problems:
        reading.problems += _hinted(scan)
    return reading.reply()


def parse_diffs(diffs: Sequence[str]) -> Reply:
    """Read unified diffs of files as a program made them: nothing else is looked for in them.

    Never raises: what cannot be read is a problem. A new file keeps its CRLF; in one that exists
    lines keep or take the endings that the file has.
    """
    reading, form = _Reading(), Unified()
    scan = Scan("\n".join(diff.removesuffix("\n") for diff in diffs).split("\n"))
    at = 0
    while at < len(scan):
        if not form.starts(scan, at):
            at += 1
            continue
        found = form.read(scan, at)
        reading.take(evolve(found, edits=tuple(_with_own_endings(edit) for edit in found.edits)))
        scan.floor = at = max(found.end, at + 1)
    if not reading.edits and not reading.problems and any(diff.strip() for diff in diffs):
        nothing = complaint(scan.next_block(0, form.name), "there is no diff in it.", "Send diffs.")
        reading.problems.append(nothing)
    return reading.reply()


def _with_own_endings(edit: Edit) -> Edit:
    """Lines of a file that has CRLF without their CR, as all edits of it are written."""
    if not isinstance(edit, Alter):
        return edit
    old = [text for hunk in edit.hunks for op, text in hunk.lines if op != ADD]
    if not any(text.endswith("\r") for text in old):
        return edit
    hunks = [
        evolve(hunk, lines=tuple((op, text.removesuffix("\r")) for op, text in hunk.lines))
        for hunk in edit.hunks
    ]
    return evolve(edit, hunks=tuple(hunks))


def _moved(scan: Scan, found: Found) -> int:
    """Note what the block leaves behind for those that follow, and say where to go on."""
    if found.inside is not None:
        scan.fence = found.inside
        return found.end
    scan.floor = found.end
    if found.edits:
        scan.last_path = found.edits[-1].path
    return found.end


@define
class _Reading:
    """What was found so far."""

    edits: list[Edit] = field(factory=list)
    commands: list[str] = field(factory=list)
    asks: list[str] = field(factory=list)
    problems: list[Complaint] = field(factory=list)

    def take(self, found: Found) -> None:
        self.edits += found.edits
        self.commands += found.commands
        self.asks += found.asks
        self.problems += found.problems

    def reply(self) -> Reply:
        return Reply(
            tuple(self.edits), tuple(self.commands), tuple(self.asks), tuple(self.problems)
        )


def _hinted(scan: Scan) -> list[Complaint]:
    """Fences whose first line is a comment with a path, in a reply without any edit.

    Files, most likely.
    """
    problems: list[Complaint] = []
    at = 0
    while at < len(scan):
        fence = fence_on(scan.raw[at])
        if fence is None:
            at += 1
            continue
        path = commented_path(scan.raw[at + 1]) if at + 1 < len(scan) else None
        if path is not None:
            wrong = f"only a comment inside of the fence names a file ({path})."
            remedy = "Write the path alone on the line before the fence."
            problems.append(complaint(scan.next_block(at, "whole file"), wrong, remedy))
        at += 1
        while at < len(scan) and not fence.closed_by(scan.raw[at]):
            at += 1
        at += 1
    return problems
