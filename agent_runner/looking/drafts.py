"""Edits made one at a time, in memory: each fits the files as those before it leave them, or not.

For agents that edit by tools. Nothing is written: in the end all drafts are planned once more,
together with what the last reply holds (`with_drafts`).
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from attrs import define, evolve, field, frozen

from agent_runner.edits.carry_out import Carrier
from agent_runner.edits.edit import TEXT_TOOL, Alter, Delete, Edit, Hunk, Move, Origin, Reply, Write
from agent_runner.edits.matching import MOST_PLACES
from agent_runner.edits.outcome import Carried, Failed, Outcome, found_often
from agent_runner.edits.parse import parse_reply
from agent_runner.edits.plan import ignored_among, paths_of, with_names
from agent_runner.files.rules import Gate, Rules
from agent_runner.files.textfile import NotTextError
from agent_runner.files.tree import Entry, Tree
from agent_runner.ground.beneath import Refusal, readable_root
from agent_runner.ground.linediff import hunk_lines, same_runs

_NO_PATCH = (
    "there is no change in it. Write `*** Begin Patch`, `*** Update File: PATH` with hunks (`@@`,"
    " then lines that begin with a space, `-` or `+`), and `*** End Patch`."
)


@frozen
class Fits:
    """The edit fits and is drafted; `text` says where: `lines 40-44 of src/a.py`.

    `paths`: the files that it changes; none where all stood as asked before.
    """

    text: str
    paths: tuple[str, ...] = ()


@frozen
class Misfit:
    """The edit does not fit and nothing of it is drafted; `text` says why, and what is there."""

    text: str


@define
class Drafts:
    """The files of a task as the edits so far leave them; made by `drafting`.

    `edits`: all that fitted, in order.
    """

    root: Path
    _carrier: Carrier
    edits: list[Edit] = field(init=False, factory=list)
    _calls: int = field(init=False, default=0)
    _contents: dict[str, tuple[Entry, bytes | None]] = field(init=False, factory=dict)

    @property
    def gate(self) -> Gate:
        """Says which paths may be changed."""
        return self._carrier.tree.gate

    def replace(self, path: str, old_text: str, new_text: str) -> Fits | Misfit:
        """Put a text in place of another one that stands exactly once in the file.

        An empty `old_text` makes a new file. Whole lines are taken as lines, so that a final
        newline more or less does not count; where the text does not stand in the file letter by
        letter, its lines are looked for as those of a block are.
        """
        origin = self._origin(TEXT_TOOL)
        old, new = (text.replace("\r\n", "\n") for text in (old_text, new_text))
        if not old:
            is_bare = not new or new.endswith("\n")
            return self._take([Write(path, origin, new + "\n" * (not is_bare), new=True)])
        entry = self._entry(path)
        if isinstance(entry, Entry) and entry.exists:
            try:
                hunk = _replacing(entry.text().lines, old, new)
            except NotTextError as error:
                return Misfit(f"{path}: {error}.")
            if isinstance(hunk, Failed):
                return Misfit(_said(path, hunk))
        else:
            hunk = Hunk(hunk_lines(old.split("\n"), new.split("\n")))  # to be refused in one place
        return self._take([Alter(path, origin, (hunk,))])

    def patch(self, text: str) -> Fits | Misfit:
        """Carry out a patch, an envelope or unified diffs: all of it or nothing."""
        reply = parse_reply(text)
        if not reply.edits or reply.stray_fences or reply.commands:
            return Misfit(_NO_PATCH)
        first = self._origin("apply_patch")
        return self._take(
            [evolve(e, origin=evolve(first, block=e.origin.block)) for e in reply.edits]
        )

    def delete(self, path: str) -> Fits | Misfit:
        """Delete a file."""
        return self._take([Delete(path, self._origin("delete_file"))])

    def move(self, path: str, to: str) -> Fits | Misfit:
        """Give a file another path, where none stands."""
        return self._take([Move(path, self._origin("move_file"), to)])

    def again(self, edits: Sequence[Edit], made: "Drafts | None" = None) -> tuple[str, ...]:
        """Take the edits that fitted before, in their order; what is wrong with those that do not.

        They fit as long as nobody else has changed the files since. `made`: the drafts of the reply
        before, which hold just these edits: where no file was changed nothing is matched again.
        """
        if made is not None and self._carrier.tree.resume(made._carrier.tree.entries):  # noqa: SLF001
            self.edits, self._calls = list(edits), made._calls  # noqa: SLF001  # drafts like these
            self._contents = dict(made._contents)  # noqa: SLF001
            return ()
        wrong: list[str] = []
        for call, block in groupby(edits, key=lambda edit: edit.origin.line):
            self._calls = max(self._calls, call)
            again = list(block)
            wrong += self._kept(again, list(self._outcomes(again)))
        return tuple(wrong)

    def without_keys(self) -> None:
        """A key was taken out of the edits that come from here on: no mark in them is meant."""
        self._carrier = evolve(self._carrier, redacted=True)

    def changed(self) -> Mapping[str, bytes | None]:
        """The files that differ from the disk, with their contents; None for one that is gone."""
        entries = self._carrier.tree.entries.values()
        return {e.path: now for e in entries if (now := self._content(e)) != e.original}

    def _content(self, entry: Entry) -> bytes | None:
        """What the file holds now; known until an edit touches it, which makes another entry."""
        known, content = self._contents.get(entry.path, (None, None))
        if known is not entry:
            content = entry.bytes_now() if entry.exists else None
            self._contents[entry.path] = entry, content
        return content

    def _origin(self, form: str) -> Origin:
        return Origin(0, self._calls + 1, form, drafted=True)

    def _entry(self, path: str) -> Entry | Refusal:
        tree = self._carrier.tree
        tree.ignored |= ignored_among([path], tree.gate.rules)
        return tree.at(path)

    def _take(self, edits: Sequence[Edit]) -> Fits | Misfit:
        fits: list[str] = []
        changed: dict[str, None] = {}
        outcomes: list[tuple[Edit, Outcome]] = []
        lines = {path: self._lines(path) for path in paths_of(edits)}
        for edit, outcome in self._outcomes(edits):
            outcomes.append((edit, outcome))
            if isinstance(outcome, Carried):
                fits.append(_fitted(edit, outcome, lines[edit.path], self._lines(edit.path)))
                lines |= {path: self._lines(path) for path in paths_of([edit])}
                changed.update(dict.fromkeys(() if outcome.already else paths_of([edit])))
        wrong = self._kept(edits, outcomes)
        self._calls += not wrong
        return Misfit("\n".join(wrong)) if wrong else Fits("; ".join(fits), tuple(changed))

    def _outcomes(self, edits: Sequence[Edit]) -> Iterator[tuple[Edit, Outcome]]:
        """Carry edits out, one after the other; of a block, none after the first that fails."""
        tree = self._carrier.tree
        tree.ignored |= ignored_among(paths_of(edits), tree.gate.rules)
        tree.begin()
        for _, block in groupby(edits, key=lambda edit: edit.origin.block):
            for edit in block:
                outcome = with_names(self.root, edit, self._carrier.carry(edit))
                yield edit, outcome
                if isinstance(outcome, Failed):
                    break

    def _kept(self, edits: Sequence[Edit], outcomes: Sequence[tuple[Edit, Outcome]]) -> list[str]:
        """Keep edits that all fitted, or none; what is wrong with those that did not."""
        wrong = [_said(edit.path, one) for edit, one in outcomes if isinstance(one, Failed)]
        if wrong:
            self._carrier.tree.revert()
        else:
            self.edits += edits
        return wrong

    def _lines(self, path: str) -> list[str]:
        """The file's lines as drafted; none where there is no text."""
        entry = self._entry(path)
        if isinstance(entry, Refusal) or not entry.exists:
            return []
        return entry.bytes_now().decode("utf-8", "replace").splitlines()


