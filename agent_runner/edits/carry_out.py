"""Carries one edit out on the tree in memory, and says in words what came of it."""

from collections.abc import Sequence

from attrs import evolve, frozen

from agent_runner.edits.agent_files import Put, put
from agent_runner.edits.apply_hunks import alter
from agent_runner.edits.doubt import doubt, marked, strange
from agent_runner.edits.edit import TEXT_TOOL, Alter, Delete, Edit, Move, SetMode, Unreadable, Write
from agent_runner.edits.formats import search_replace, whole_file
from agent_runner.edits.left_out import says_left_out, stands_in
from agent_runner.edits.naming import is_prose
from agent_runner.edits.outcome import MISSING, Carried, Failed, Outcome, in_doubt
from agent_runner.files.textfile import NotTextError, TextFile, check_writable
from agent_runner.files.tree import Entry, Tree
from agent_runner.ground.beneath import Refusal
from agent_runner.ground.linediff import ADD, HunkLine, hunk_lines
from agent_runner.ground.lookalikes import plain
from agent_runner.ground.redaction import MARK


@frozen
class Carrier:
    """Changes a tree as edits ask.

    `exact`: a program made the edits, so that every line and number in them is meant. `redacted`: a
    key was taken out of the reply itself, so that none of its marks is meant.
    """

    tree: Tree
    exact: bool = False
    redacted: bool = False

    def carry(self, edit: Edit) -> Outcome:
        """Carry the edit out, or say why not. A failed edit may leave the tree half changed."""
        if isinstance(edit, Unreadable):
            return Failed(edit.wrong.rstrip("."), f"  {edit.remedy}")
        entry = self.tree.at(edit.path)
        if isinstance(entry, Refusal):
            return Failed(f"not allowed: {entry.reason}")
        if isinstance(edit, Put):
            return put(self.tree, edit, entry)
        if not self.exact and self._may_be(edit.other, edit):
            short = f"its header may name `{edit.path}` or `{edit.other}`"
            return Failed(short, "  Write `--- a/PATH` and `+++ b/PATH` below `diff --git`.")
        try:
            parts = _parts(edit, entry)
            new = [text for part in parts for op, text in part if op == ADD]
            check_writable("".join(new))
            wrong = self._blotted(new, entry)
            if wrong is None and not self.exact:
                wrong = _in_doubt(edit, new, entry) or _leaves_out(edit, parts)
            return wrong or self._unquoted(self._carry(edit, entry), entry)
        except NotTextError as error:
            return Failed(f"{error}", "  Only UTF-8 text can be written by a reply.")

    def _may_be(self, other: str, edit: Edit) -> bool:
        """Whether the other file stands, or its folder, where a new file is made."""
        entry = self.tree.at(other) if other else Refusal("")
        if isinstance(entry, Refusal):
            return False
        return entry.exists or (isinstance(edit, Write) and not entry.missing)

    def _elsewhere(self, edit: Write, entry: Entry) -> Failed | None:
        """The doubt about a new file in a folder that nobody made, where the agent was shown one by
        the same path without it: small models put all files below `src/`, whatever they are shown.
        """
        above, _, path = edit.path.removeprefix("./").partition("/")
        if edit.whole or self.exact or edit.origin.drafted or above not in entry.missing:
            return None
        while path:
            other = self.tree.at(path) if self.tree.gate.rules.shown(path) else None
            if isinstance(other, Entry) and other.exists:
                short = f"`{edit.path}` is not there, and `{path}` is: which of them is meant?"
                new = f"`Whole file: {edit.path}` on the line above its fence makes a new file."
                return Failed(short, f"  To change the file that is there, name it `{path}`; {new}")
            path = path.partition("/")[2]
        return None

    def _unquoted(self, outcome: Outcome, entry: Entry) -> Outcome:
        """The outcome, without lines of a file that the agent is never shown.

        One that is gone could have been moved to any place that is here now.
        """
        if not isinstance(outcome, Failed) or not outcome.text:
            return outcome
        gone = [other for other in self.tree.entries.values() if not other.exists]
        if not any(self._hides(one) for one in (entry, *gone)):
            return outcome
        return evolve(outcome, text="  None of its lines is shown, as it may hold a secret.")

    def _hides(self, entry: Entry) -> bool:
        text = (entry.original or b"").decode("utf-8", "replace")
        return self.tree.gate.rules.hides(entry.path, text)

    def _blotted(self, lines: list[str], entry: Entry) -> Failed | None:
        """The refusal of a mark in a key's place; what programs write, they read without marks."""
        new = [line for line in lines if MARK in line]
        if not new:
            return None
        if self.redacted:
            return _lost_key(new[0])
        if self.exact:
            return None
        line = self.tree.gate.rules.marks.in_place_of_key(new, entry.original or b"")
        return None if line is None else _lost_key(line)

    def _carry(self, edit: Edit, entry: Entry) -> Outcome:
        if isinstance(edit, Write):
            return self._elsewhere(edit, entry) or self._write(edit, entry)
        if isinstance(edit, Delete):
            return self._delete(edit, entry)
        if isinstance(edit, Move):
            return self._move(edit, entry)
        if not entry.exists:
            return MISSING
        if isinstance(edit, Alter):
            return alter(entry.text(), edit.hunks, exact=self.exact)
        before = entry.mode
        entry.executable(on=isinstance(edit, SetMode) and edit.executable)
        return Carried(already=entry.mode == before)

    def _write(self, edit: Write, entry: Entry) -> Outcome:
        old = entry.text() if entry.exists else TextFile.read(b"")
        made = old.rewritten(edit.text)
        if entry.exists and made.content() == entry.bytes_now():
            return Carried(already=True)
        if old.lines and not edit.text.strip():
            short = "an empty block would empty the file"
            return Failed(short, "  Delete the file, or send its lines.")
        if old.lines and edit.new:
            is_search = edit.origin.form == search_replace.NAME
            says = "has an empty SEARCH" if is_search else "is of a new file"
            return in_doubt(edit.path, f"`{entry.path}` exists, and the block {says}")
        is_marked = edit.origin.form != whole_file.NAME
        is_sure = edit.whole or self.exact or (is_marked and not old.lines)
        wrong = "" if is_sure else doubt(edit.text, edit.path, old.lines)
        if wrong:
            return in_doubt(edit.path, f"perhaps the block is not the whole file: {wrong}")
        blocked = None if entry.exists else self.tree.make_way(entry.path)
        if blocked is not None:
            return Failed(f"not allowed: {blocked}")
        note = f"replaces all of {entry.path}" if entry.original is not None and old.lines else ""
        entry.put(made)
        return Carried(note=note)

    def _delete(self, edit: Delete, entry: Entry) -> Outcome:
        if not entry.exists:
            return Carried(already=True) if entry.original is not None else MISSING
        if edit.lines is not None and not self.exact:
            quoted = [line.removeprefix("\ufeff").rstrip() for line in edit.lines]
            if quoted != [line.rstrip() for line in entry.text().lines]:
                return Failed(
                    "the lines that are deleted are not those of the file",
                    "  To delete the file whatever it holds, write `*** Begin Patch`,"
                    f" `*** Delete File: {edit.path}`, `*** End Patch`.",
                )
        entry.put(None)
        return Carried()

    def _move(self, edit: Move, entry: Entry) -> Outcome:
        target = self.tree.at(edit.to)
        if isinstance(target, Refusal):
            shown = edit.to.encode("unicode_escape").decode()[:200]
            return Failed(f"it may not be moved to `{shown}`: {target.reason}")
        if target is entry:
            return Carried(already=True)
        if not entry.exists:
            is_done = entry.original is not None and target.exists
            return Carried(already=True) if is_done else MISSING
        if target.exists and not (edit.replaces or self.exact):
            short = f"`{target.path}` exists, and a rename would replace it"
            return Failed(short, f"  If that is meant, delete `{target.path}` first.")
        note = f"replaces {target.path} by {entry.path}" if target.exists else ""
        is_new = not target.exists
        entry.move_to(target)  # before the look for what is in the way: a name may change its case
        blocked = self.tree.make_way(target.path) if is_new else None
        if blocked is not None:
            return Failed(f"it cannot be moved to `{target.path}`: {blocked}")
        return Carried(note=note)


