"""A copy of a task's files outside of the project, in which anything may run; removed later."""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from attrs import define, field

from agent_runner.ground.disk import storage_errors, write_all
from agent_runner.sandbox.confinement import Copied, Seen, Tier
from agent_runner.sandbox.copies import copied
from agent_runner.workspace.copying import Mirror
from agent_runner.workspace.filetree import EXECUTABLE, LINK, Entry, descended
from agent_runner.workspace.history import Change, entry_at
from agent_runner.workspace.names import Scope, walked
from agent_runner.workspace.originals import naming_original
from agent_runner.workspace.own_repository import OwnRepositories
from agent_runner.workspace.removing import remove
from agent_runner.workspace.selection import Selection, is_environment
from agent_runner.workspace.snapshots import SnapshotReader
from agent_runner.workspace.spare_copies import SpareCopies
from agent_runner.workspace.tracked import Source
from agent_runner.workspace.workplace import Filled, Workplace

_SECOND = 1_000_000_000  # nanoseconds


@define(eq=False)
class Scratch(Workplace):
    """The scratch copy of one task.

    Ignored files are copied too; the state folder is not, nor is any repository. The copy has one
    of its own, with the same history, branch and index, so that git does not walk up into the
    user's; without remotes, configuration and hooks.

    Use it as a context; leaving it removes the copy, or hands it to `spare` for the next one of the
    same root, which then copies only what differs.

    What it does not do:
        - Installed dependencies (`node_modules`, virtual environments), where git ignores them all,
          are links to the original folders: 50,000 files of them take seconds to copy. What a
          command installs or caches there, it does for the original too.
        - Paths in them still lead to the original: `Filled.names_original` says which. Nothing is
          mounted at the original's place.
        - It is no sandbox: a command can write wherever the user can.
    """

    spare: SpareCopies | None = None
    _prefix: str = field(init=False, default="")
    _mirror: Mirror = field(init=False)
    _reader: SnapshotReader = field(init=False)
    original_then: str = field(init=False, default="")

    @property
    def folder(self) -> Path:
        """Where the task's root is in the copy: commands run here."""
        return self._top / self._prefix

    def __enter__(self) -> Self:
        """Take the place.

        Raises:
            UsageError: another process has it, or `home` lies inside the project.
            StorageError: the disk refused.
        """
        self.held.take()
        try:
            self.original.look()
            sources = self.original.sources
            self._prefix = sources[0].repository.prefix if sources else ""
            root = self.original.scope.root.resolve()
            selection = Selection(self.original, self.left_out)
            known = None if self.spare is None else self.spare.lend(root, self._top)
            self._mirror = known or Mirror(root, self.folder)
            self._mirror.move(self.folder, selection.has, selection.is_installed)
        except BaseException:
            self.held.remove()
            raise
        self._reader = self.original.elsewhere(self.folder)
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove the copy, or hand it on, and give the place back.

        Raises:
            StorageError: it cannot be removed; the next run tries again.
        """
        if self.spare is not None:
            self.spare.keep(self._mirror, self._top)
        self.held.remove()

    @property
    def links(self) -> tuple[str, ...]:
        """Folders of installed dependencies that are links to the original's, relative to it."""
        return tuple(self._mirror.links)

    @property
    def repositories(self) -> tuple[Seen, ...]:
        """What is to be seen elsewhere, where the copy is seen at the original's place."""
        return self._repositories(self.original.sources).seen(by_root=True)

    def mounted(self, tier: Tier) -> Copied:
        """What stands in for the task's root where a tier confines. Raises OSError."""
        return copied(self.original.scope.root, self.folder, self.links, tier)

    def fill(self) -> Filled:
        """Make the copy as the original is now; what an earlier use left in it is gone.

        Filling it again copies what differs by then.

        Raises:
            StorageError: the disk refused.
        """
        self.original_then = self.original.look().id
        with storage_errors(self.folder):
            paths = [*self._mirror.copy(), *self._in_environments()]
            self._renew()
        self._reader = self.original.elsewhere(self.folder, self._mirror.copied)
        self.given = self._reader.look().id
        root = self.original.scope.root
        return Filled(self.given, naming_original(self.folder, paths, root))

    def renew_repository(self) -> None:
        """Make the copy's own repository anew: what ran in it may have told git to run programs.

        Raises:
            StorageError: the disk refused.
        """
        with storage_errors(self.folder):
            self._renew()

    @property
    def noted(self) -> dict[str, Any]:
        """The snapshots of the copy and of its original when it was filled, and its links."""
        then = {"original": self.original_then, "links": self.links}
        return {"kind": "copy", "snapshot": self.given, **then}

    def reopen(self, noted: Mapping[str, Any]) -> None:
        """Take the copy as it lies there, with what was known when it was filled."""
        self.given, self.original_then = noted["snapshot"], noted.get("original", "")
        self._mirror.links = list(noted.get("links", ()))

    def catch_up(self) -> bool:
        """Whether the original is still as it was given; a copy does not see what changes there."""
        return self.original.look().id == self.original_then

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
        self.given = self._reader.look().id
        return Filled(self.given)

    def changes(self) -> tuple[Change, ...]:
        """What was changed in the copy since it was given over; ignored files do not count.

        Raises:
            StorageError: the disk refused.
        """
        self.renew_repository()
        return self._reader.changes(self.given, self._reader.look().id)

    def content(self, path: str, entry: Entry) -> bytes:
        """The content of a changed file; also after the copy was removed."""
        return self._reader.content(path, entry)

    @property
    def _top(self) -> Path:
        return self.place / "tree"

    def _renew(self) -> None:
        """Make the repositories anew, but for one whose folder is gone, or a link by now."""
        self._without_repository(self._top)
        every = self._repositories(self.original.sources)
        still = [one for one in every.sources if self._without_repository(every.place(one))]
        self._repositories(still).give(self._mirror.links)

    def _repositories(self, sources: Iterable[Source]) -> OwnRepositories:
        return OwnRepositories(self._top, tuple(sources), self.left_out)

    def _without_repository(self, folder: Path) -> bool:
        """Remove the repository of an earlier use; whether a new one can take its place."""
        place = folder.relative_to(self._top).as_posix()
        with contextlib.ExitStack() as opened:
            top = os.open(self._top, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            opened.callback(os.close, top)
            here = descended(top, "" if place == "." else place, opened)
            if here is not None:
                remove(here, ".git")
            return here is not None

    def _in_environments(self) -> Iterator[str]:
        """The files of the virtual environments that are linked."""
        for link in self._mirror.links:
            folder = self.folder / link
            if is_environment(folder):
                yield from (f"{link}/{path}" for path in walked(Scope(folder)))


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
