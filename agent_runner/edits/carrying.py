"""Carries one edit out on the tree in memory, and says in words what came of it."""

import re
from functools import singledispatch

from attrs import frozen

from agent_runner.edits.closest import closest, first_difference, numbered
from agent_runner.edits.edit import (
    ADD,
    KEEP,
    Alter,
    Create,
    Delete,
    Edit,
    Hunk,
    Move,
    SetMode,
    Write,
    without_bom,
)
from agent_runner.edits.jail import Refusal
from agent_runner.edits.matching import MOST_PLACES, Haystack, NoPlace, Place, locate
from agent_runner.edits.textfile import NotTextError, TextFile, check_writable
from agent_runner.edits.tree import Entry, Tree


@frozen
class Carried:
    """The edit stands in the tree in memory.

    `already`: it did before; `note`: what a person should know.
    """

    already: bool = False
    note: str = ""


@frozen
class Failed:
    """The edit cannot be carried out.

    `short`: in a few words; `text`: what helps to write it right.
    """

    short: str
    text: str = ""


Outcome = Carried | Failed


def carry_out(tree: Tree, edit: Edit) -> Outcome:
    """Change the tree as the edit asks, or say why not.

    A failed edit may leave the tree half changed.
    """
    entry = tree.at(edit.path)
    if isinstance(entry, Refusal):
        return Failed(f"not allowed: {entry.reason}")
    try:
        check_writable(_texts(edit))
        return _carry(edit, tree, entry)
    except NotTextError as error:
        return Failed(f"{error}", "Only UTF-8 text can be written by a reply.")


def _texts(edit: Edit) -> str:
    """All text that the edit brings."""
    if isinstance(edit, Write | Create):
        return edit.text
    if isinstance(edit, Alter):
        return "".join(text for hunk in edit.hunks for op, text in hunk.lines if op == ADD)
    return ""


@singledispatch
def _carry(edit: Edit, _tree: Tree, _entry: Entry) -> Outcome:
    return Failed(f"an edit of an unknown kind ({type(edit).__name__})")


@_carry.register
def _write(edit: Write, tree: Tree, entry: Entry) -> Outcome:
    if not entry.exists:
        return _new(tree, entry, edit.text)
    text = entry.text()
    there = set(text.lines)
    lazy = next(
        (line for line in edit.text.split("\n") if _is_lazy(line) and line not in there), None
    )
    if lazy is not None:
        return Failed(
            f"`{lazy.strip()[:80]}` stands for lines left out, and all the file would be replaced",
            "Send the file complete, or only the changes as SEARCH/REPLACE blocks.",
        )
    if not edit.text and text.lines:
        return Failed("an empty block would empty the file", "Delete the file, or send its lines.")
    before = entry.bytes_now()
    entry.put(text.rewritten(edit.text))
    if entry.bytes_now() == before:
        return Carried(already=True)
    return Carried(note=f"replaces all of {entry.path}" if entry.original is not None else "")


@_carry.register
def _create(edit: Create, tree: Tree, entry: Entry) -> Outcome:
    if not entry.exists:
        return _new(tree, entry, edit.text)
    if entry.empty:
        entry.put(entry.text().rewritten(edit.text))
        return Carried()
    before = entry.text()
    if before.rewritten(edit.text).content() == before.content():
        return Carried(already=True)
    return Failed(
        f"`{entry.path}` exists, and the block has an empty SEARCH",
        "SEARCH must quote lines of the file; to replace all of it, send it as a whole file.",
    )


@_carry.register
def _delete(_edit: Delete, _tree: Tree, entry: Entry) -> Outcome:
    if entry.exists:
        entry.remove()
        return Carried()
    if entry.original is not None:
        return Carried(already=True)
    return Failed("the file does not exist")


@_carry.register
def _move(edit: Move, tree: Tree, entry: Entry) -> Outcome:
    target = tree.at(edit.to)
    if isinstance(target, Refusal):
        return Failed(f"it may not be moved to `{_shown(edit.to)}`: {target.reason}")
    if target is entry:
        return Carried(already=True)
    if not entry.exists:
        if entry.original is not None and target.exists:
            return Carried(already=True)
        return Failed("the file does not exist")
    blocked = tree.in_the_way(target.path) if not target.exists else None
    if blocked is not None:
        return Failed(f"it cannot be moved to `{target.path}`: {blocked.reason}")
    note = f"replaces {target.path} by {entry.path}" if target.exists else ""
    target.remove()
    if entry.content is not None:
        target.content, target.plus, target.minus = entry.content, entry.plus, entry.minus
    else:
        target.put(entry.text())
    target.mode = entry.mode
    entry.remove()
    entry.moved = True
    return Carried(note=note)


@_carry.register
def _set_mode(edit: SetMode, _tree: Tree, entry: Entry) -> Outcome:
    if not entry.exists:
        return Failed("the file does not exist")
    before = entry.mode
    entry.executable(on=edit.executable)
    return Carried(already=entry.mode == before)