def _parts(edit: Edit, entry: Entry) -> list[Sequence[HunkLine]]:
    """The lines that stay, go and come: of each hunk, or of a whole file."""
    if isinstance(edit, Write):
        old = entry.text().lines if entry.exists else []
        return [hunk_lines(old, edit.text.split("\n"))]
    return [hunk.lines for hunk in edit.hunks] if isinstance(edit, Alter) else []


def _in_doubt(edit: Edit, new: list[str], entry: Entry) -> Failed | None:
    """The refusal of new lines that are perhaps not meant as they stand."""
    odd = next(filter(_is_oddly_indented, new), None)
    if odd is not None and not is_prose(edit.path):
        short = f"the indentation of `{odd.strip()[:80]}` holds a character that looks like a blank"
        return Failed(short, "  Indent with spaces or tabs.")
    # Lines of diffs and envelopes have a mark each: what stands behind it is meant.
    judge = {search_replace.NAME: strange, TEXT_TOOL: marked}.get(edit.origin.form)
    is_judged = isinstance(edit, Alter) and not is_prose(edit.path)
    if judge is None or not is_judged or not judge(new, edit.path, ()):
        return None
    there = set(entry.bytes_now().decode("utf-8", "replace").splitlines())
    wrong = judge(new, edit.path, there)
    short = f"perhaps the new lines are not meant so: {wrong}"
    return in_doubt(edit.path, short) if wrong else None


def _leaves_out(edit: Edit, parts: list[Sequence[HunkLine]]) -> Failed | None:
    """The refusal of a new line that stands for lines that the reply leaves out."""
    is_whole = isinstance(edit, Write)
    stands = "stands for lines that were left out, and would be written as it is"
    if line := says_left_out(parts, edit.path):
        more = "write every line out, or end the block before them (or word it otherwise, if meant)"
        return in_doubt(edit.path, f"`{line.strip()[:80]}` {stands}; {more}", is_whole=False)
    found = (stands_in(part, edit.path, whole=is_whole) for part in parts)
    line = next(filter(None, found), "")
    if not line or (isinstance(edit, Write) and edit.whole):
        return None
    more = "" if is_whole else "; if not, take those lines out in one block, and add it in another"
    wrong = f"perhaps `{line.strip()[:80]}` {stands}: it comes where lines go{more}"
    return in_doubt(edit.path, wrong, is_whole=is_whole)


def _lost_key(line: str) -> Failed:
    """The refusal of a line that would write the mark of a key in the key's place."""
    return Failed(
        f"`{line.strip()[:80]}` would write `{MARK}` where a secret was left out of what you saw",
        "  Leave the lines that hold secrets out of your blocks: change only the lines around them,"
        " with SEARCH/REPLACE blocks, and never send such a file as a whole.",
    )


def _is_oddly_indented(line: str) -> bool:
    """Whether something else than spaces and tabs stands before the text of the line, unseen."""
    first = line.removeprefix("\ufeff").lstrip(" \t\f\v\r")[:1]
    return bool(line.strip()) and (first.isspace() or (first != "" and not plain(first).strip()))
