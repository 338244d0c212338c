"""Writes a change set to the tree.

All or nothing, once, however often it is interrupted and begun again.

First every file is judged by its hash; one that is neither image is a conflict, and nothing is
touched. Then all new contents are written beside their files and synced, then all are renamed, then
deletions, then the folders are synced. Used unchanged for an apply, a resume and a rollback.
"""

import contextlib
import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import define, field, frozen

from agent_runner.files.images import (
    Folders,
    Judgement,
    Stands,
    folders_of,
    judged,
    name,
    opened_folders,
    parent,
    stamp,
)
from agent_runner.ground.beneath import Refusal
from agent_runner.ground.disk import storage_error, sync_names, write_all
from agent_runner.model.changes import BlobReader, ChangeSet, FileChange, Kind
from agent_runner.model.errors import AgentRunnerError

_TEMP = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_BITS = 0o7777
_BATCH = 32
_THREADS = 8

OnWrite = Callable[[str, str], None]
"""Called before each step that changes the disk.

With its word (`folder`, `temp`, `rename`, `delete`, `remove`, `sync`) and the path; what it raises
stops everything there, as a crash would.
"""


@frozen
class Conflict:
    """A file is neither of its images: nothing was touched. `reason` completes "PATH: ..."."""

    path: str
    reason: str


def apply(
    change_set: ChangeSet, root: Path, blobs: BlobReader, on_write: OnWrite | None = None
) -> Conflict | None:
    """Make the tree hold every after-image, durably; None when it does.

    Safe to call again after it was interrupted at any point. A conflict means that nothing was
    touched by this call.

    Raises:
        StorageError: the disk refused. If it did while new contents were being written (a full disk
            shows there), the tree is as before; else calling again finishes it.
    """
    place = ""
    try:
        with opened_folders(root) as folders:
            applying = _Applying(change_set, folders, blobs, on_write or (lambda *_: None))
            try:
                return applying.run()
            finally:
                place = applying.place
    except OSError as error:
        raise storage_error(root / place, error) from error


def remove_temps(change_set: ChangeSet, root: Path) -> None:
    """Remove the temporary files that an interrupted apply of this change set may have left."""
    with contextlib.suppress(OSError), opened_folders(root) as folders:
        for change in change_set.changes:
            _remove_temp(folders, change)


def _remove_temp(folders: Folders, change: FileChange) -> None:
    folder = folders.at(parent(change.path))
    if change.temp and isinstance(folder, int):
        with contextlib.suppress(OSError):
            os.unlink(change.temp, dir_fd=folder)


