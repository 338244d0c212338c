"""What comes of an edit, and the words for one that cannot be carried out."""

from collections.abc import Sequence

from attrs import frozen

from agent_runner.edits.edit import Hunk
from agent_runner.edits.formats import search_replace
from agent_runner.edits.matching import MOST_PLACES, NoPlace
from agent_runner.edits.nearest import closest, first_difference, numbered


@frozen
class Carried:
    """The edit stands in the tree in memory; `already`: it did before; `note`: for a person."""

    already: bool = False
    note: str = ""


@frozen
class Failed:
    """The edit cannot be carried out: why, in a few words, and what helps to write it right.

    `forms`: how a reply without tools would say what is meant.
    """

    short: str
    text: str = ""
    forms: str = ""


Outcome = Carried | Failed

MISSING = Failed("the file does not exist")


def in_doubt(path: str, short: str, *, is_whole: bool = True) -> Failed:
    """The refusal of a text that may be a whole file, with the two ways to say what is meant."""
    whole = f"\n  If it is the whole file, write `Whole file: {path}` on the line above its fence."
    part = search_replace.FORM.format(path=f"`{path}`")
    return Failed(short, forms=f"  To change a part of the file: {part}{whole * is_whole}")


def found_often(found: Sequence[int], *, label: str = "", more: str = "") -> Failed:
    """Why a text that stands at several lines (from 0) has no place."""
    where = ", ".join(str(at + 1) for at in found[:10]) + " and more" * (len(found) > 10)
    times = f"{len(found)}" + " or more" * (len(found) == MOST_PLACES)
    remedy = "Add lines above or below that make it one place."
    return Failed(
        f"{label}found {times} times", f"  {label}It stands at lines {where}{more}. {remedy}"
    )


def not_found(label: str, lines: list[str], hunk: Hunk, missing: NoPlace) -> Failed:
    """Why a hunk has no place, with what the file has instead."""
    needle = hunk.before
    if missing.wrong:
        where = ", ".join(str(at + 1) for at in missing.found[:10])
        found = f" Its lines were found at {where}." if where else ""
        remedy = "Quote the lines around the place as they stand in the file."
        return Failed(f"{label}{missing.wrong}", f"  {label}{remedy}{found}")
    if not needle:
        short = f"{label}nothing says where the new lines belong"
        return Failed(short, "  Add unchanged lines around them.")
    if missing.found:
        is_flat = all(not line[:1].isspace() for line in needle if line.strip())
        more = ", perhaps in another indentation" * is_flat
        return found_often(missing.found, label=label, more=more)
    near = closest(lines, needle)
    if near is None:
        text = f"  {label}No line of the file ({len(lines)} lines) is like it: copy it from there."
        return Failed(f"{label}not found", text)
    start, stop = near
    text = f"  {label}The closest lines are {start + 1}-{stop}:\n{numbered(lines, start, stop)}"
    differs = first_difference(lines, start, needle)
    if differs is not None:
        at, there, wanted = differs
        text += f"\n  First difference, line {at + 1}:"
        text += f" the file has `{there}`, the block has `{wanted}`."
    return Failed(f"{label}not found", text)
