"""A copy of a task's files outside of the project, in which anything may run; removed later."""

import bisect
import contextlib
import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from attrs import define, field, frozen

from agent_runner.ground.disk import storage_errors, write_all
from agent_runner.model.errors import UsageError
from agent_runner.workspace.copying import Mirror, remove
from agent_runner.workspace.filetree import EXECUTABLE, LINK, Entry, descended
from agent_runner.workspace.history import Change, entry_at
from agent_runner.workspace.names import NEVER, Scope, walked
from agent_runner.workspace.originals import naming_original
from agent_runner.workspace.own_repository import give_repository
from agent_runner.workspace.snapshots import SnapshotReader

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 40
_LOCK = ".lock"
_SECOND = 1_000_000_000  # nanoseconds
_ENVIRONMENT = "pyvenv.cfg"  # a file in every virtual environment of Python's


@frozen
class Filled:
    """What a scratch copy holds.

    `snapshot`: its id, as it was given over. `names_original`: files, relative to the root, that
    name the original folder by its path (a virtual environment, an editable install): programs may
    be led back to the original files by them.
    """

    snapshot: str
    names_original: tuple[str, ...] = ()


@define(eq=False)
class Scratch:
    """The scratch copy of one task: always in the same place, held by one process at a time.

    Ignored files are copied too; the state folder is not, nor is any repository. The copy has one
    of its own, with the same history, branch and index, so that git does not walk up into the
    user's; without remotes, configuration and hooks.

    Use it as a context; leaving it removes the copy. `home` is the folder of all copies, private
    to the user. `original` reads the task's root. `left_out`: names of files and folders that are
    not copied, at any depth.

    What it does not do:
        - Installed dependencies (`node_modules`, virtual environments), where git ignores them all,
          are links to the original folders: 50,000 files of them take seconds to copy. What a
          command installs or caches there, it does for the original too.
        - Paths in them still lead to the original: `Filled.names_original` says which. Nothing is
          mounted at the original's place.
        - It is no sandbox: a command can write wherever the user can.
    """

    home: Path
    task_id: str
    original: SnapshotReader
    left_out: frozenset[str] = frozenset()
    _prefix: str = field(init=False, default="")
    _lock: int = field(init=False, default=-1)
    _mirror: Mirror = field(init=False)
    _reader: SnapshotReader = field(init=False)
    _given: str = field(init=False, default="")
    _names: tuple[str, ...] = field(init=False, default=())

    @property
    def place(self) -> Path:
        """The folder of this copy, below `home`."""
        root = os.fsencode(self.original.scope.root.resolve())
        digest = hashlib.sha256(root + b"\0" + self.task_id.encode()).hexdigest()[:12]
        name = _UNSAFE.sub("-", self.task_id)[:_LONGEST_NAME]
        return self.home / f"{name}-{digest}"

    @property
    def folder(self) -> Path:
        """Where the task's root is in the copy: commands run here."""
        return self.place / "tree" / self._prefix

    def __enter__(self) -> Self:
        """Take the place.

        Raises:
            UsageError: another process has it, or `home` lies inside the project.
            StorageError: the disk refused.
        """
        root, home = self.original.scope.root.resolve(), self.home.resolve()
        if home.is_relative_to(root) or root.is_relative_to(home):
            raise UsageError(
                f"scratch copies of {root} cannot be kept in {home}",
                fix="choose a folder for them outside of the project",
            )
        with storage_errors(self.home):
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _locked(self.place.with_name(self.place.name + _LOCK))
        if lock is None:
            raise UsageError(f"the scratch copy {self.place} is used by another process")
        self._lock = lock
        try:
            self.original.look()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        sources = self.original.sources
        self._prefix = sources[0].repository.prefix if sources else ""
        self._mirror = Mirror(root, self.folder, self._is_copied, self._is_linked)
        self._reader = self.original.elsewhere(self.folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the copy and give the place back.

        Raises:
            StorageError: it cannot be removed; the next run tries again.
        """
        with storage_errors(self.place):
            _remove(self.place, self._lock)
        self._lock = -1

    @property
    def links(self) -> tuple[str, ...]:
        """Folders of installed dependencies that are links to the original's, relative to it."""
        return tuple(self._mirror.links)

    def fill(self) -> Filled:
        """Make the copy as the original is now; what an earlier use left in it is gone.

        Filling it again copies what differs by then.

        Raises:
            StorageError: the disk refused.
        """
        self.original.look()
        self._names = self.original.names
        with storage_errors(self.folder):
            paths = [*self._mirror.copy(), *self._in_environments()]
            links, top = self._mirror.links, self.place / "tree"
            _remove_repository(top)
            give_repository(top, self.original.sources, self._prefix, links)
        self._given = self._reader.look().id
        root = self.original.scope.root
        return Filled(self._given, naming_original(self.folder, paths, root))

    def renew_repository(self) -> None:
        """Make the copy's own repository anew: what ran in it may have told git to run programs.

        Raises:
            StorageError: the disk refused.
        """
        top = self.place / "tree"
        with storage_errors(self.folder):
            _remove_repository(top)
            give_repository(top, self.original.sources, self._prefix, self._mirror.links)

    def reopen(self, given: str, links: Iterable[str]) -> None:
        """Take the copy as it lies there; `given`: the snapshot that it began with."""
        self._given, self._mirror.links = given, list(links)

    def lay(self, snapshot: str, paths: Iterable[str]) -> Filled:
        """Let these files stand as of a snapshot of the original, given by its id.

        They are part of what was given over: `changes` does not tell them.

        Raises:
            StateError: the snapshot, or a content, is not kept any more.
            StorageError: the disk refused.
        """
        store = self.original.store
        entries = {path: entry_at(store, snapshot, path) for path in paths}
        contents = {
            path: self.original.content(path, entry) for path, entry in entries.items() if entry
        }
        with storage_errors(self.folder), contextlib.ExitStack() as opened:
            root = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            opened.callback(os.close, root)
            for path, entry in entries.items():
                _lay(root, path, entry, contents.get(path, b""))
        self._given = self._reader.look().id
        return Filled(self._given)

    def changes(self) -> tuple[Change, ...]:
        """What was changed in the copy since it was given over; ignored files do not count."""
        return self._reader.changes(self._given, self._reader.look().id)

    def content(self, path: str, entry: Entry) -> bytes:
        """The content of a changed file; also after the copy was removed."""
        return self._reader.content(path, entry)

    def _is_copied(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        wanted = name not in NEVER and name not in self.left_out
        return wanted and not self.original.scope.excludes(path)

    def _is_linked(self, path: str) -> bool:
        """Whether a folder holds installed dependencies, and nothing that git does not ignore.

        Not in a repository inside, which would see the link as a new file.
        """
        folder, inside = self.original.scope.root / path, self.original.sources[1:]
        if folder.name != "node_modules" and not (folder / _ENVIRONMENT).is_file():
            return False
        if "\n" in path or any(path.startswith(source.prefix) for source in inside):
            return False
        at = bisect.bisect(self._names, f"{path}/")
        return not self._names[at : at + 1] or not self._names[at].startswith(f"{path}/")

    def _in_environments(self) -> Iterator[str]:
        """The files of the virtual environments that are linked."""
        for link in self._mirror.links:
            folder = self.folder / link
            if (folder / _ENVIRONMENT).is_file():
                yield from (f"{link}/{path}" for path in walked(Scope(folder)))


def sweep(home: Path, spared: Callable[[Path], bool] = lambda _: False) -> tuple[Path, ...]:
    """Remove the copies that no living process holds, as those of a runner that was killed.

    `spared`: whether one is still wanted. What cannot be removed is left for the next time.
    """
    removed = []
    with contextlib.suppress(OSError):  # usually there is no such folder
        for name in sorted(os.listdir(home)):
            if name.endswith(_LOCK) and (lock := _locked(home / name)) is not None:
                place = home / name.removesuffix(_LOCK)
                if spared(place):
                    os.close(lock)
                    continue
                with contextlib.suppress(OSError):
                    _remove(place, lock)
                    removed.append(place)
    return tuple(removed)


def _locked(path: Path) -> int | None:
    """Hold a lock that ends with this process; None if another one has it."""
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.lexists(path) and os.path.samestat(os.fstat(descriptor), path.lstat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        os.close(descriptor)  # its last holder removed it just now


def _remove_repository(top: Path) -> None:
    """Remove the repository of an earlier use: above a root below the top, it is no file of it."""
    folder = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        remove(folder, ".git")
    finally:
        os.close(folder)


def _remove(place: Path, lock: int) -> None:
    """Remove a copy whose lock we hold, and the lock."""
    home = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        remove(home, place.name)
        os.unlink(place.name + _LOCK, dir_fd=home)
    finally:
        os.close(home)
        os.close(lock)


def _lay(root: int, path: str, entry: Entry | None, content: bytes) -> None:
    """One file of a snapshot, in place of whatever stands there."""
    with contextlib.ExitStack() as opened:
        folder, _, name = path.rpartition("/")
        here = descended(root, folder, opened) if entry is None else _made(root, folder, opened)
        if here is None:
            return
        remove(here, name)
        if entry is None:
            return
        if entry.mode == LINK:
            os.symlink(os.fsdecode(content), name, dir_fd=here)
            return
        mode = 0o777 if entry.mode == EXECUTABLE else 0o666
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(name, flags, mode, dir_fd=here)
        opened.callback(os.close, file)
        write_all(file, content)
        # Caches and builds know a file by its size and the second of its time. What they hold of
        # the file that stood here until just now must not pass for this one.
        written = os.fstat(file).st_mtime_ns
        os.utime(file, ns=(written, written + 2 * _SECOND))


def _made(root: int, place: str, opened: contextlib.ExitStack) -> int:
    """The folder `place`, made where it is not there; a file or a link in its way goes."""
    here = root
    for part in place.split("/") if place else ():
        try:
            found = os.stat(part, dir_fd=here, follow_symlinks=False)
            if not stat.S_ISDIR(found.st_mode):
                os.unlink(part, dir_fd=here)
                os.mkdir(part, dir_fd=here)
        except FileNotFoundError:
            os.mkdir(part, dir_fd=here)
        here = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
        opened.callback(os.close, here)
    return here
