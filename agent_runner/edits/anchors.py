"""Where a place stands in a file: below the lines that a hunk names, and in no other part.

Envelopes name lines after `@@` and mean them: each has to be found, in order, above the place.
Diffs name one too, but programs and models choose it by rules of their own: it is only doubt, and
only if it stands in the file and not where it should.
"""

import re
from itertools import pairwise

_SECTION = re.compile(r"^(?:(#{1,6})\s|\[[^\]]+\]\s*$)")


def stand_above(lines: list[str], anchors: tuple[str, ...], first: int, changed: int) -> bool:
    """Whether the lines named stand above the place, outermost first.

    `first`: the place's first line; `changed`: its first line that changes, both from 0.
    """
    above = -1
    for anchor in anchors:
        places = (at for at in _found(lines, anchor) if above < at <= changed)
        above = next((at for at in places if _reaches(lines, at, first)), -2)
        if above < 0:
            return False
    return True


def names_elsewhere(lines: list[str], heading: str, first: int, changed: int) -> bool:
    """Whether a diff's heading stands in the file, but not above the place that was found."""
    found = _found(lines, heading)
    return bool(found) and not any(at <= changed and _reaches(lines, at, first) for at in found)


def only_below(lines: list[str], anchors: tuple[str, ...]) -> int | None:
    """The line after the last anchor, where the lines named lead to one place only."""
    low = 0
    for anchor in anchors:
        found = [at for at in _found(lines, anchor) if at >= low]
        if len(found) != 1:
            return None
        low = found[0] + 1
    return low


def indent_of(line: str) -> str:
    """The blanks that the line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def _found(lines: list[str], anchor: str) -> list[int]:
    """The lines that are the anchor; else those that begin with it, up to the end of a word."""
    wanted = " ".join(anchor.split())
    same = [at for at, line in enumerate(lines) if " ".join(line.split()) == wanted]
    if same or not wanted:
        return same
    word = re.compile(re.escape(wanted) + (r"(?!\w)" if len(wanted) < 40 else ""))  # git cuts it
    return [at for at, line in enumerate(lines) if word.match(" ".join(line.split()))]


def _reaches(lines: list[str], at: int, first: int) -> bool:
    """Whether what begins at the line reaches down to the place: nothing else begins in between.

    Nothing that is indented no deeper, that is, or another section. What merely stands between (a
    statement, the end of a bracket) does no harm: programs name the last function above a place,
    though it may have ended.
    """
    depth, section = len(indent_of(lines[at])), _SECTION.match(lines[at])
    for line, below in pairwise([*lines[at + 1 : first], ""]):
        text, other = line.strip(), _SECTION.match(line)
        if other and (section is None or len(other[1] or "") <= len(section[1] or "")):
            return False
        is_opener = text.endswith((":", "{")) or (text.endswith(")") and below[:1] == "{")
        is_part = section is not None or len(indent_of(line)) > depth or text[:1] in set(")]}{")
        if is_opener and not is_part:
            return False
    return True
