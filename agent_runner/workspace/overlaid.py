"""A task's files as a confined command sees them over an overlay: nothing of them is copied.

What the command writes, and only that, lies in a folder of its own, and is all that is looked at
afterwards. What it must not see is hidden there before it starts, as if it had removed it.
"""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import define, evolve, field

from agent_runner.ground.disk import storage_errors
from agent_runner.sandbox import overlay_upper
from agent_runner.sandbox.confinement import Overlay, Seen, Tier
from agent_runner.sandbox.overlay_upper import Written
from agent_runner.workspace.command import Git
from agent_runner.workspace.filetree import Entry, read_path
from agent_runner.workspace.git import Repository
from agent_runner.workspace.history import Change, entry_at
from agent_runner.workspace.own_repository import OwnRepositories
from agent_runner.workspace.removing import remove
from agent_runner.workspace.selection import Selection
from agent_runner.workspace.tracked import Source
from agent_runner.workspace.workplace import Filled, Workplace

_RULES = ".gitignore"
_LARGEST = 32 << 20  # bytes of a file that is looked into: as in a snapshot


OVERLAID = "overlay"
"""What `noted` calls it."""


@define(eq=False)
class Overlaid(Workplace):
    """The overlay of one task.

    As `Scratch`, but for installed dependencies, which are seen where they are; and a command sees
    all of it, with a repository of its own, at the path of the original alone, while it runs.
    """

    _hidden: frozenset[str] = field(init=False, default=frozenset())

    @property
    def folder(self) -> Path:
        """What the command writes lies here: no folder to work in."""
        return self._kept / overlay_upper.UPPER

    @property
    def repositories(self) -> tuple[Seen, ...]:
        """What is to be seen at the place of each `.git`. Raises OSError."""
        return self._own.seen(by_root=False)

    def mounted(self, tier: Tier) -> Overlay:  # noqa: ARG002  # only one that overlays is asked for
        """What stands in for the task's root."""
        return Overlay(self.original.scope.root, self._kept)

    def fill(self) -> Filled:
        """Forget what an earlier use left; the original is seen as it is from now on.

        Raises:
            StorageError: the disk refused.
        """
        self.given = self.original.look().id
        with storage_errors(self.place):
            self._empty()
            overlay_upper.make(self._kept, self.original.scope.root)
            self._renew()
            self._hide()
        return Filled(self.given)

    @property
    def noted(self) -> dict[str, Any]:
        """The snapshot that it began with."""
        return {"kind": OVERLAID, "snapshot": self.given}

    def reopen(self, noted: Mapping[str, Any]) -> None:
        """Take what is kept as it lies there."""
        self.original.look()
        self.given = noted["snapshot"]
        self._hidden = frozenset(Selection(self.original, self.left_out).hidden())

    def catch_up(self) -> bool:
        """Take the original as it is now for what was given; not where it changed what we did.

        Raises:
            StateError, StorageError: as `changes`.
        """
        now = self.original.look().id
        since = {change.path for change in self.original.changes(self.given, now)}
        if since.intersection(change.path for change in self.changes()):
            return False
        self.given = now
        return True

    def changes(self) -> tuple[Change, ...]:
        """What was changed since it was given over; what git ignores does not count.

        Raises:
            StorageError: the disk refused.
        """
        store, scope = self.original.store, self.original.scope
        with storage_errors(self.place):
            self._renew()
            written = overlay_upper.written(self._kept, scope.root)
            found = []
            for one in written:
                is_new = self._is_hidden(one.path)
                before = None if is_new else entry_at(store, self.given, one.path)
                after = None if one.deleted else self._entry(one.path)
                if before != after and (before or scope.counts(one.path)):
                    found.append(Change(one.path, before, after))
            new = [one.path for one in found if one.before is None]
            ignored = self._ignored(new, written)
        return tuple(change for change in found if change.path not in ignored)

    def content(self, path: str, entry: Entry) -> bytes:
        """The content of a changed file, before or after. Raises StateError."""
        with _opened(self.folder) as upper:
            here, content = read_path(upper, path, self.original.hashing, _LARGEST)
        if here is not None and here.name == entry.name and entry.is_content:
            return content
        return self.original.content(path, entry)

    @property
    def _kept(self) -> Path:
        return self.place / "kept"

    @property
    def _top(self) -> Path:
        return self.place / "tree"

    @property
    def _own(self) -> OwnRepositories:
        sources = self.original.sources
        return OwnRepositories(self._top, sources, self.left_out, is_whole=True)

    def _empty(self) -> None:
        self.place.mkdir(mode=0o700, exist_ok=True)
        with _opened(self.place) as place:
            for name in os.listdir(place):
                remove(place, name)

    def _renew(self) -> None:
        """Make the repository anew: what ran may have told git to run programs."""
        with _opened(self.place) as place:
            remove(place, self._top.name)
        self._top.mkdir()
        self._own.give()

    def _hide(self) -> None:
        """Let the overlay not show what is not given: a device stands for what was removed."""
        root, seen = self.original.scope.root, {one.path for one in self.repositories}
        hidden = Selection(self.original, self.left_out).hidden()
        self._hidden = frozenset(path for path in hidden if root / path not in seen)
        for path in self._hidden:
            above = self.folder
            for name in Path(path).parts[:-1]:
                above /= name
                if not above.exists():
                    above.mkdir()
                    above.chmod((root / above.relative_to(self.folder)).stat().st_mode & 0o7777)
            os.mknod(self.folder / path, stat.S_IFCHR, os.makedev(0, 0))

    def _is_hidden(self, path: str) -> bool:
        parts = path.split("/")
        return any("/".join(parts[:n]) in self._hidden for n in range(1, len(parts) + 1))

    def _entry(self, path: str) -> Entry | None:
        with _opened(self.folder) as upper:
            return read_path(upper, path, self.original.hashing, _LARGEST)[0]

    def _ignored(self, new: list[str], written: Iterable[Written]) -> set[str]:
        """Those of the new files that git ignores, by the rules as the command left them."""
        rules = [one for one in written if one.path.rpartition("/")[2] == _RULES]
        if not new or not rules:
            return self.original.ignored(new)
        with tempfile.TemporaryDirectory(dir=self.place) as made:
            found: set[str] = set()
            nested_first = sorted(self.original.sources, key=lambda one: -len(one.prefix))
            for number, source in enumerate(nested_first):
                inside = [path for path in new if path.startswith(source.prefix)]
                new = [path for path in new if not path.startswith(source.prefix)]
                repository = self._ruled(source, Path(made, str(number)), rules)
                paths = repository.ignored(path.removeprefix(source.prefix) for path in inside)
                found.update(source.prefix + path for path in paths)
            return found

    def _ruled(self, source: Source, tree: Path, written: Iterable[Written]) -> Repository:
        """A repository with a work tree of rules alone, as the command left them."""
        original = source.repository
        root = tree / original.prefix
        for path in self.original.names:
            if path.startswith(source.prefix) and path.rpartition("/")[2] == _RULES:
                _copy(self.original.scope.root / path, root / path.removeprefix(source.prefix))
        for one in written:
            if one.path.startswith(source.prefix):
                place = root / one.path.removeprefix(source.prefix)
                place.unlink(missing_ok=True)
                _copy(self.folder / one.path, place)
        for above in Path(original.prefix).parents if original.prefix else ():
            _copy(original.git.work_tree / above / _RULES, tree / above / _RULES)
        root.mkdir(parents=True, exist_ok=True)
        own = self._own.place(source) / ".git"
        return evolve(original, root=root, git=Git(own, tree, original.git.config))


def _copy(source: Path, target: Path) -> None:
    """One small file, if there is one and it is a file."""
    if source.is_file() and not source.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