@define
class _Applying:
    """One application of a change set. `place` is the path in hand, for the words of an error."""

    change_set: ChangeSet
    folders: Folders
    blobs: BlobReader
    on_write: OnWrite
    place: str = field(init=False, default="")

    def run(self) -> Conflict | None:
        judgements: list[Judgement] = []
        for change in self.change_set.changes:
            self.place = change.path
            judgements.append(judged(self.folders, change))
        strange = next((j for j in judgements if j.stands is Stands.NEITHER), None)
        if strange is not None:
            return Conflict(strange.change.path, strange.reason)
        waiting = [j for j in judgements if j.stands is Stands.BEFORE]
        writes = [j for j in waiting if j.change.after.kind is Kind.FILE]
        conflict = self._prepare(waiting, writes)
        if conflict is not None:
            return conflict
        for judgement in [*writes, *(j for j in waiting if j not in writes)]:
            self._carry_out(judgement.change)
        for folder in self.change_set.removed:
            self._remove_folder(folder)
        self._sync_folders()
        return None

    def _prepare(self, waiting: list[Judgement], writes: list[Judgement]) -> Conflict | None:
        """Folders and temporary files, all synced.

        Where the disk refuses, they are taken away again.
        """
        made: list[str] = []
        try:
            for folder in self.change_set.folders:
                conflict = self._make_folder(folder, made)
                if conflict is not None:
                    self._take_away(writes, made)
                    return conflict
            self._write_temps(writes)
            conflict = self._changed_meanwhile(waiting)
        except (OSError, AgentRunnerError):
            self._take_away(writes, made)
            raise
        if conflict is not None:
            self._take_away(writes, made)
        return conflict

    def _take_away(self, writes: list[Judgement], made: list[str]) -> None:
        place = self.place
        for judgement in writes:
            _remove_temp(self.folders, judgement.change)
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                self._remove_folder(folder)
        self.place = place

    def _make_folder(self, path: str, made: list[str]) -> Conflict | None:
        self.place = path
        above = self.folders.at(parent(path))
        if not isinstance(above, int):
            return Conflict(path, above.reason if above else "its parent folder is gone")
        self.on_write("folder", path)
        try:
            os.mkdir(name(path), dir_fd=above)
            made.append(path)
        except FileExistsError:
            here = self.folders.at(path)
            if isinstance(here, Refusal):
                return Conflict(path, here.reason)
        return None

    def _write_temps(self, writes: list[Judgement]) -> None:
        """Some at a time: files that are synced together cost the disk little more than one."""
        for first in range(0, len(writes), _BATCH):
            with contextlib.ExitStack() as opened:
                batch = writes[first : first + _BATCH]
                descriptors = [self._write_temp(judgement, opened) for judgement in batch]
                for judgement in batch:
                    self.on_write("sync", judgement.change.path)
                _sync_all(descriptors)

    def _write_temp(self, judgement: Judgement, opened: contextlib.ExitStack) -> int:
        change = judgement.change
        self.place = change.path
        content = self.blobs.get(change.after.sha256)
        folder = self._folder(change.path)
        self.on_write("temp", change.path)
        with contextlib.suppress(FileNotFoundError):  # left by a crash
            os.unlink(change.temp, dir_fd=folder)
        descriptor = os.open(change.temp, _TEMP, 0o600, dir_fd=folder)
        opened.callback(os.close, descriptor)
        write_all(descriptor, content)
        _keep_owner(descriptor, judgement.owner)
        os.fchmod(descriptor, _mode(judgement))
        return descriptor

    def _changed_meanwhile(self, waiting: list[Judgement]) -> Conflict | None:
        """Writing took its time: look once more, cheaply, before the first file is replaced."""
        for judgement in waiting:
            path = judgement.change.path
            folder = self.folders.at(parent(path))
            now: tuple[int, ...] = ()
            if isinstance(folder, int):
                with contextlib.suppress(FileNotFoundError):
                    now = stamp(os.stat(name(path), dir_fd=folder, follow_symlinks=False))
            if now != judgement.stamp:
                return Conflict(path, "it was changed while the new contents were being written")
        return None

    def _carry_out(self, change: FileChange) -> None:
        self.place = change.path
        folder = self._folder(change.path)
        is_file = change.after.kind is Kind.FILE
        self.on_write("rename" if is_file else "delete", change.path)
        if is_file:
            os.rename(change.temp, name(change.path), src_dir_fd=folder, dst_dir_fd=folder)
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name(change.path), dir_fd=folder)

    def _remove_folder(self, path: str) -> None:
        """Only if it is empty: what the user put there stays."""
        self.place = path
        above = self.folders.at(parent(path))
        if not isinstance(above, int):
            return
        self.on_write("remove", path)
        try:
            os.rmdir(name(path), dir_fd=above)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR}:
                raise

    def _sync_folders(self) -> None:
        """Make the names durable, also those that an interrupted call had already given."""
        for folder in folders_of(self.change_set):
            self.place = folder
            descriptor = self.folders.at(folder)
            if isinstance(descriptor, int):
                self.on_write("sync", folder)
                sync_names(descriptor)

    def _folder(self, path: str) -> int:
        folder = self.folders.at(parent(path))
        if isinstance(folder, int):
            return folder
        raise OSError(errno.ENOENT, folder.reason if folder else "its folder is gone", path)


def _mode(judgement: Judgement) -> int:
    """The planned bits, where the change is about them; else those that the file has by now."""
    change = judgement.change
    if judgement.mode is not None and change.before.mode == change.after.mode:
        return judgement.mode & _BITS
    return change.after.mode & _BITS


def _keep_owner(descriptor: int, owner: tuple[int, int] | None) -> None:
    """A file that another user owns (the runner being root) stays theirs."""
    status = os.fstat(descriptor)
    if owner is not None and owner != (status.st_uid, status.st_gid):
        with contextlib.suppress(OSError):
            os.fchown(descriptor, *owner)


def _sync_all(descriptors: list[int]) -> None:
    # As names are synced, not only contents: the permission bits have to last as well.
    if len(descriptors) == 1:
        sync_names(descriptors[0])
        return
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(sync_names, descriptors))
