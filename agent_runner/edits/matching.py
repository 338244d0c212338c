"""Where a hunk belongs in a file: found once, or refused.

The lines must stand in the file as quoted; where they do not, blanks at the ends of lines, the same
difference of indentation in every line, and characters that look alike are forgiven. A place counts
only if no other one is as good. Where there are more, the hunk's context (its line number, the
lines it stands under, the end of the file, the hunks before it) has to leave a single one.
"""

from collections.abc import Sequence
from functools import cached_property

from attrs import define, evolve, frozen

from agent_runner.edits.anchors import Spot, indent_of, names_elsewhere, only_below, stand_above
from agent_runner.edits.edit import Hunk
from agent_runner.edits.fitting import Place, fit
from agent_runner.edits.left_out import is_dots
from agent_runner.ground.linediff import ADD, KEEP, HunkLine
from agent_runner.ground.lookalikes import plain

MOST_PLACES = 50
"""So many places of a text are looked at; more are not needed to refuse it."""

_MOST_CANDIDATES = 2_000
_MOST_ELISIONS = 50


@frozen
class NoPlace:
    """Why a hunk has no place.

    `found` are the lines (from 0) at which its text stands, none or several. `wrong`: what speaks
    against the only one ("" where it is merely not found, or found too often).
    """

    found: tuple[int, ...] = ()
    wrong: str = ""


@define(slots=False)  # `cached_property` wants a `__dict__`
class Haystack:
    """The lines that are searched, as the hunks before left them.

    `before`: those of the file before all hunks. `after`: the line below the last hunk; `shift`: by
    how many lines the hunks so far have moved what stands there.
    """

    lines: list[str]
    before: list[str]
    after: int = 0
    shift: int = 0

    @cached_property
    def text(self) -> str:
        """All lines as they are, each between newlines."""
        return "\n".join(["", *self.lines, ""])

    @cached_property
    def plain_text(self) -> str:
        """The same as lines are compared."""
        return _comparable(self.text)

    def stand_at(self, needle: list[str], at: int) -> bool:
        """Whether the needle's lines stand there letter by letter."""
        return at >= 0 and self.lines[at : at + len(needle)] == needle

    def places(self, needle: list[str], most: int) -> list[int]:
        """Where the needle's lines stand, as line numbers from 0; at most `most`."""
        wanted, telling = "\n".join(["", *needle, ""]), max(map(str.strip, needle), key=len)
        if (
            self.text.isascii()
            and telling
            and self.text.count(telling) == 1
            and wanted in self.text
        ):
            return [self.text.count("\n", 0, self.text.index(wanted))]  # no second one is as good
        text, wanted = self.plain_text, _comparable(wanted)
        found: list[int] = []
        at, counted, line = text.find(wanted) if self.lines else -1, 0, 0
        while at >= 0 and len(found) < most:
            line += text.count("\n", counted, at)
            counted = at
            found.append(line)
            at = text.find(wanted, at + 1)
        return found


def _comparable(text: str) -> str:
    """Lines in which neither blanks at the ends count, nor which dash, quote or space stands there.

    Whether indentations agree is checked afterwards.
    """
    return "\n".join(map(str.strip, plain(text).split("\n")))


def locate(hay: Haystack, hunk: Hunk, *, exact: bool = False) -> Place | NoPlace:
    """Find the hunk's place; `exact`: a program wrote it, so that its number is meant."""
    if not hunk.before:
        return _insertion(hay, hunk, exact=exact)
    is_borne_out = exact or tells(hunk.kept)
    number = hunk.start - 1 + hay.shift if hunk.start else -1
    if is_borne_out and hay.stand_at(hunk.before, number):
        return _chosen(hay, hunk, [Place(number, hunk.lines)])
    for text in (hunk, _trimmed(hunk)):
        candidates = _candidates(hay, text) if text is not None else []
        if candidates and text is not None:
            place = _chosen(hay, text, candidates)
            if isinstance(place, NoPlace) or place.start == number:
                return place
            # A wrong number of a model may point exactly at another line that is the same.
            is_twin = hay.stand_at(text.before, number)
            return NoPlace((place.start, number)) if is_twin else place
    return _elided(hay, hunk) or NoPlace()


def tells(lines: Sequence[str]) -> bool:
    """Whether the lines hold a word; blank ones and brackets may stand anywhere."""
    return any(any(map(str.isalnum, line)) for line in lines)


def _candidates(hay: Haystack, hunk: Hunk) -> list[Place]:
    """All places, forgiving as much as is ever forgiven."""
    needle = hunk.before
    is_literal = hunk.quoted or not any(map(str.strip, needle))
    found: list[Place] = []
    for at in hay.places(needle, _MOST_CANDIDATES):
        if hay.stand_at(needle, at):
            found.append(Place(at, hunk.lines))
        elif not is_literal and (made := fit(hunk, at, hay.lines[at : at + len(needle)])):
            found.append(made)
        if len(found) == MOST_PLACES:
            break
    return found


