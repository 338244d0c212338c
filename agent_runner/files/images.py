"""How a change set's files stand in the tree now: each judged by the hash of its content."""

import contextlib
import enum
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from attrs import define, evolve, field, frozen

from agent_runner.ground.beneath import (
    Refusal,
    open_entry,
    open_folder,
    opened_root,
    read_all,
    readable_root,
)
from agent_runner.model.changes import ABSENT, ChangeSet, FileChange, Image, Kind

_MOST_OPEN = 64
"""Folders kept open at a time; macOS gives a process 256 descriptors."""

Stamp: TypeAlias = tuple[int, ...]
"""What the system says of a file, another one after every change of it; () where none stands."""


class Stands(enum.Enum):
    """Which image a file is."""

    BEFORE = "before"
    AFTER = "after"
    NEITHER = "neither"


@frozen
class Judgement:
    """One change and which of its images stands.

    `reason`: for NEITHER. `mode`, `owner`: of the file that is there. `image`: what is there, None
    where it cannot be looked at.
    """

    change: FileChange
    stands: Stands
    reason: str = ""
    mode: int | None = None
    owner: tuple[int, int] | None = None
    stamp: Stamp = ()
    image: Image | None = None


@define
class Folders:
    """Descriptors of the folders below a root, opened once each, through no symbolic link."""

    root: int
    _open: dict[str, int] = field(init=False, factory=dict)

    def at(self, folder: str) -> int | Refusal | None:
        """The folder's descriptor, valid until the next call; None if it is not there."""
        if not folder:
            return self.root
        if folder in self._open:
            return self._open[folder]
        descriptor = open_folder(self.root, folder.split("/"))
        if descriptor is None or isinstance(descriptor, Refusal):
            return descriptor
        if len(self._open) >= _MOST_OPEN:
            os.close(self._open.pop(next(iter(self._open))))
        self._open[folder] = descriptor
        return descriptor

    def close(self) -> None:
        """Close them all."""
        for descriptor in self._open.values():
            os.close(descriptor)


@contextlib.contextmanager
def opened_folders(root: Path) -> Iterator[Folders]:
    """The folders below a root. Raises OSError: the root is not there or no folder."""
    with opened_root(root) as descriptor, contextlib.closing(Folders(descriptor)) as folders:
        yield folders


def judge(change_set: ChangeSet, root: Path) -> tuple[Judgement, ...]:
    """Say of every change which of its images stands in the tree. Nothing is touched.

    Raises:
        StorageError: the root or a file cannot be read.
    """
    with readable_root(root) as descriptor, contextlib.closing(Folders(descriptor)) as folders:
        return tuple(judged(folders, change) for change in change_set.changes)


def standing(root: Path, paths: Iterable[str]) -> dict[str, Image]:
    """What stands at each path now; paths that cannot be looked at are left out, so is a lost root.

    Raises:
        StorageError: the root or a file cannot be read.
    """
    if not root.is_dir():
        return {}
    changes = (FileChange(path, ABSENT, ABSENT) for path in paths)
    found = judge(ChangeSet("", tuple(changes)), root)
    return {one.change.path: one.image for one in found if one.image is not None}


def judged(folders: Folders, change: FileChange) -> Judgement:
    """The same for one change."""
    folder = folders.at(parent(change.path))
    found = open_entry(folder, name(change.path)) if isinstance(folder, int) else folder
    if isinstance(found, Refusal):
        return Judgement(change, Stands.NEITHER, found.reason)
    if found is None:
        return _judgement(change, ABSENT)
    status = os.fstat(found)
    mode = stat.S_IMODE(status.st_mode)
    image = Image(Kind.FILE, mode, hashlib.sha256(read_all(found)).hexdigest())
    owner = (status.st_uid, status.st_gid)
    return evolve(_judgement(change, image), mode=mode, owner=owner, stamp=stamp(status))


def stamp(status: os.stat_result) -> Stamp:
    """What tells that a file was changed or replaced since it was looked at."""
    about = (status.st_dev, status.st_ino, status.st_nlink, status.st_mode, status.st_size)
    return (*about, status.st_mtime_ns, status.st_ctime_ns)


def parent(path: str) -> str:
    """The folder of a relative path, "" for the root."""
    return path.rpartition("/")[0]


def name(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("/")[2]


def folders_of(change_set: ChangeSet) -> Iterator[str]:
    """Every folder in which a name comes or goes, once each."""
    places = [parent(change.path) for change in change_set.changes]
    places += [parent(folder) for folder in (*change_set.folders, *change_set.removed)]
    yield from dict.fromkeys(places)


def _judgement(change: FileChange, there: Image) -> Judgement:
    """By content; by permission bits too where nothing else tells the images apart."""
    before, after = (
        (image.kind, image.sha256) == (there.kind, there.sha256)
        for image in (change.before, change.after)
    )
    if before or after:
        is_after = after and not (before and there.mode != change.after.mode)
        return Judgement(change, Stands.AFTER if is_after else Stands.BEFORE, image=there)
    appeared = "appeared" if change.before.kind is Kind.ABSENT else "was edited"
    happened = "was deleted" if there.kind is Kind.ABSENT else appeared
    reason = f"it {happened} since the change was planned"
    return Judgement(change, Stands.NEITHER, reason, image=there)
