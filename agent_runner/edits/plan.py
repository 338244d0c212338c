"""From a reply to a change set, in memory: all of its edits, or what to mend in them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from attrs import define, evolve, field, frozen

from agent_runner.edits.carry_out import Carrier
from agent_runner.edits.edit import (
    Alter,
    Delete,
    Edit,
    Hunk,
    Move,
    NoChange,
    Reply,
    StrayFence,
    Write,
)
from agent_runner.edits.naming import is_path
from agent_runner.edits.nearest import nearest_names
from agent_runner.edits.outcome import MISSING, Carried, Failed, Outcome
from agent_runner.edits.rejection import Rejection, no_change_found, rejection
from agent_runner.edits.stray_fences import judge, quotes
from agent_runner.files.jail import spelled
from agent_runner.files.rules import Gate, Rules
from agent_runner.files.tree import Entry, Tree, sha256
from agent_runner.ground.beneath import readable_root
from agent_runner.model.changes import ChangeSet, FileChange

_NEAR = 4
"""Lines from a fence to one that says what comes in place of its lines: a word, blank lines."""


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


def plan(reply: Reply, root: Path, rules: Rules, *, change_id: str = "") -> Planned | Rejection:
    """Carry the reply's edits out in memory, in order; nothing is written.

    A reply that asks for nothing (`Reply.no_change`) comes to an empty change set; it is rejected
    if it shows code and does not say `NO CHANGE NEEDED`. `change_id`: the change set's id; by
    default a hash of what it changes.

    Raises:
        StorageError: the root cannot be opened.
    """
    with readable_root(root) as descriptor:
        ignored = ignored_among(paths_of((*reply.edits, *reply.stray_fences)), rules)
        tree = Tree(descriptor, Gate.at(root, rules), ignored)
        planning = _Planning(Carrier(tree, reply.exact, reply.redacted), root)
        for _, block in groupby(reply.edits, key=lambda edit: edit.origin):
            planning.carry(list(block))
        for fence in reply.stray_fences:  # when all that could make them harmless is done
            planning.judge(fence)
        if any(isinstance(outcome, Failed) for _, outcome in planning.blocks):
            return rejection(planning.blocks, tuple(planning.fine))
        missing = reply.no_change
        if missing is not None and missing.shows_code and missing.why is None:
            return no_change_found(missing)
        return planning.planned(change_id)


def plan_replies(
    replies: Sequence[Reply], root: Path, rules: Rules, *, change_id: str = ""
) -> Planned | Rejection:
    """Plan the last reply together with what was fine in the rejected ones before it.

    `replies`: in order, those of one chain of corrections. A rejection tells the agent to send only
    the failed blocks again; this is what keeps the others. A last reply without any block is
    rejected while some are kept: alone they are half of what was meant.
    """
    kept: tuple[Edit, ...] = ()
    outcome: Planned | Rejection = Planned(ChangeSet(change_id, ()), {})
    for reply in replies or (Reply(),):
        if kept and (reply.no_change or not reply.edits):
            found = reply.no_change or NoChange("requests only")
            outcome = evolve(no_change_found(found), fine=kept)
        else:
            edits = merged(kept, reply.edits)
            outcome = plan(evolve(reply, edits=edits), root, rules, change_id=change_id)
        fine = outcome.fine if isinstance(outcome, Rejection) else ()
        kept = tuple(evolve(e, origin=evolve(e.origin, kept=e.origin.kept + 1)) for e in fine)
    return outcome


def merged(kept: Sequence[Edit], edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The kept edits, then the new ones but for those that only repeat a kept one.

    A kept one gives way to a new one of the same lines, or of the whole file: the agent has changed
    its mind.
    """
    known = set(kept)
    new = [edit for edit in edits if edit not in known]
    return (*(e for e in kept if not any(_takes_back(one, e) for one in new)), *new)


def _takes_back(later: Edit, earlier: Edit) -> bool:
    """Whether the later edit is meant instead of the earlier one, and not after it."""
    is_other = later.path.removeprefix("./") != earlier.path.removeprefix("./")
    if is_other or earlier.origin.drafted:
        return False
    if isinstance(later, Write | Delete):
        return isinstance(earlier, Write | Alter)
    if not isinstance(later, Alter) or not isinstance(earlier, Alter):
        return False

    def place(hunk: Hunk) -> tuple[object, ...]:
        return tuple(hunk.before), hunk.anchors, hunk.heading, hunk.start

    made = {place(hunk): hunk for hunk in earlier.hunks}
    return any(made.get(place(hunk), hunk) != hunk for hunk in later.hunks)


def paths_of(edits: Iterable[Edit]) -> list[str]:
    """All paths that the edits name, as they spell them."""
    return [path for e in edits for path in (e.path, *([e.to] if isinstance(e, Move) else []))]


def ignored_among(spellings: Iterable[str], rules: Rules) -> frozenset[str]:
    """The paths that git ignores, asked for all at once."""
    if rules.ignored is None:
        return frozenset()
    plain = [path for spelling in spellings if isinstance(path := spelled(spelling), str)]
    return frozenset(rules.ignored(tuple(dict.fromkeys(plain)))) if plain else frozenset()


