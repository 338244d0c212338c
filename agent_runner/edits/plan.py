"""From edits to a change set, in memory.

All of them or a rejection that says what to send again.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from attrs import define, evolve, field, frozen

from agent_runner.edits.carrying import Carried, Failed, carry_out
from agent_runner.edits.edit import Complaint, Edit, Move, Origin, Reply
from agent_runner.edits.jail import opened_root, spelled
from agent_runner.edits.nearest import nearest_names
from agent_runner.edits.rejection import Rejection, Verdict, rejection
from agent_runner.edits.rules import Gate, Rules
from agent_runner.edits.tree import Entry, Tree, sha256
from agent_runner.ground.judges import judges_among
from agent_runner.model.changes import ChangeSet, FileChange
from agent_runner.model.errors import StorageError


@frozen
class Planned:
    """A reply's changes, ready to be journaled and applied.

    `blobs`: every before- and after-image by its sha256. `notes`: what a person should know, a line
    each. `summary`: one line. An empty change set: all that was asked for already stood.
    """

    change_set: ChangeSet
    blobs: Mapping[str, bytes] = field(hash=False)
    notes: tuple[str, ...] = ()
    summary: str = ""


def plan(
    edits: Sequence[Edit],
    root: Path,
    rules: Rules,
    *,
    problems: Sequence[Complaint] = (),
    change_id: str = "",
) -> Planned | Rejection:
    """Carry the edits out in memory, in order; nothing is written.

    `problems`: blocks that could not be read, to be told with those that cannot be carried out.
    `change_id`: the change set's id; by default a hash of what it changes.

    Raises:
        StorageError: the root cannot be opened.
    """
    try:
        with opened_root(root) as descriptor:
            gate = Gate.at(root, rules)
            tree = Tree(descriptor, gate, _ignored(edits, rules))
            planning = _Planning(tree, root)
            for _, block in groupby(edits, key=lambda edit: edit.origin):
                planning.carry(list(block))
            if problems or any(not verdict.fine for verdict in planning.verdicts):
                return rejection(planning.verdicts, problems, tuple(planning.fine))
            return planning.planned(change_id)
    except OSError as error:
        raise StorageError(
            f"{root}: {error.strerror}", fix="mend the folder, then resume"
        ) from error


def plan_replies(
    replies: Sequence[Reply], root: Path, rules: Rules, *, change_id: str = ""
) -> Planned | Rejection:
    """Plan the last reply together with what was fine in the rejected ones before it.

    `replies`: in order, those of one chain of corrections. A rejection tells the agent to send only
    the failed blocks again; this is what keeps the others.
    """
    kept: tuple[Edit, ...] = ()
    for reply in replies[:-1]:
        outcome = plan(merged(kept, reply.edits), root, rules, problems=reply.problems)
        fine = outcome.fine if isinstance(outcome, Rejection) else ()
        kept = tuple(
            evolve(edit, origin=evolve(edit.origin, kept=edit.origin.kept + 1)) for edit in fine
        )
    last = replies[-1] if replies else Reply()
    edits = merged(kept, last.edits)
    return plan(edits, root, rules, problems=last.problems, change_id=change_id)


def merged(kept: Sequence[Edit], edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The kept edits, then the new ones but for those that only repeat a kept one."""
    known = set(kept)
    return (*kept, *(edit for edit in edits if edit not in known))


def _ignored(edits: Iterable[Edit], rules: Rules) -> frozenset[str]:
    """The paths of the edits that git ignores, asked for all at once."""
    if rules.ignored is None:
        return frozenset()
    spellings = [edit.path for edit in edits]
    spellings += [edit.to for edit in edits if isinstance(edit, Move)]
    plain = [path for spelling in spellings if isinstance(path := spelled(spelling), str)]
    return frozenset(rules.ignored(tuple(dict.fromkeys(plain)))) if plain else frozenset()


@define
class _Planning:
    """What came of the blocks so far."""

    tree: Tree
    root: Path
    verdicts: list[Verdict] = field(factory=list)
    fine: list[Edit] = field(factory=list)
    notes: list[str] = field(factory=list)

    def carry(self, block: list[Edit]) -> None:
        """All edits of a block, or none."""
        self.tree.begin()
        outcomes: list[Carried] = []
        for edit in block:
            outcome = carry_out(self.tree, edit)
            if isinstance(outcome, Failed):
                self.tree.revert()
                self.verdicts.append(self._failed(edit, outcome))
                return
            outcomes.append(outcome)
        self.fine += block
        self.notes += [outcome.note for outcome in outcomes if outcome.note]
        already = all(outcome.already for outcome in outcomes)
        origin = block[0].origin
        self.verdicts.append(Verdict(origin, block[0].path, fine=True, already=already))
        if already:
            self.notes.append(f"already as asked: {_where(origin)} ({block[0].path})")

    def _failed(self, edit: Edit, failed: Failed) -> Verdict:
        text = failed.text
        if failed.short == "the file does not exist":
            names = nearest_names(self.root, edit.path)
            text = f"  Nearest: {', '.join(names)}." if names else "  No file has a name like it."
        return Verdict(edit.origin, edit.path, fine=False, short=failed.short, text=text)

    def planned(self, change_id: str) -> Planned:
        """The change set of all entries that differ from what stood there."""
        changed: list[Entry] = []
        changes: list[FileChange] = []
        blobs: dict[str, bytes] = {}
        for entry in self.tree.entries.values():
            content = entry.bytes_now() if entry.exists else None
            after = entry.after(content)
            if after == entry.before:
                continue
            for image, raw in ((entry.before, entry.original), (after, content)):
                if raw is not None:
                    blobs[image.sha256] = raw
            changed.append(entry)
            changes.append(FileChange(entry.path, entry.before, after))
        name = change_id or _fingerprint(changes)
        change_set = ChangeSet(name, _with_temps(name, changes), _new_folders(changed))
        notes = list(dict.fromkeys(self.notes))
        tests = judges_among(change_set.paths)
        if tests:
            notes.append(f"also changes what judges it: {', '.join(tests)}")
        return Planned(change_set, blobs, tuple(notes), _summary(changed))


def _with_temps(name: str, changes: list[FileChange]) -> tuple[FileChange, ...]:
    mark = sha256(name.encode("utf-8", "surrogatepass"))[:12]
    return tuple(
        evolve(change, temp=f".{mark}-{number}.agent-runner.tmp")
        for number, change in enumerate(changes)
    )


def _new_folders(changed: list[Entry]) -> tuple[str, ...]:
    folders = {folder for entry in changed if entry.exists for folder in entry.missing}
    return tuple(sorted(folders, key=lambda folder: (folder.count("/"), folder)))


def _where(origin: Origin) -> str:
    return f"block {origin.block}" + (" of an earlier reply" if origin.kept else "")


def _fingerprint(changes: list[FileChange]) -> str:
    text = "\n".join(f"{c.path}\0{c.before}\0{c.after}" for c in changes)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _summary(changed: list[Entry]) -> str:
    """One line for people: `3 files, 1 new, 1 deleted, +10 -2`."""
    if not changed:
        return "no changes"
    new = sum(entry.original is None for entry in changed)
    gone = sum(not entry.exists for entry in changed)
    plus = sum(entry.counted[0] for entry in changed)
    minus = sum(entry.counted[1] for entry in changed)
    kinds = [f"{count} {word}" for count, word in ((new, "new"), (gone, "deleted")) if count]
    files = f"{len(changed)} file{'s' if len(changed) != 1 else ''}"
    return ", ".join([files, *kinds, f"+{plus} -{minus}"])