@contextlib.contextmanager
def drafting(root: Path, rules: Rules) -> Iterator[Drafts]:
    """Drafts of the files below a root, none yet.

    Raises:
        StorageError: the root cannot be opened.
    """
    with readable_root(root) as descriptor:
        yield Drafts(root, Carrier(Tree(descriptor, Gate.at(root, rules))))


def with_drafts(reply: Reply, edits: Sequence[Edit]) -> Reply:
    """The last reply with all that was drafted before it, to be planned as one."""
    if not edits:
        return reply
    return evolve(reply, edits=(*edits, *reply.edits), no_change=None)


def _replacing(lines: list[str], old: str, new: str) -> Hunk | Failed:
    """The hunk that puts one text in place of another in the file."""
    text = "\n".join([*lines, ""])
    wanted, given = old.removesuffix("\n"), new.removesuffix("\n" * old.endswith("\n"))
    places = _places(text, old)
    if not places and not wanted.endswith("\n"):  # the last line's end does not count
        places = _places(text, wanted)
    if not places:
        return Hunk(hunk_lines(wanted.split("\n"), given.removesuffix("\n").split("\n")))
    first, *others = places
    if others:
        return found_often([text.count("\n", 0, at) for at in places])
    low = text.rfind("\n", 0, first) + 1
    high = text.index("\n", first + len(wanted))
    before, head, tail = text[low:high], text[low:first], text[first + len(wanted) : high]
    if head or tail:
        after = f"{head}{given}{tail}".split("\n")
    else:
        after = given.removesuffix("\n").split("\n") if given else []
    return Hunk(hunk_lines(before.split("\n"), after), quoted=True)


def _places(text: str, wanted: str) -> list[int]:
    """Where the text stands, overlaps too; at most so many as are needed to refuse it."""
    found: list[int] = []
    at = text.find(wanted) if wanted else -1
    while at >= 0 and len(found) < MOST_PLACES:
        found.append(at)
        at = text.find(wanted, at + 1)
    return found


def _said(path: str, failed: Failed) -> str:
    more = f"\n{failed.text}" if failed.text else ""
    return f"{path}: {failed.short}.{more}"


def _fitted(edit: Edit, outcome: Carried, before: list[str], after: list[str]) -> str:
    """What the edit comes to: the lines that changed, as they are numbered from now on."""
    if outcome.already:
        return f"{edit.path} stands as asked already"
    if isinstance(edit, Delete):
        return f"{edit.path} deleted"
    if isinstance(edit, Move):
        return f"{edit.path} moved to {edit.to}"
    if not before:
        return f"new file {edit.path} ({len(after)} line{'s' * (len(after) != 1)})"
    return f"{_spans(before, after)} of {edit.path}"


def _spans(before: list[str], after: list[str]) -> str:
    spans: list[str] = []
    at = new_at = 0
    for start, new_start, size in [*same_runs(before, after), (len(before), len(after), 0)]:
        if new_start > new_at + 1:
            spans.append(f"lines {new_at + 1}-{new_start}")
        elif new_start > new_at:
            spans.append(f"line {new_start}")
        elif start > at:
            spans.append(f"what stood after line {new_at}")
        at, new_at = start + size, new_start + size
    return ", ".join(spans)
