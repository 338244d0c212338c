"""How a hunk's lines fit lines of a file that say the same, though blanks or signs may differ."""

from attrs import frozen

from agent_runner.edits.anchors import indent_of
from agent_runner.edits.edit import Hunk
from agent_runner.ground.linediff import ADD, DROP, KEEP, HunkLine

_OPENERS = (":", "{", "(", "[", "=>", " do", " then")
_ALTERED = (
    "a line that is replaced has other dashes, quotes or spaces in the file; copy it from there,"
    " letter by letter"
)
_LACKS_BLANK = "its lines lack one blank; perhaps one of them has lost the mark before it"
_LACKS_INDENT = "its lines have lost their indentation; write them as they stand in the file"


@frozen
class Place:
    """Where a hunk fits: its first line (from 0), and its lines, made to fit.

    `exact`: those that must be there stand as quoted; `moved`: deeper, or less deep. `doubt`: what
    speaks against the place even if it is the only one.
    """

    start: int
    lines: tuple[HunkLine, ...]
    exact: bool = True
    moved: bool = False
    doubt: str = ""


def fit(hunk: Hunk, at: int, there: list[str]) -> Place | None:
    """The hunk at a line of the file, whose lines differ from its own in nothing that is seen.

    None where their indentations differ from line to line.
    """
    filled = [line for line in hunk.before if line.strip()]
    is_flat = not any(map(indent_of, filled))
    change = _indent_change(hunk.before, there)
    lines = None if change is None else _reindented(hunk.lines, *change)
    if lines is None or change is None:  # perhaps all of its indentation is lost
        return Place(at, hunk.lines, exact=False, doubt=_LACKS_INDENT) if is_flat else None
    is_lost = any(change) and (_is_torn(hunk) if is_flat else len(filled) == 1)
    doubts = (
        (change == ("", " "), _LACKS_BLANK),
        (_alters(hunk, there), _ALTERED),
        (is_lost, _LACKS_INDENT),
    )
    doubt = next((text for is_so, text in doubts if is_so), "")
    return Place(at, lines, there == hunk.before, any(change), doubt)


def _indent_change(needle: list[str], there: list[str]) -> tuple[str, str] | None:
    """The blanks to take from, and to put before, each line; None where that is not uniform."""
    changes: set[tuple[str, str]] = set()
    for wanted, found in zip(needle, there, strict=True):
        ours, theirs = indent_of(wanted), indent_of(found)
        if not wanted.strip():
            continue
        if theirs.endswith(ours):
            changes.add(("", theirs[: len(theirs) - len(ours)]))
        elif ours.endswith(theirs):
            changes.add((ours[: len(ours) - len(theirs)], ""))
        else:
            return None
    return changes.pop() if len(changes) == 1 else None


def _reindented(lines: tuple[HunkLine, ...], take: str, give: str) -> tuple[HunkLine, ...] | None:
    """The lines with those that come moved as well; None where one cannot be."""
    is_new = [op == ADD and bool(text.strip()) for op, text in lines]
    if not all(text.startswith(take) for (_, text), new in zip(lines, is_new, strict=True) if new):
        return None
    return tuple(
        (op, give + text.removeprefix(take)) if new else (op, text)
        for (op, text), new in zip(lines, is_new, strict=True)
    )


def _is_torn(hunk: Hunk) -> bool:
    """Whether a block without any indentation brings more lines than it takes, or opens a part.

    How deep they belong is lost, where a line that takes another's place stands as deep as that.
    """
    if any(map(indent_of, filter(str.strip, hunk.added))):
        return False
    spare = 0
    for op, text in hunk.lines:
        spare = 0 if op == KEEP else spare + (bool(text.strip()) if op == DROP else -1)
        if spare < 0:
            return True
    opens = any(line.rstrip().endswith(_OPENERS) for line in (*hunk.before, *hunk.added))
    return opens or hunk.changes_nothing  # of a new depth nothing is left


def _alters(hunk: Hunk, there: list[str]) -> bool:
    """Whether a line that is replaced stands in the file in characters that only look alike."""
    ops = [(op, text) for op, text in hunk.lines if op != ADD]
    gone = [(text, found) for (op, text), found in zip(ops, there, strict=True) if op == DROP]
    return bool(hunk.added) and any(text.strip() != found.strip() for text, found in gone)
