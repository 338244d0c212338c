"""Where a hunk belongs in a file: a ladder from exact to tolerant that never guesses.

Each rung is tried only if the one before it found nothing. Found once: that is the place. Found
more often: refused, unless the hunk's context (its line number, the lines it stands under, the end
of the file, the hunks before it) leaves a single one.
"""

import re
from collections.abc import Callable

from attrs import define, field, frozen

from agent_runner.edits.edit import ADD, DROP, KEEP, Hunk, HunkLine
from agent_runner.edits.lookalikes import plain

MOST_PLACES = 50
"""So many places of a text are looked at; more are not needed to refuse it."""

_MOST_CANDIDATES = 2_000
_MOST_ELISIONS = 50
_ELISION = re.compile(r"^(?:#|//|--|;|<!--|/\*)? ?\.\.\. ?(?:-->|\*/)?$")


@frozen
class Place:
    """Where a hunk belongs: its first line (from 0) and its lines, made to fit.

    `rung` names how it was found.
    """

    start: int
    lines: tuple[HunkLine, ...]
    rung: str


@frozen
class NoPlace:
    """Why a hunk has no place.

    `found` are the lines (from 0) at which its text stands, none or several.
    """

    found: tuple[int, ...] = ()
    rung: str = ""


Normal = Callable[[str], str]
"""Makes texts comparable on a rung; keeps the number of lines."""


def exact(text: str) -> str:
    """Nothing is forgiven."""
    return text


def without_trailing(text: str) -> str:
    """Blanks at the ends of lines do not count."""
    return "\n".join([line.rstrip() for line in text.split("\n")])


def without_indent(text: str) -> str:
    """Blanks at both ends of lines do not count; whether they agree is checked afterwards."""
    return "\n".join([line.strip() for line in text.split("\n")])


def look_alike(text: str) -> str:
    """Dashes, quotes and spaces of all kinds are their ASCII forms.

    Trailing blanks do not count.
    """
    return without_trailing(plain(text))


def look_alike_without_indent(text: str) -> str:
    """Both of these."""
    return without_indent(plain(text))


@define
class Haystack:
    """The lines that are searched, made comparable once per rung."""

    lines: list[str]
    _texts: dict[Normal, str] = field(init=False, factory=dict)

    def text(self, normal: Normal) -> str:
        """All lines, each between newlines."""
        if normal not in self._texts:
            self._texts[normal] = normal("\n" + "\n".join(self.lines) + "\n")
        return self._texts[normal]

    def places(self, needle: list[str], normal: Normal, most: int) -> list[int]:
        """Where the needle's lines stand, as line numbers from 0; at most `most`."""
        text = self.text(normal)
        wanted = normal("\n" + "\n".join(needle) + "\n")
        found: list[int] = []
        at, counted, line = text.find(wanted), 0, 0
        while at >= 0 and len(found) < most:
            line += text.count("\n", counted, at)
            counted = at
            found.append(line)
            at = text.find(wanted, at + 1)
        return found


def locate(hay: Haystack, hunk: Hunk, *, after: int = 0, shift: int = 0) -> Place | NoPlace:
    """Find the hunk's place.

    `after`: where the hunk before it ended; `shift`: lines it has moved by so far.
    """
    needle = hunk.before
    if not needle:
        return _insertion(hay, hunk, shift)
    if hunk.counted and hunk.start is not None:
        stated = hunk.start - 1 + shift
        if stated >= 0 and hay.lines[stated : stated + len(needle)] == needle:
            return Place(stated, hunk.lines, "exact")
    verdict = _climb(hay, hunk, after, shift)
    if verdict is None and (trimmed := _trimmed(hunk)) is not None:
        verdict = _climb(hay, trimmed, after, shift)
    if verdict is None:
        verdict = _elided(hay, hunk)
    return verdict or NoPlace()


