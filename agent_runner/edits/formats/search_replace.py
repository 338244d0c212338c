"""SEARCH/REPLACE blocks: text that stands exactly once in a file, and what takes its place."""

import re

from agent_runner.edits.edit import Alter, Hunk, Unreadable, Write
from agent_runner.edits.formats.scan import Found, Scan, indentation, joined, pairs_up
from agent_runner.edits.naming import label_on
from agent_runner.ground.linediff import ADD, hunk_lines

NAME = "SEARCH/REPLACE"
OPEN = re.compile(r"^[ \t]*(<{5,9}) ?(?:SEARCH|ORIGINAL)\b:?(.*)$")
DIVIDE = re.compile(r"^[ \t]*(={5,9})\s*$")
CLOSE = re.compile(r"^[ \t]*(>{5,9}) ?(?:REPLACE|UPDATED)\s*$")
FORM = (
    "Write {path} alone on a line and below it `<<<<<<< SEARCH`, the lines as they stand in the"
    " file, `=======`, the lines that take their place, `>>>>>>> REPLACE`."
)
_FORM = FORM.format(path="the path")
_LONGER = "Use longer markers (up to 9 characters, all three alike) than any such line in the text."


def starts(scan: Scan, at: int) -> bool:
    """At its first marker; also at a last one that has no first one above it."""
    line = scan.raw[at]
    return OPEN.match(line) is not None or CLOSE.match(line) is not None


def read(scan: Scan, at: int) -> Found:
    """One block."""
    origin = scan.next_block(at, NAME)
    opened = OPEN.match(scan.raw[at])
    if opened is None:
        return at + 1, [Unreadable("", origin, "`REPLACE` without a `SEARCH` above it.", _FORM)]
    close, end = _closing(scan, at + 1, len(opened[1]))
    dividers = [] if close is None else _dividers(scan, at + 1, close, len(opened[1]))
    if close is None or len(dividers) != 1:
        wrong = (
            "the block does not end: no `>>>>>>> REPLACE` follows."
            if close is None
            else f"{len(dividers)} lines could be the `=======` that divides it."
            if dividers
            else "no `=======` between SEARCH and REPLACE."
        )
        return end, [Unreadable("", origin, wrong, _LONGER if dividers else _FORM)]
    deep = indentation(scan.raw[at])
    if all(indentation(line) >= deep for line in scan.raw[at:close] if line.strip()):
        scan.indent = deep  # the reply's, not the file's
    search = [scan.line(index) for index in range(at + 1, dividers[0])]
    replace = [scan.line(index) for index in range(dividers[0] + 1, close)]
    if _is_torn(search, replace):
        wrong = "its new text opens or closes a fence, and does not do both."
        remedy = "Keep the fence around the block out of it; if it is meant, send the whole file."
        return end, [Unreadable("", origin, wrong, remedy)]
    path, wrong = _path(scan, at, opened[2], search)
    if wrong:
        return end, [Unreadable("", origin, wrong, _FORM)]
    if any(line.strip() for line in search):
        return end, [Alter(path, origin, (Hunk(hunk_lines(search, replace)),))]
    return end, [Write(path, origin, joined(replace), new=True)]


def _is_torn(search: list[str], replace: list[str]) -> bool:
    """Whether a fence in the new text is perhaps the end of the one around it, or of an example.

    Where the old text has as many of each kind, they are the file's.
    """
    kinds = [
        _fences(replace, words=words) - _fences(search, words=words) for words in (True, False)
    ]
    more, new = sum(kinds), [text for op, text in hunk_lines(search, replace) if op == ADD]
    return bool(more % 2 or (more == 0 and any(kinds))) or (more > 0 and not pairs_up(new))


def _fences(lines: list[str], *, words: bool) -> int:
    fences = (line.strip() for line in lines if line.lstrip().startswith(("```", "~~~")))
    return sum(bool(line.strip("`~")) == words for line in fences)


def _path(scan: Scan, at: int, behind: str, search: list[str]) -> tuple[str, str]:
    """The block's path, taken out of the search if it stands there; else why there is none."""
    label = label_on(behind)
    path = label.path if label is not None else scan.path_for(at)
    if path is not None:
        return path, ""
    first = label_on(search[0]) if len(search) > 1 and scan.last_path is None else None
    if first is not None and first.sure:
        del search[0]
        return first.path, ""
    others = scan.mentioned_for(at) - {scan.last_path}
    if scan.last_path is not None and not others:
        return scan.last_path, ""
    if len(others) == 1 and (scan.last_path is None or others == {scan.title_for(at)}):
        return others.pop(), ""
    if not others:
        return "", "no path says which file is meant."
    named = ", ".join(f"`{other}`" for other in sorted(others)[:3])
    return "", f"it is unclear which file is meant: the lines above name {named}."


def _closing(scan: Scan, start: int, marks: int) -> tuple[int | None, int]:
    """The line of the closing marker, and where to go on; one as long as the first is preferred."""
    other = None
    for at in range(start, len(scan)):
        closed, opened = CLOSE.match(scan.raw[at]), OPEN.match(scan.raw[at])
        if closed and len(closed[1]) == marks:
            return at, at + 1
        if closed and other is None:
            other = at
        if opened and len(opened[1]) == marks:
            return (None, at) if other is None else (other, other + 1)
    return (None, len(scan)) if other is None else (other, other + 1)


def _dividers(scan: Scan, start: int, close: int, marks: int) -> list[int]:
    """Lines that can divide the block: those as long as its markers, if there are any."""
    found = [(at, match) for at in range(start, close) if (match := DIVIDE.match(scan.raw[at]))]
    return [at for at, m in found if len(m[1]) == marks] or [at for at, _ in found]