@_carry.register
def _alter(edit: Alter, _tree: Tree, entry: Entry) -> Outcome:
    if not entry.exists:
        return Failed("the file does not exist")
    if len(edit.hunks) == 1 and entry.shortcut(edit.hunks[0]):
        return Carried(already=edit.hunks[0].changes_nothing)
    text = entry.text()
    shift = after = 0
    wrong: list[Failed] = []
    standing = 0
    for number, written in enumerate(edit.hunks, 1):
        hunk = without_bom(written) if text.bom else written
        hay = Haystack(text.lines)
        place = locate(hay, hunk, after=after, shift=shift)
        if isinstance(place, NoPlace):
            if _stands(hay, hunk):
                standing += 1
            else:
                label = f"hunk {number}: " if len(edit.hunks) > 1 else ""
                wrong.append(_explained(label, text.lines, hunk, place))
            continue
        standing += hunk.changes_nothing
        grown = _spliced(text, place, hunk)
        shift += grown
        after = place.start + len(hunk.before) + grown
    if wrong:
        texts = "\n".join(failed.text for failed in wrong if failed.text)
        return Failed("; ".join(failed.short for failed in wrong), texts)
    return Carried(already=standing == len(edit.hunks))


def _new(tree: Tree, entry: Entry, text: str) -> Outcome:
    blocked = tree.in_the_way(entry.path)
    if blocked is not None:
        return Failed(f"not allowed: {blocked.reason}")
    twin = tree.twin(entry)
    if twin is not None:
        return Failed(f"its name differs from `{twin}` only in case or composition")
    entry.put(TextFile.new(text))
    return Carried()


def _spliced(text: TextFile, place: Place, hunk: Hunk) -> int:
    ending = text.ending
    grown = text.splice(place.start, list(place.lines))
    if hunk.newline_at_end is not None:
        text.finish(newline=hunk.newline_at_end, ending=ending)
    return grown


def _stands(hay: Haystack, hunk: Hunk) -> bool:
    """Whether what the hunk would bring stands in the file already, at one place."""
    after = hunk.after
    if not any(op == ADD and line.strip() for op, line in hunk.lines):
        return False
    asked = Hunk(
        tuple((KEEP, line) for line in after), hunk.anchors, hunk.start, hunk.counted, hunk.at_end
    )
    place = locate(hay, asked)
    return isinstance(place, Place) and place.rung in {"exact", "trailing blanks"}


def _explained(label: str, lines: list[str], hunk: Hunk, missing: NoPlace) -> Failed:
    """Why a hunk has no place, with what the file has instead."""
    needle = hunk.before
    if not needle:
        return Failed(
            f"{label}nothing says where the new lines belong",
            "  Add unchanged lines around them.",
        )
    if missing.found:
        where = ", ".join(str(at + 1) for at in missing.found[:10])
        more = " and more" if len(missing.found) > 10 else ""
        times = (
            f"{len(missing.found)}"
            if len(missing.found) < MOST_PLACES
            else f"{MOST_PLACES} or more"
        )
        kind = "" if missing.rung == "exact" else f" (by {missing.rung})"
        return Failed(
            f"{label}found {times} times",
            f"  {label}It stands at lines {where}{more}{kind}."
            " Add lines above or below that make it one place.",
        )
    near = closest(lines, needle)
    if near is None:
        return Failed(
            f"{label}not found",
            f"  {label}No line of the file ({len(lines)} lines) is like it."
            " The text must be copied from the file.",
        )
    start, stop = near
    text = f"  {label}The closest lines are {start + 1}-{stop}:\n{numbered(lines, start, stop)}"
    differs = first_difference(lines, start, needle)
    if differs is not None:
        at, there, wanted = differs
        text += f"\n  First difference, line {at + 1}:"
        text += f" the file has `{there}`, the block has `{wanted}`."
    return Failed(f"{label}not found", text)


_LAZY = re.compile(
    r"^(?:#|//|--|;|<!--|/\*|\{/\*)? ?(?:\.\.\.|\u2026) ?\(?(?:the )?"
    r"(?:rest|existing|unchanged|remaining|other|previous|same|keep|code|omitted|more)\b",
    re.IGNORECASE,
)
_LAZY_WORDS = re.compile(
    r"^(?:#|//|--|;|<!--|/\*) ?(?:the )?(?:rest of|existing code|remaining|other|previous)\b.{0,60}"
    r"(?:\.\.\.|\u2026|unchanged|remains|stays|same|here)",
    re.IGNORECASE,
)


def _is_lazy(line: str) -> bool:
    """Whether a line only stands for lines that were left out (`# ... rest of the file ...`)."""
    text = line.strip()
    return _LAZY.match(text) is not None or _LAZY_WORDS.match(text) is not None


def _shown(path: str) -> str:
    return path.encode("unicode_escape").decode()[:200]
