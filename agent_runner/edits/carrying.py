"""Carries one edit out on the tree in memory, and says in words what came of it."""

from attrs import evolve, frozen

from agent_runner.edits.doubt import doubt, is_output, strange
from agent_runner.edits.edit import (
    ADD,
    DROP,
    KEEP,
    TEXT_TOOL,
    Alter,
    Aside,
    Delete,
    Edit,
    Hunk,
    Move,
    SetMode,
    Unreadable,
    Write,
)
from agent_runner.edits.formats import search_replace, whole_file
from agent_runner.edits.jail import Refusal
from agent_runner.edits.left_out import defined_on, first_left_out, is_left_out
from agent_runner.edits.matching import Haystack, NoPlace, Place, locate
from agent_runner.edits.naming import fits, is_path, is_prose, is_title
from agent_runner.edits.outcome import MISSING, Carried, Failed, Outcome, in_doubt, not_found
from agent_runner.edits.putting import Put, put
from agent_runner.edits.textfile import NotTextError, TextFile, check_writable
from agent_runner.edits.tree import Entry, Tree
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
        try:
            lines = _lines_of(edit)
            check_writable("".join(line for is_new, line in lines if is_new))
            wrong = self._blotted(lines, entry)
            if wrong is None and not self.exact:
                wrong = _in_doubt(edit, lines, entry)
            return wrong or self._carry(edit, entry)
        except NotTextError as error:
            return Failed(f"{error}", "  Only UTF-8 text can be written by a reply.")

    def _blotted(self, lines: list[tuple[bool, str]], entry: Entry) -> Failed | None:
        """The refusal of a mark in a key's place; what programs write, they read without marks."""
        new = [line for is_new, line in lines if is_new and MARK in line]
        if not new:
            return None
        if self.redacted:
            return _lost_key(new[0])
        if self.exact:
            return None
        line = self.tree.gate.rules.blots.in_place_of_key(new, entry.original or b"")
        return None if line is None else _lost_key(line)

    def judge(self, aside: Aside, changed: tuple[str, ...]) -> Outcome:
        """What comes of a fence that is not clearly an edit, when all edits stand.

        One whose lines all stand in the file shows something and asks for nothing; one that brings
        new lines may be an edit that was meant, and is never dropped without a word. `changed`: the
        files that the reply has edits of, on which the fence may comment.
        """
        if not aside.path or aside.path in changed:
            return self._comment(aside, (aside.path,) if aside.path else changed)
        entry = self.tree.at(aside.path)
        if isinstance(entry, Refusal):
            return Carried(already=True)  # no file of the task can be meant
        exists = entry.exists or entry.original is not None
        new = _new_lines(aside, entry)
        is_fit = fits(aside.language, aside.path)
        is_name = is_path(aside.path) or (aside.alone and "/" in aside.path)
        is_meant = exists or (is_fit and is_name and not is_title(aside.path))
        if not is_meant or (new and is_output(new)) or (exists and all(map(is_left_out, new))):
            return Carried(already=True)
        if aside.alone and is_fit and exists:
            return self.carry(Write(aside.path, aside.origin, aside.text))
        short = (
            f"line {aside.named_at} of the reply names `{aside.path}`, and it is unclear whether"
            " the fence below is that file (only its path may stand right above it, and the"
            " language has to fit)"
        )
        return in_doubt(aside.path, short)

    def _comment(self, aside: Aside, changed: tuple[str, ...]) -> Outcome:
        """A fence beside edits explains them, unless it defines anew what one of the files does."""
        for path in changed:
            entry = self.tree.at(path)
            if isinstance(entry, Refusal) or not fits(aside.language, path):
                continue
            lines = entry.bytes_now().decode("utf-8", "replace").split("\n")
            known = set(map(defined_on, lines)) - {""}
            again = [name for s in aside.text.split("\n") if (name := defined_on(s)) in known]
            if again and not all(map(is_left_out, _new_lines(aside, entry))):
                short = f"it has `{again[0]}` as `{path}` does not have it, and changes nothing"
                return in_doubt(path, short)
        return Carried(already=True)

    def _carry(self, edit: Edit, entry: Entry) -> Outcome:
        if isinstance(edit, Write):
            return self._write(edit, entry)
        if isinstance(edit, Delete):
            return self._delete(edit, entry)
        if isinstance(edit, Move):
            return self._move(edit, entry)
        if not entry.exists:
            return MISSING
        if isinstance(edit, Alter):
            return self._alter(edit, entry)
        before = entry.mode
        entry.executable(on=isinstance(edit, SetMode) and edit.executable)
        return Carried(already=entry.mode == before)

    def _write(self, edit: Write, entry: Entry) -> Outcome:
        old = entry.text() if entry.exists else TextFile.read(b"")
        made = old.rewritten(edit.text)
        if entry.exists and made.content() == entry.bytes_now():
            return Carried(already=True)
        if old.lines and not edit.text:
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

    def _alter(self, edit: Alter, entry: Entry) -> Outcome:
        text = entry.text()
        shift = after = standing = 0
        wrong: list[Failed] = []
        for number, written in enumerate(edit.hunks, 1):
            hunk = _as_file(written, text)
            hay = Haystack(text.lines)
            place = self._place(hay, hunk, after, shift)
            if isinstance(place, NoPlace):
                if _stands(hay, hunk, place):
                    standing += 1
                else:
                    label = f"hunk {number}: " if len(edit.hunks) > 1 else ""
                    wrong.append(not_found(label, text.lines, hunk, place))
            elif hunk.changes_nothing or (not self.exact and _is_inserted(text.lines, place, hunk)):
                standing += 1
            else:
                grown = text.splice(place.start, place.lines)
                if hunk.newline_at_end is not None:
                    text.finish(newline=hunk.newline_at_end)
                shift += grown
                after = place.start + len(hunk.before) + grown
        if wrong:
            texts = "\n".join(failed.text for failed in wrong if failed.text)
            return Failed("; ".join(failed.short for failed in wrong), texts)
        return Carried(already=standing == len(edit.hunks))

    def _place(self, hay: Haystack, hunk: Hunk, after: int, shift: int) -> Place | NoPlace:
        """The hunk's place; its number alone is only believed if a program wrote it.

        A wrong number of a model may point exactly at another line that is the same: unless lines
        that stay bear it out, the hunk must have the same place without it.
        """
        if not self.exact and hay.lines and not (hunk.before or hunk.anchors or hunk.at_end):
            return NoPlace()
        place = locate(hay, hunk, after=after, shift=shift)
        if self.exact or _tells(hunk.kept) or isinstance(place, NoPlace):
            return place
        other = locate(hay, evolve(hunk, start=None), after=after, shift=shift)
        if isinstance(other, Place) and other != place:
            return NoPlace((place.start, other.start))
        return other


