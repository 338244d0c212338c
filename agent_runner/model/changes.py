"""What a reply changes, planned in memory: images before and after, per file.

Contents are blobs, named by sha256.
"""

import enum

from attrs import frozen


class Kind(enum.StrEnum):
    """What stands at a path."""

    FILE = "file"
    ABSENT = "absent"


@frozen
class Image:
    """What stands (or shall stand) at a path.

    Its kind, permission bits and the sha256 of its content (64 hex digits).
    """

    kind: Kind
    mode: int = 0o644
    sha256: str = ""


ABSENT = Image(Kind.ABSENT, 0, "")


@frozen
class FileChange:
    """One path, relative to the task's root with `/`.

    `temp` is the temporary file's name in the same folder.
    """

    path: str
    before: Image
    after: Image
    temp: str = ""


@frozen
class ChangeSet:
    """All files that one reply changes, applied all or nothing.

    `folders` are those it creates, parents first; `removed` those it takes away if they are empty,
    deepest first.
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