def _climb(hay: Haystack, hunk: Hunk, after: int, shift: int) -> Place | NoPlace | None:
    """The rungs in order; None if all of them find nothing."""
    needle = hunk.before
    ascii_only = "\n".join(needle).isascii() and hay.text(exact).isascii()
    for name, normal, indented in _RUNGS:
        if ascii_only and name.startswith("look-alike"):
            break
        if not indented:
            found = [(at, hunk.lines) for at in hay.places(needle, normal, MOST_PLACES)]
        else:
            found = _fitting(hay, hunk, normal)
        if found:
            chosen = found if len(found) == 1 else _narrowed(hay, hunk, found, after, shift)
            if len(chosen) == 1:
                return Place(*chosen[0], name)
            return NoPlace(tuple(at for at, _ in found), name)
    return None


_RUNGS: tuple[tuple[str, Normal, bool], ...] = (
    ("exact", exact, False),
    ("trailing blanks", without_trailing, False),
    ("indentation", without_indent, True),
    ("look-alikes", look_alike, False),
    ("look-alikes, indentation", look_alike_without_indent, True),
)

_Candidate = tuple[int, tuple[HunkLine, ...]]


def _fitting(hay: Haystack, hunk: Hunk, normal: Normal) -> list[_Candidate]:
    """Places whose indentation differs from the hunk's by the same blanks in every line."""
    needle = hunk.before
    if not any(line.strip() for line in needle):
        return []
    fitting: list[_Candidate] = []
    for at in hay.places(needle, normal, _MOST_CANDIDATES):
        shift = _indent_shift(needle, hay.lines[at : at + len(needle)])
        lines = _reindented(hunk.lines, shift) if shift is not None else None
        if lines is not None:
            fitting.append((at, lines))
        if len(fitting) == MOST_PLACES:
            break
    return fitting


def _indent_shift(needle: list[str], there: list[str]) -> tuple[str, str] | None:
    """The blanks to take from, and to put before, each line of the hunk.

    None where it is not uniform.
    """
    shifts: set[tuple[str, str]] = set()
    for wanted, found in zip(needle, there, strict=True):
        if not wanted.strip():
            continue
        ours, theirs = _indent(wanted), _indent(found)
        if theirs.endswith(ours):
            shifts.add(("", theirs[: len(theirs) - len(ours)]))
        elif ours.endswith(theirs):
            shifts.add((ours[: len(ours) - len(theirs)], ""))
        else:
            return None
        if len(shifts) > 1:
            return None
    return shifts.pop() if len(shifts) == 1 else None


def _reindented(lines: tuple[HunkLine, ...], shift: tuple[str, str]) -> tuple[HunkLine, ...] | None:
    take, give = shift
    made: list[HunkLine] = []
    for op, text in lines:
        if op != ADD or not text.strip():
            made.append((op, text))
        elif text.startswith(take):
            made.append((op, give + text.removeprefix(take)))
        else:
            return None
    return tuple(made)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _narrowed(
    hay: Haystack, hunk: Hunk, found: list[_Candidate], after: int, shift: int
) -> list[_Candidate]:
    """The one place that the hunk's context leaves, or all of them."""
    size = len(hunk.before)
    if hunk.at_end:
        last = [one for one in found if one[0] + size == len(hay.lines)]
        if last:
            return last
    if hunk.counted and hunk.start is not None:
        stated = [one for one in found if one[0] == hunk.start - 1 + shift]
        if stated:
            return stated
    if hunk.anchors:
        under = _under(hay.lines, hunk.anchors, found)
        if len(under) == 1:
            return under
    later = [one for one in found if one[0] >= after]
    if len(later) == 1 and len(found) < MOST_PLACES:
        return later
    return found


