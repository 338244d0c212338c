"""Where a place stands in a file: below the lines that a hunk names, and in no other part.

Envelopes name lines after `@@` and mean them: each has to be found, in order, above the place.
Diffs name one too, but programs and models choose it by rules of their own: it is only doubt, and
only if it stands in the file and not where it should.
"""

import re
from itertools import pairwise

from attrs import frozen

_SECTION = re.compile(r"^(?:(#{1,6})\s|\[[^\]]+\]\s*$)")


@frozen
class Spot:
    """A place in a file: its first line and its first line that changes (from 0), how deep it is.

    `depth`: the smallest indentation of the lines that come or go.
    """

    first: int
    changed: int
    depth: int


def stand_above(lines: list[str], spot: Spot, anchors: tuple[str, ...], *, among: bool) -> bool:
    """Whether the lines named stand above the place, outermost first.

    `among`: there are other places that are as good. Then the last line named has to begin what
    holds the place: what comes after a class is as near to it as to anything else.
    """
    above = -1
    for anchor in anchors:
        places = (at for at in _found(lines, anchor) if above < at <= spot.changed)
        above = next((at for at in places if _reaches(lines, at, spot.first)), -2)
        if above < 0:
            return False
    is_outer = spot.depth > len(indent_of(lines[above])) or _SECTION.match(lines[above]) is not None
    return not among or is_outer


def names_elsewhere(lines: list[str], spot: Spot, heading: str) -> bool:
    """Whether a diff's heading stands in the file, but not above the place that was found.

    `lines`: those before the diff. Git knows no sections unless told so: what it takes for a
    heading is then the last line above that begins with a letter.
    """
    found = _found(lines, heading)
    return bool(found) and not any(
        at <= spot.changed and _reaches(lines, at, spot.first, is_git=True) for at in found
    )


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
    """The lines that are the anchor; else that begin with it; else the only one that has it.

    Whole words count, but for the last one of a long anchor, which git cuts.
    """
    wanted = " ".join(anchor.split())
    plain = [" ".join(line.split()) for line in lines]
    same = [at for at, line in enumerate(plain) if line == wanted]
    if same or not wanted:
        return same
    word = re.compile(r"(?<!\w)" + re.escape(wanted) + (r"(?!\w)" if len(wanted) < 40 else ""))
    first = [at for at, line in enumerate(plain) if word.match(line)]
    inside = [] if first else [at for at, line in enumerate(plain) if word.search(line)]
    return inside if len(inside) == 1 else first


def _reaches(lines: list[str], at: int, first: int, *, is_git: bool = False) -> bool:
    """Whether what begins at the line reaches down to the place: nothing else begins in between.

    Nothing that is indented no deeper, that is, or another section. What merely stands between (a
    statement, the end of a bracket) does no harm: programs name the last function above a place,
    though it may have ended.
    """
    depth, section = len(indent_of(lines[at])), _SECTION.match(lines[at])
    least = -1 if is_git else 9  # sections down to this depth end what begins at the line
    least = least if section is None else len(section[1] or "")
    begins = lines[at].split()[:1]
    for line, below in pairwise(lines[at + 1 : first + 1]):
        text, other = line.strip(), _SECTION.match(line)
        if other and len(other[1] or "") <= least:
            return False
        is_twin = text.split()[:1] == begins and len(indent_of(below)) > len(indent_of(line))
        is_opener = text.endswith((":", "{")) or (text.endswith(")") and below[:1] == "{")
        is_opener = is_opener or is_twin  # `def`, `sub`, `CREATE`, in any language
        is_part = section is not None or len(indent_of(line)) > depth or text[:1] in set(")]}{")
        if is_opener and not is_part:
            return False
    return True