def with_names(root: Path, edit: Edit, outcome: Outcome) -> Outcome:
    """What came of the edit; of a file that is not there, with the names that are most like it."""
    if outcome != MISSING:
        return outcome
    names = ", ".join(nearest_names(root, edit.path)) or "no file has a name like it"
    return evolve(MISSING, text=f"  Nearest: {names}.")


@define
class _Planning:
    """What came of the blocks so far."""

    carrier: Carrier
    root: Path
    blocks: list[tuple[Edit, Outcome]] = field(factory=list)
    fine: list[Edit] = field(factory=list)
    notes: list[str] = field(factory=list)
    _by_path: dict[str, list[Edit]] = field(init=False, factory=dict)
    _quoted: StrayFence | None = field(init=False, default=None)

    def carry(self, block: list[Edit]) -> None:
        """All edits of a block, or none."""
        self.carrier.tree.begin()
        outcomes: list[Carried] = []
        for edit in block:
            outcome = self._repeated(edit) or self.carrier.carry(edit)
            if isinstance(outcome, Failed):
                self.carrier.tree.revert()
                self.blocks.append((edit, with_names(self.root, edit, outcome)))
                return
            outcomes.append(outcome)
        self.fine += block
        for edit in block:
            self._by_path.setdefault(edit.path, []).append(edit)
        self.notes += [outcome.note for outcome in outcomes if outcome.note]
        already = all(outcome.already for outcome in outcomes)
        self.blocks.append((block[0], Carried(already)))
        if already:
            earlier = " of an earlier reply" if block[0].origin.kept else ""
            where = f"block {block[0].origin.block}{earlier} ({block[0].path})"
            self.notes.append(f"already as asked: {where}")

    def judge(self, fence: StrayFence) -> None:
        """A fence that may be no edit: nothing comes of it if it is none.

        One that goes on with a fence that quotes a file may say what is to come in its place.
        """
        self.carrier.tree.begin()
        quoted = self._quoted
        if quoted is not None and not is_path(fence.path):
            below = quoted.origin.line + quoted.text.count("\n") + 1  # its last line
            is_next = fence.origin.line - below <= _NEAR
            fence = evolve(fence, path=quoted.path, alone=False) if is_next else fence
        self._quoted = fence if quotes(fence, self.carrier) else None
        outcome = judge(fence, self.carrier, tuple(self._by_path))
        if isinstance(outcome, Failed) or not outcome.already:
            self.blocks.append((fence, outcome))

    def _repeated(self, edit: Edit) -> Outcome | None:
        """What an earlier block of the same reply makes of this edit: a repetition, a doubt."""
        known = self._by_path.get(edit.path, [])
        earlier = [one for one in known if one.origin.kept == edit.origin.kept]
        is_in_order = self.carrier.exact or edit.origin.drafted
        if is_in_order or not isinstance(edit, Write | Alter | Delete):
            return None
        if edit in earlier:
            return Carried(already=True)
        other = next((one for one in earlier if _takes_back(edit, one)), None)
        if other is None:
            return None
        short = f"it contradicts block {other.origin.block}, which changes the same lines"
        return Failed(short, "  Send one block for them, with all that is to come of them.")

    def planned(self, change_id: str) -> Planned:
        """The change set of all entries that differ from what stood there."""
        changed: list[Entry] = []
        changes: list[FileChange] = []
        blobs: dict[str, bytes] = {}
        for entry in self.carrier.tree.entries.values():
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
        folders = {f for entry in changed if entry.exists for f in entry.missing}
        in_order = tuple(sorted(folders, key=lambda folder: (folder.count("/"), folder)))
        change_set = ChangeSet(name, with_temps(name, changes), in_order)
        notes = list(dict.fromkeys(self.notes))
        return Planned(change_set, blobs, tuple(notes), _summary(changed))


def with_temps(name: str, changes: Sequence[FileChange]) -> tuple[FileChange, ...]:
    """The changes, each with the name of its temporary file; `name` is the change set's."""
    mark = sha256(name.encode("utf-8", "surrogatepass"))[:12]
    return tuple(
        evolve(change, temp=f".{mark}-{number}.agent-runner.tmp")
        for number, change in enumerate(changes)
    )


def _fingerprint(changes: list[FileChange]) -> str:
    text = "\n".join(f"{c.path}\0{c.before}\0{c.after}" for c in changes)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _summary(changed: list[Entry]) -> str:
    """One line for people: `3 files, 1 new, 1 deleted, +10 -2`."""
    if not changed:
        return "no changes"
    new = sum(entry.original is None for entry in changed)
    gone = sum(not entry.exists for entry in changed)
    plus = minus = 0
    for entry in changed:
        plus, minus = plus + entry.counted[0], minus + entry.counted[1]
    kinds = [f"{count} {word}" for count, word in ((new, "new"), (gone, "deleted")) if count]
    files = f"{len(changed)} file{'s' if len(changed) != 1 else ''}"
    return ", ".join([files, *kinds, f"+{plus} -{minus}"])
