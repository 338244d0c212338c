"""SEARCH/REPLACE blocks.

The text to be found exactly once in a file, and the text that takes its place.
"""

import re

from agent_runner.edits.edit import Alter, Create, Edit, Hunk
from agent_runner.edits.formats.scan import Found, Scan, complaint, joined
from agent_runner.edits.linediff import hunk_lines
from agent_runner.edits.spelling import path_on_line

_OPEN = re.compile(r"^ {0,3}(<{5,9}) ?(?:SEARCH|ORIGINAL)\b:?(.*)$")
_DIVIDE = re.compile(r"^ {0,3}(={5,9})\s*$")
_CLOSE = re.compile(r"^ {0,3}(>{5,9}) ?(?:REPLACE|UPDATED)\s*$")
_FORM = (
    "Write it as: the path alone on a line, then `<<<<<<< SEARCH`, the lines as they stand"
    " in the file, `=======`, the lines that take their place, `>>>>>>> REPLACE`."
)


class SearchReplace:
    """Reads `<<<<<<< SEARCH` ... `=======` ... `>>>>>>> REPLACE`, fenced or not."""

    name = "SEARCH/REPLACE"

    def starts(self, scan: Scan, at: int) -> bool:
        """At its first marker; also at a last one that has no first one above it."""
        line = scan.line(at)
        return _OPEN.match(line) is not None or _CLOSE.match(line) is not None

    def read(self, scan: Scan, at: int) -> Found:
        """One block."""
        origin = scan.next_block(at, self.name)
        opened = _OPEN.match(scan.line(at))
        if opened is None:
            problem = complaint(origin, "`REPLACE` without a `SEARCH` above it.", _FORM)
            return Found(at + 1, problems=(problem,))
        marks = len(opened[1])
        close, end = _closing(scan, at + 1, marks)
        if close is None:
            wrong = "the block does not end: no `>>>>>>> REPLACE` follows."
            return Found(end, problems=(complaint(origin, wrong, _FORM),))
        dividers = _dividers(scan, at + 1, close, marks)
        if len(dividers) != 1:
            wrong = (
                "no `=======` between SEARCH and REPLACE."
                if not dividers
                else f"{len(dividers)} lines could be the `=======` that divides it."
            )
            remedy = (
                _FORM
                if not dividers
                else "Use longer markers (up to 9 characters, all three alike)"
                " than any such line in the text."
            )
            return Found(end, problems=(complaint(origin, wrong, remedy),))
        path = path_on_line(opened[2]) or scan.path_above(at) or scan.name_above(at)
        body = [scan.line(index) for index in range(at + 1, close)]
        split = dividers[0] - at - 1
        search, replace = body[:split], body[split + 1 :]
        if path is None:
            search, path = _path_inside(search, scan.last_path)
        if path is None:
            problem = complaint(origin, "no path says which file is meant.", _FORM)
            return Found(end, problems=(problem,))
        edit: Edit
        if any(line.strip() for line in search):
            edit = Alter(path, origin, (Hunk(hunk_lines(search, replace)),))
        else:
            edit = Create(path, origin, joined(replace))
        return Found(end, (edit,))


def _closing(scan: Scan, start: int, marks: int) -> tuple[int | None, int]:
    """The line of the closing marker, and where to go on; one as long as the first is preferred."""
    other = None
    for at in range(start, len(scan)):
        line = scan.line(at)
        closed = _CLOSE.match(line)
        if closed and len(closed[1]) == marks:
            return at, at + 1
        if closed and other is None:
            other = at
        opened = _OPEN.match(line)
        if opened and len(opened[1]) == marks:
            return (other, other + 1) if other is not None else (None, at)
    if other is not None:
        return other, other + 1
    return None, len(scan)


def _dividers(scan: Scan, start: int, close: int, marks: int) -> list[int]:
    """Lines that can divide the block: those as long as its markers, if there are any."""
    found = [(at, match) for at in range(start, close) if (match := _DIVIDE.match(scan.line(at)))]
    alike = [at for at, match in found if len(match[1]) == marks]
    return alike or [at for at, _ in found]


def _path_inside(search: list[str], last: str | None) -> tuple[list[str], str | None]:
    """A path on the first line below the marker, else that of the block before."""
    if last is None and search and (path := path_on_line(search[0])):
        return search[1:], path
    return search, last
