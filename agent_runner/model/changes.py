"""What a reply changes, planned in memory: an image before and one after for each file.

An image names its content by sha256; the content itself is a blob in the state folder.
"""

import enum
from collections.abc import Sequence
from typing import Protocol

from attrs import evolve, frozen


class Kind(enum.StrEnum):
    """What is at a path; folders, links and devices are never changed, so there are no others."""

    FILE = "file"
    ABSENT = "absent"


@frozen
class Image:
    """What is, or is to be, at a path: kind, permission bits, sha256 of the content (64 digits)."""

    kind: Kind
    mode: int = 0o644
    sha256: str = ""


ABSENT = Image(Kind.ABSENT, 0, "")


@frozen
class FileChange:
    """One changed path, relative to the task's root, with `/`.

    `temp`: name of the temporary file beside it. It is planned, not made up while writing, so that
    a recovery knows what to remove.
    """

    path: str
    before: Image
    after: Image
    temp: str = ""


@frozen
class ChangeSet:
    """All files that one reply changes, applied together or not at all.

    `folders`: those that it creates, parents first. `removed`: those that it takes away if they are
    empty by then, deepest first.
    """

    id: str
    changes: tuple[FileChange, ...]
    folders: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The changed paths, in the order of the change set."""
        return tuple(change.path for change in self.changes)

    def inverted(self, new_id: str) -> "ChangeSet":
        """The change set that takes this one back."""
        back = tuple(FileChange(c.path, c.after, c.before, c.temp) for c in reversed(self.changes))
        return ChangeSet(new_id, back, self.removed[::-1], self.folders[::-1])


class BlobReader(Protocol):
    """Where contents are read by their sha256."""

    def get(self, name: str) -> bytes:
        """The content of this sha256 (64 hex digits)."""


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
