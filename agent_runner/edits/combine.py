"""Several change sets, one after the other, as one."""

from collections.abc import Sequence

from attrs import evolve

from agent_runner.model.changes import ChangeSet, FileChange


def combined(change_sets: Sequence[ChangeSet], name: str) -> ChangeSet:
    """From each path's first before-image to its last after-image; what came back is left out."""
    changes: dict[str, FileChange] = {}
    for change_set in change_sets:
        for change in change_set.changes:
            first = changes.get(change.path, change)
            changes[change.path] = evolve(change, before=first.before)
    kept = tuple(change for change in changes.values() if change.before != change.after)
    folders = dict.fromkeys(f for change_set in change_sets for f in change_set.folders)
    removed = dict.fromkeys(f for change_set in change_sets for f in change_set.removed)
    return ChangeSet(name, kept, tuple(folders), tuple(removed))


def both(one: ChangeSet, other: ChangeSet) -> ChangeSet:
    """Two change sets of different files as one, under the first one's id."""

    def depth(folder: str) -> int:
        return folder.count("/")

    come = sorted({*one.folders, *other.folders}, key=depth)
    gone = sorted({*one.removed, *other.removed}, key=depth, reverse=True)
    return ChangeSet(one.id, (*one.changes, *other.changes), tuple(come), tuple(gone))
