"""Judges fences that are perhaps meant as edits, once all edits of the reply stand.

What shows lines of a file, or says something else, explains the change. What brings lines to a file
is an edit in a form that is not read, and is never dropped without a word.
"""

import re
from itertools import pairwise

from agent_runner.edits.anchors import indent_of
from agent_runner.edits.carry_out import Carrier
from agent_runner.edits.doubt import is_output
from agent_runner.edits.edit import StrayFence, Write
from agent_runner.edits.formats import foreign
from agent_runner.edits.left_out import is_left_out
from agent_runner.edits.naming import fits, is_path, is_title
from agent_runner.edits.outcome import Carried, Failed, Outcome, in_doubt
from agent_runner.files.tree import Entry
from agent_runner.ground.beneath import Refusal

_BEGINNING = re.compile(r"\W*([\w.$-]+(?:[ \t]+[\w.$-]+)*)[\"']?\s*(\W?)")
_SHOWN = Carried(already=True)


def judge(fence: StrayFence, carrier: Carrier, changed: tuple[str, ...]) -> Outcome:
    """What comes of a fence that is not clearly an edit, when all edits stand.

    `changed`: the files that the reply has edits of, on which the fence may comment.
    """
    if not fence.path or fence.path in changed:
        return _comment(fence, carrier, (fence.path,) if fence.path else changed)
    entry = carrier.tree.at(fence.path)
    if isinstance(entry, Refusal):
        return _SHOWN  # no file of the task can be meant
    exists = entry.exists or entry.original is not None
    new = _new_lines(fence, [entry])
    is_fit = fits(fence.language, fence.path)
    is_name = is_path(fence.path) or (fence.alone and "/" in fence.path)
    is_meant = exists or (is_fit and is_name and not is_title(fence.path))
    if not is_meant:  # `Then:` and the like, a word that is no file
        return _comment(fence, carrier, changed)
    if all(map(is_left_out, new)) or is_output(new):
        return _SHOWN
    if fence.alone and is_fit and exists:
        return carrier.carry(Write(fence.path, fence.origin, fence.text))
    short = (
        f"`{fence.path}` is named in it or above it, and it is unclear whether it is that file"
        " (a file stands in a fence whose language fits, with only its path right above)"
    )
    return in_doubt(fence.path, short)


def quotes(fence: StrayFence, carrier: Carrier) -> bool:
    """Whether the fence names a file and shows nothing but lines of it."""
    entry = carrier.tree.at(fence.path) if fence.path else None
    return isinstance(entry, Entry) and entry.exists and not _new_lines(fence, [entry])


def _comment(fence: StrayFence, carrier: Carrier, changed: tuple[str, ...]) -> Outcome:
    """A fence explains edits, unless it is one itself in a form that is not read.

    The same holds for one that brings other lines to a place in one of the files.
    """
    entries = {path: e for path in changed if isinstance(e := carrier.tree.at(path), Entry)}
    new = _new_lines(fence, list(entries.values()))

    def is_file(word: str) -> bool:
        if is_path(word) or re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+", word):
            return True
        entry = carrier.tree.at(word) if re.fullmatch(r"\w[\w.-]*", word) else None
        return isinstance(entry, Entry) and entry.exists

    if not fence.path and not fence.text.strip():
        return Failed("the fence holds nothing: perhaps its marks belong to another one")
    command = foreign.changing(fence.language, fence.text.split("\n"), is_file)
    if command is not None:
        short = f"a shell command that changes files (`{command.strip()[:60]}`) is not run"
        return Failed(short, forms=f"  {foreign.REMEDY}")
    wrong = foreign.strange_fence(fence.language, new)
    if wrong is not None:
        return Failed(wrong.removesuffix("."), forms=f"  {foreign.REMEDY}")
    for path, entry in entries.items():
        again = _reworked(fence, entry) if fits(fence.language, path) else ""
        if again and not all(map(is_left_out, new)):
            short = f"it has `{again[:80]}` where `{path}` has other lines, and changes nothing"
            return in_doubt(path, short)
    return _SHOWN


def _reworked(fence: StrayFence, entry: Entry) -> str:
    """A line by which the fence may mean to change the file; "" for none.

    It begins as a line of the file does, or stands where the file has others: right below one of
    its lines, and deeper.
    """
    there = _lines_of(entry)
    known = set(map(_beginning, there)) - {""}
    for above, line in pairwise(["", *fence.text.split("\n")]):
        is_deeper = len(indent_of(line)) > len(indent_of(above))
        is_within = bool(above.strip()) and above.strip() in there and is_deeper
        if line.strip() and line.strip() not in there and (is_within or _beginning(line) in known):
            return line.strip()
    return ""


def _beginning(line: str) -> str:
    """What a line is about: its first words; a single one only where it is given a value."""
    found = _BEGINNING.match(line)
    if found is None:
        return ""
    head, sign = " ".join(found[1].split()), found[2]
    return head if " " in head else f"{head}{sign}" if sign in {"=", ":"} else ""


def _lines_of(entry: Entry) -> set[str]:
    """The lines that the file has now or had before, without blanks around them."""
    texts = (entry.original or b"", entry.bytes_now())
    return {s.strip() for text in texts for s in text.decode("utf-8", "replace").split("\n")}


def _new_lines(fence: StrayFence, entries: list[Entry]) -> list[str]:
    """The lines of a fence that none of the files has now or had before."""
    there = {line for entry in entries for line in _lines_of(entry)}
    return [s for s in fence.text.split("\n") if s.strip() and s.strip() not in there]
