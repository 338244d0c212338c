"""Brings files back to what they were in a snapshot: all or nothing, and no other file is touched.

First each file is judged by its content; one that is as in neither snapshot is a conflict, and
nothing is touched. Then all contents are written beside their places and synced; then files that
go are deleted, all others renamed into place, and the folders synced. Calling it again finishes
what was interrupted at any point.
"""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator

from attrs import define, field, frozen

from agent_runner.ground.disk import storage_error, sync_content, sync_names, write_all
from agent_runner.workspace.filetree import EXECUTABLE, LINK, Entry, descended, signature_of
from agent_runner.workspace.history import Change
from agent_runner.workspace.names import UNDER_WAY
from agent_runner.workspace.snapshots import SnapshotReader

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

OnWrite = Callable[[str, str], None]
"""Called with a word and a path before each step that changes the disk; for tests of crashes."""


@frozen
class Restored:
    """The files that were brought back, without those that stood so already; sorted."""

    paths: tuple[str, ...]


@frozen
class Conflict:
    """Why nothing was touched; `reason` completes "PATH: ..."."""

    path: str
    reason: str


def restore(
    reader: SnapshotReader, current: str, target: str, on_write: OnWrite | None = None
) -> Restored | Conflict:
    """Take back all that differs between two snapshots, given by their ids.

    `current` is how the files are expected to stand. What differs from it and is not part of the
    change stays: later edits of the user, ignored files, folders that are not empty.

    Raises:
        StateError: a snapshot, or a content that is needed, is not kept; nothing was touched.
        StorageError: the disk refused. Calling it again finishes it.
    """
    changes = reader.changes(current, target)
    root = reader.scope.root
    place = ""
    with contextlib.ExitStack() as opened:
        try:
            descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            opened.callback(os.close, descriptor)
            work = _Restoring(reader, descriptor, changes, on_write or _silent)
            try:
                return work.run()
            finally:
                place = work.place
        except OSError as error:
            raise storage_error(root / place, error) from error


def _silent(_step: str, _path: str) -> None:
    """Nobody wants to know."""


@frozen
class _Waiting:
    """A change that is still to be made; `found` is the `lstat` of what stands there, if any."""

    change: Change
    found: os.stat_result | None

    @property
    def path(self) -> str:
        return self.change.path

    @property
    def temporary(self) -> str:
        """The same name each time, so that one left by a crash is found again."""
        return hashlib.sha256(os.fsencode(self.path)).hexdigest()[:32]