def _under(lines: list[str], anchors: tuple[str, ...], found: list[_Candidate]) -> list[_Candidate]:
    """Places within what the anchors name.

    If they name no block of lines, places below the last of them.
    """
    low, high = 0, len(lines)
    for anchor in anchors:
        at = _anchor(lines, anchor, low, high)
        if at is None:
            return []
        low = at
        high = min(high, _scope_end(lines, at))
        if high <= low + 1:
            high = len(lines)
    inside = [one for one in found if low <= one[0] < high]
    return inside or [one for one in found if one[0] >= low]


def _anchor(lines: list[str], anchor: str, low: int, high: int) -> int | None:
    """The only line that is the anchor, or begins with it (git cuts long ones)."""
    wanted = anchor.strip()
    same = [at for at in range(low, high) if lines[at].strip() == wanted]
    if not same:
        same = [at for at in range(low, high) if lines[at].strip().startswith(wanted)]
    return same[0] if len(same) == 1 else None


def _scope_end(lines: list[str], at: int) -> int:
    """The first line below that is indented no deeper and does not just close a bracket."""
    depth = len(_indent(lines[at]))
    for below in range(at + 1, len(lines)):
        text = lines[below].strip()
        if text and len(_indent(lines[below])) <= depth and text[0] not in ")]}{":
            return below
    return len(lines)


def _insertion(hay: Haystack, hunk: Hunk, shift: int) -> Place | NoPlace:
    """A hunk that only adds.

    At the end, below its anchor, or after the line that its header counts to.
    """
    if hunk.at_end or not hay.lines:
        return Place(len(hay.lines), hunk.lines, "exact")
    if hunk.counted and hunk.start is not None and 0 <= hunk.start + shift <= len(hay.lines):
        return Place(hunk.start + shift, hunk.lines, "exact")
    low = 0
    for anchor in hunk.anchors:
        at = _anchor(hay.lines, anchor, low, len(hay.lines))
        if at is None:
            return NoPlace()
        low = at + 1
    return Place(low, hunk.lines, "anchor") if hunk.anchors else NoPlace()


def _trimmed(hunk: Hunk) -> Hunk | None:
    """The hunk without blank context lines at its ends; None if it has none or is nothing else."""
    lines = list(hunk.lines)
    blank = [op == KEEP and not text.strip() for op, text in lines]
    low, high = 0, len(lines)
    while low < high and blank[low]:
        low += 1
    while high > low and blank[high - 1]:
        high -= 1
    if high - low in {0, len(lines)}:
        return None
    trimmed = Hunk(tuple(lines[low:high]), hunk.anchors, at_end=hunk.at_end)
    return trimmed if any(line.strip() for line in trimmed.before) else None


def _elided(hay: Haystack, hunk: Hunk) -> Place | NoPlace | None:
    """Lines of `...` that stay stand for any lines.

    Every part between them must have one place, in order.
    """
    cuts = [at for at, (op, text) in enumerate(hunk.lines) if op == KEEP and _is_elision(text)]
    if not 0 < len(cuts) <= _MOST_ELISIONS or any(
        op == DROP and _is_elision(text) for op, text in hunk.lines
    ):
        return None
    parts: list[tuple[HunkLine, ...]] = []
    low = 0
    for cut in [*cuts, len(hunk.lines)]:
        parts.append(hunk.lines[low:cut])
        low = cut + 1
    first = last = None
    lines: list[HunkLine] = []
    for part in parts:
        if not any(op != ADD for op, _ in part):
            if part:
                return None  # lines to be added with nothing that says where
            continue
        spot = _climb(hay, Hunk(part), last or 0, 0)
        if not isinstance(spot, Place):
            return spot
        if last is not None and spot.start < last:
            return None
        if first is None:
            first = spot.start
        else:
            lines += [(KEEP, text) for text in hay.lines[last : spot.start]]
        lines += spot.lines
        last = spot.start + sum(op != ADD for op, _ in spot.lines)
    return None if first is None else Place(first, tuple(lines), "elision")


def _is_elision(text: str) -> bool:
    return _ELISION.match(plain(text).strip()) is not None