def _chosen(hay: Haystack, hunk: Hunk, found: list[Place]) -> Place | NoPlace:
    """The one place that the hunk's context leaves, if nothing speaks against it."""
    every = tuple(one.start for one in found)
    chosen = _narrowed(hay, hunk, found)
    if len(chosen) != 1:
        return NoPlace(every, _missing_anchor(hunk) if not chosen else "")
    place = chosen[0]
    is_later = place.start >= hay.after
    if any((one.exact and not place.exact) or (one.start >= hay.after) > is_later for one in found):
        return NoPlace(every)  # the context speaks for it, and the text or the order for another
    wrong = place.doubt
    if hunk.heading and names_elsewhere(*_views(hay, hunk, place)[-1], hunk.heading):
        wrong = f"its heading `{hunk.heading.strip()[:80]}` stands elsewhere in the file"
    return NoPlace((place.start,), wrong) if wrong else place


def _narrowed(hay: Haystack, hunk: Hunk, found: list[Place]) -> list[Place]:
    """The places that the hunk's context leaves; each kind of it is asked in turn."""
    is_whole, among = len(found) < MOST_PLACES, len(found) > 1

    def below(*anchors: str) -> list[Place]:
        views = ((one, _views(hay, hunk, one)) for one in found)
        return [o for o, both in views if any(stand_above(*v, anchors, among=among) for v in both)]

    if hunk.anchors:
        found = below(*hunk.anchors)
    if hunk.at_end:
        found = [one for one in found if one.start + len(hunk.before) == len(hay.lines)]
    if hunk.heading:
        under = below(hunk.heading)
        found = under if len(under) == 1 else found
    exact = [one for one in found if one.exact]
    # A text without any indentation may have lost it, and then belongs where it is indented.
    has_indent = all(indent_of(line) for line in hunk.before if line.strip())
    if len(exact) == 1 and has_indent and all(one.exact or one.moved for one in found):
        return exact
    later = [one for one in found if one.start >= hay.after]
    return later if len(later) == 1 and is_whole else found


def _views(hay: Haystack, hunk: Hunk, place: Place) -> list[tuple[list[str], Spot]]:
    """The place in the file as the hunks above left it, and last in the one before all hunks.

    The agent saw the latter, in which a place above has no certain line.
    """
    spot = _spot(hunk, place)
    views = [(hay.lines, spot)]
    if place.start >= hay.after:
        earlier = evolve(spot, first=spot.first - hay.shift, changed=spot.changed - hay.shift)
        views.append((hay.before, earlier))
    return views


def _spot(hunk: Hunk, place: Place) -> Spot:
    changed = next((at for at, (op, _) in enumerate(hunk.lines) if op != KEEP), 0)
    changed -= changed >= len(hunk.before)  # what comes below all of them is not above the next
    moved = [len(indent_of(text)) for op, text in place.lines if op != KEEP and text.strip()]
    return Spot(place.start, place.start + changed, min(moved, default=0))


def _missing_anchor(hunk: Hunk) -> str:
    if hunk.anchors:
        named = ", then ".join(f"`{anchor.strip()[:80]}`" for anchor in hunk.anchors)
        return f"it does not stand below {named} (given after `@@`)"
    return "it does not stand at the end of the file" if hunk.at_end else ""


def _insertion(hay: Haystack, hunk: Hunk, *, exact: bool) -> Place | NoPlace:
    """A hunk that only adds: into an empty file, at the end, below a line it names.

    Its number alone says where only if a program wrote it.
    """
    at: int | None = None
    if hunk.at_end or not hay.lines:
        at = len(hay.lines)
    elif exact and hunk.start is not None and 0 <= hunk.start + hay.shift <= len(hay.lines):
        at = hunk.start + hay.shift
    elif hunk.anchors:
        at = only_below(hay.lines, hunk.anchors)
    return NoPlace((), _missing_anchor(hunk)) if at is None else Place(at, hunk.lines)


def _trimmed(hunk: Hunk) -> Hunk | None:
    """The hunk without blank context lines at its ends; None if it has none or is nothing else."""
    filled = [at for at, (op, text) in enumerate(hunk.lines) if op != KEEP or text.strip()]
    lines = hunk.lines[filled[0] : filled[-1] + 1] if filled else ()
    trimmed = evolve(hunk, lines=lines, start=None, newline_at_end=None)
    is_other = len(lines) < len(hunk.lines)
    return trimmed if is_other and any(line.strip() for line in trimmed.before) else None


def _elided(hay: Haystack, hunk: Hunk) -> Place | NoPlace | None:
    """Lines of `...` that stay stand for any lines.

    Every part between them must have one place, in order.
    """
    cuts = [at for at, (op, text) in enumerate(hunk.lines) if op == KEEP and is_dots(text)]
    if not 0 < len(cuts) <= _MOST_ELISIONS:
        return None
    first = last = -1
    lines: list[HunkLine] = []
    for low, high in zip([-1, *cuts], [*cuts, len(hunk.lines)], strict=True):
        part = evolve(hunk, lines=hunk.lines[low + 1 : high], start=None)
        if not part.lines:
            continue
        spot = locate(hay, part) if part.before else NoPlace()  # nothing says where lines come
        if not isinstance(spot, Place) or spot.start < last:
            return spot if isinstance(spot, NoPlace) else NoPlace()
        lines += [(KEEP, text) for text in hay.lines[last : spot.start]] if last >= 0 else []
        first = spot.start if first < 0 else first
        lines += spot.lines
        last = spot.start + sum(op != ADD for op, _ in spot.lines)
    return None if first < 0 else Place(first, tuple(lines))