def _new_lines(aside: Aside, entry: Entry) -> list[str]:
    """The lines of a fence that the file has neither now nor before."""
    texts = (entry.original or b"", entry.bytes_now())
    there = {s.strip() for text in texts for s in text.decode("utf-8", "replace").split("\n")}
    return [s for s in aside.text.split("\n") if s.strip() and s.strip() not in there]


def _lines_of(edit: Edit) -> list[tuple[bool, str]]:
    """The lines that the edit leaves or brings, each with whether it brings it."""
    if isinstance(edit, Write):
        return [(True, line) for line in edit.text.split("\n")]
    if isinstance(edit, Alter):
        lines = [line for hunk in edit.hunks for line in hunk.lines if line[0] != DROP]
        return [(op == ADD, text) for op, text in lines]
    return []


def _in_doubt(edit: Edit, lines: list[tuple[bool, str]], entry: Entry) -> Failed | None:
    """The refusal of new lines that are perhaps not meant as they stand."""
    gone = [s for hunk in edit.hunks for s in hunk.before] if isinstance(edit, Alter) else None
    line = first_left_out(lines, edit.path, entry.bytes_now, gone)
    if line is not None:
        wrong = f"`{line.strip()[:80]}` stands for lines that were left out, and would be written"
        wrong += " as it is; write every line out, or end the block before them"
        return in_doubt(
            edit.path, f"{wrong} (or word it otherwise, if it is meant)", is_whole=False
        )
    # Lines of diffs and envelopes have a mark each: what stands behind it is meant.
    is_block = gone is not None and edit.origin.form in {search_replace.NAME, TEXT_TOOL}
    new = [line for is_new, line in lines if is_new]
    if not is_block or is_prose(edit.path) or not strange(new, edit.path, ()):
        return None
    there = set(entry.bytes_now().decode("utf-8", "replace").splitlines())
    wrong = strange(new, edit.path, there)
    short = f"perhaps the new lines are not meant so: {wrong}"
    return in_doubt(edit.path, short) if wrong else None


def _lost_key(line: str) -> Failed:
    """The refusal of a line that would write the mark of a key in the key's place."""
    return Failed(
        f"`{line.strip()[:80]}` would write `{MARK}` where a secret was left out of what you saw",
        "  Leave the lines that hold secrets out of your blocks: change only the lines around them,"
        " with SEARCH/REPLACE blocks, and never send such a file as a whole.",
    )


def _as_file(hunk: Hunk, text: TextFile) -> Hunk:
    """The hunk without the BOM and the carriage returns that programs show in diffs."""
    lines = hunk.lines
    if text.bom:
        lines = tuple((op, line.removeprefix("\ufeff")) for op, line in lines)
    if "\r\n" in text.ends and any(line.endswith("\r") for line in hunk.before):
        lines = tuple((op, line.removesuffix("\r")) for op, line in lines)
    return hunk if lines is hunk.lines else evolve(hunk, lines=lines)


def _is_inserted(lines: list[str], place: Place, hunk: Hunk) -> bool:
    """Whether the lines that an insertion brings stand at its place: they are not put there twice.

    Lines that say nothing (blank ones, brackets) may be meant twice.
    """
    ops = [op for op, _ in place.lines]
    if DROP in ops or not _tells(hunk.added) or hunk.newline_at_end is not None:
        return False
    lead = next((at for at, op in enumerate(ops) if op == KEEP), len(ops))
    after = [text.rstrip() for _, text in place.lines]
    return any(
        start >= 0 and [line.rstrip() for line in lines[start : start + len(after)]] == after
        for start in (place.start, place.start - lead)
    )


def _stands(hay: Haystack, hunk: Hunk, missing: NoPlace) -> bool:
    """Whether what the hunk would bring stands in the file, surely at the place that it means.

    Its old text must be gone, and the new one must stand once, around lines that both have: the
    new lines alone may stand anywhere.
    """
    if missing.found or missing.wrong or not _tells(hunk.kept) or not _tells(hunk.added):
        return False
    place = locate(hay, evolve(hunk, lines=tuple((KEEP, line) for line in hunk.after)))
    if not isinstance(place, Place):
        return False
    there = hay.lines[place.start : place.start + len(place.lines)]
    return [line.rstrip() for line in there] == [line.rstrip() for line in hunk.after]


def _tells(lines: list[str]) -> bool:
    return any(any(map(str.isalnum, line)) for line in lines)
