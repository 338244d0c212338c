"""What kept snapshots say: what stood at a path, what differs between two of them."""

import os
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from attrs import frozen

from agent_runner.workspace.filetree import LINK, Entry
from agent_runner.workspace.objects import FOLDER_MODE, ObjectStore, tree_entries


@frozen
class Change:
    """One path that differs between two snapshots; None where it has no file."""

    path: str
    before: Entry | None
    after: Entry | None

    @property
    def kind(self) -> str:
        """`added`, `deleted`, `modified`, `mode` (executable or not), `type` (file or link)."""
        if self.before is None or self.after is None:
            return "added" if self.before is None else "deleted"
        if (self.before.mode == LINK) is not (self.after.mode == LINK):
            return "type"
        return "mode" if self.before.name == self.after.name else "modified"


_Rows: TypeAlias = dict[str, Entry]
"""The entries of one folder, folders among them."""


def changes(store: ObjectStore, earlier: str, later: str) -> tuple[Change, ...]:
    """What differs between two snapshots, given by their ids; sorted by path.

    Raises:
        StateError: one of them is not kept any more.
    """
    pair = (bytes.fromhex(earlier), bytes.fromhex(later))
    return tuple(sorted(_between(store, *pair, ""), key=lambda change: change.path))


def entries(store: ObjectStore, snapshot: str) -> dict[str, Entry]:
    """All files of a snapshot, given by its id, by path.

    Raises:
        StateError: it is not kept any more.
    """
    found = _below(store, Entry(FOLDER_MODE, bytes.fromhex(snapshot)), "")
    return dict(found)


def entry_at(store: ObjectStore, snapshot: str, path: str) -> Entry | None:
    """What stood at a path as of a snapshot, given by its id; None if no file did.

    Raises:
        StateError: the snapshot is not kept any more.
    """
    here = Entry(FOLDER_MODE, bytes.fromhex(snapshot))
    for part in path.split("/"):
        if here.mode != FOLDER_MODE:
            return None
        found = _rows(store, here.name).get(part)
        if found is None:
            return None
        here = found
    return None if here.mode == FOLDER_MODE else here


def _between(store: ObjectStore, old: bytes, new: bytes, prefix: str) -> Iterator[Change]:
    """Differences below a folder that both have; equal folders are not looked into."""
    if old == new:
        return
    rows, new_rows = set(_listed(store, old)), set(_listed(store, new))
    before, after = _by_name(rows - new_rows), _by_name(new_rows - rows)
    for name in before.keys() | after.keys():
        one, other, path = before.get(name), after.get(name), f"{prefix}{name}"
        if one and other and one.mode == other.mode == FOLDER_MODE:
            yield from _between(store, one.name, other.name, f"{path}/")
            continue
        gone, come = dict(_below(store, one, path)), dict(_below(store, other, path))
        for place in gone.keys() | come.keys():
            yield Change(place, gone.get(place), come.get(place))


def _below(store: ObjectStore, entry: Entry | None, path: str) -> Iterator[tuple[str, Entry]]:
    """The file at a path, or all files of the folder there."""
    if entry is None:
        return
    if entry.mode != FOLDER_MODE:
        yield path, entry
        return
    for name, inner in _rows(store, entry.name).items():
        yield from _below(store, inner, f"{path}/{name}" if path else name)


def _rows(store: ObjectStore, name: bytes) -> _Rows:
    return _by_name(_listed(store, name))


def _listed(store: ObjectStore, name: bytes) -> list[tuple[bytes, bytes, bytes]]:
    return tree_entries(store.get(name), len(name))


def _by_name(rows: Iterable[tuple[bytes, bytes, bytes]]) -> _Rows:
    return {os.fsdecode(last): Entry(mode, inner) for mode, last, inner in rows}