@define
class _Restoring:
    """One call. `place` is the path in hand, for the words of an error."""

    reader: SnapshotReader
    root: int
    changes: tuple[Change, ...]
    on_write: OnWrite
    place: str = field(init=False, default="")

    def run(self) -> Restored | Conflict:
        waiting: list[_Waiting] = []
        for change in self.changes:
            judged = self._judged(change)
            if isinstance(judged, Conflict):
                return judged
            if judged is not None:
                waiting.append(judged)
        come = [one for one in waiting if one.change.after is not None]
        go = {one.path for one in waiting if one.change.after is None}
        conflict = self._in_the_way(come, go)
        if conflict is None:
            with self._temporaries() as aside:
                self._write(come, aside)
                conflict = self._changed(waiting)
                if conflict is None:
                    self._replace(come, go, aside)
        return conflict or Restored(tuple(one.path for one in waiting))

    def _judged(self, change: Change) -> _Waiting | Conflict | None:
        """None for a file that stands as it shall."""
        self.place = change.path
        entry = self.reader.entry_now(self.root, change.path)
        if entry == change.after:
            return None
        if entry != change.before:
            return Conflict(change.path, "it was changed since")
        return _Waiting(change, self._lstat(change.path))

    def _in_the_way(self, come: list[_Waiting], go: set[str]) -> Conflict | None:
        """What is no part of the change and stands where a file or its folder has to be."""
        for one in come:
            for above in _parents(one.path):
                found = self._lstat(above)
                if found and not stat.S_ISDIR(found.st_mode) and above not in go:
                    return Conflict(one.path, f"`{above}` is no folder")
            if one.found is not None and stat.S_ISDIR(one.found.st_mode):
                other = next((path for path in self._below(one.path) if path not in go), None)
                if other is not None:
                    return Conflict(one.path, f"it is a folder by now, with `{other}` in it")
        return None

    @contextlib.contextmanager
    def _temporaries(self) -> Iterator[int]:
        """A folder in the root for contents on their way; it is gone afterwards."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(UNDER_WAY, 0o700, dir_fd=self.root)
        with contextlib.ExitStack() as opened:
            folder = descended(self.root, UNDER_WAY, opened)
            if folder is None:
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), UNDER_WAY)
            try:
                yield folder
            finally:
                with contextlib.suppress(OSError):
                    for name in os.listdir(folder):
                        os.unlink(name, dir_fd=folder)
                    os.rmdir(UNDER_WAY, dir_fd=self.root)

    def _write(self, come: list[_Waiting], aside: int) -> None:
        """Write and sync the contents, apart from their places."""
        for one in come:
            if one.change.after is not None:
                content = self.reader.content(one.path, one.change.after)
                self.place = one.path
                self.on_write("temp", one.path)
                with contextlib.suppress(FileNotFoundError):  # left by a crash
                    os.unlink(one.temporary, dir_fd=aside)
                if one.change.after.mode == LINK:
                    os.symlink(os.fsdecode(content), one.temporary, dir_fd=aside)
                else:
                    _write_file(aside, one, one.change.after, content)
        sync_names(aside)

    def _changed(self, waiting: list[_Waiting]) -> Conflict | None:
        """Writing took its time: look once more, cheaply."""
        for one in waiting:
            now = self._lstat(one.path)
            if (now and signature_of(now)) != (one.found and signature_of(one.found)):
                return Conflict(one.path, "it was changed just now")
        return None

    def _replace(self, come: list[_Waiting], go: set[str], aside: int) -> None:
        """From here on, what is interrupted is finished by the next call."""
        needed = {above for one in come for above in _parents(one.path)}
        for path in sorted(go, reverse=True):
            self._delete(path, needed)
        for one in come:
            self.place = one.path
            self._make_folders(one.path)
            place, _, name = one.path.rpartition("/")
            with self._folder(place) as folder:
                if one.found is not None and stat.S_ISDIR(one.found.st_mode):
                    self._remove_empty(one.path)
                self.on_write("rename", one.path)
                os.rename(one.temporary, name, src_dir_fd=aside, dst_dir_fd=folder)
        for place in {path.rpartition("/")[0] for path in (*go, *(one.path for one in come))}:
            with contextlib.suppress(FileNotFoundError), self._folder(place) as folder:
                self.on_write("sync", place)
                sync_names(folder)

    def _delete(self, path: str, needed: set[str]) -> None:
        """The file, and the folders that are empty without it."""
        self.place = path
        with self._folder(path.rpartition("/")[0]) as folder:
            self.on_write("delete", path)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path.rpartition("/")[2], dir_fd=folder)
        for above in reversed(_parents(path)):
            if above in needed or not self._removed(above):
                break

    def _removed(self, path: str) -> bool:
        """Remove a folder if it is empty; whether it was."""
        with self._folder(path.rpartition("/")[0]) as folder:
            self.on_write("remove", path)
            try:
                os.rmdir(path.rpartition("/")[2], dir_fd=folder)
            except OSError:
                return False
        return True

    def _remove_empty(self, path: str) -> None:
        """Remove a folder that holds nothing but folders."""
        with self._folder(path) as folder:
            inside = [entry.name for entry in os.scandir(folder)]
        for name in inside:
            self._remove_empty(f"{path}/{name}")
        self._removed(path)

    def _make_folders(self, path: str) -> None:
        for above in _parents(path):
            with self._folder(above.rpartition("/")[0]) as folder:
                self.on_write("folder", above)
                with contextlib.suppress(FileExistsError):
                    os.mkdir(above.rpartition("/")[2], dir_fd=folder)

    def _below(self, path: str) -> Iterator[str]:
        """All but folders below a folder."""
        with self._folder(path) as folder:
            entries = [(e.name, e.is_dir(follow_symlinks=False)) for e in os.scandir(folder)]
        for name, is_folder in entries:
            if is_folder:
                yield from self._below(f"{path}/{name}")
            else:
                yield f"{path}/{name}"

    def _lstat(self, path: str) -> os.stat_result | None:
        place, _, name = path.rpartition("/")
        try:
            with self._folder(place) as folder:
                return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    @contextlib.contextmanager
    def _folder(self, place: str) -> Iterator[int]:
        """The descriptor of a folder, reached through no link."""
        with contextlib.ExitStack() as opened:
            folder = descended(self.root, place, opened)
            if folder is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), place)
            yield folder


def _write_file(aside: int, one: _Waiting, entry: Entry, content: bytes) -> None:
    """A file with its rights: those of the one that stands there, or as the umask has them."""
    mode = 0o777 if entry.mode == EXECUTABLE else 0o666
    descriptor = os.open(one.temporary, _NEW, mode, dir_fd=aside)
    try:
        write_all(descriptor, content)
        if one.found is not None and stat.S_ISREG(one.found.st_mode):
            rights = one.found.st_mode & 0o777 & ~0o111
            if entry.mode == EXECUTABLE:  # where reading is allowed, as git does
                rights |= (rights & 0o444) >> 2
            mine = os.fstat(descriptor)
            if (mine.st_uid, mine.st_gid) != (one.found.st_uid, one.found.st_gid):
                with contextlib.suppress(OSError):  # the runner being root, it stays theirs
                    os.fchown(descriptor, one.found.st_uid, one.found.st_gid)
            os.fchmod(descriptor, rights)
        sync_content(descriptor)
    finally:
        os.close(descriptor)


def _parents(path: str) -> list[str]:
    """The folders that lead to a path, outermost first, without the root."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
