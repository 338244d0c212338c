"""Snapshots of all files below a root: one id, what changed between two, contents of each."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from attrs import evolve, field, frozen

from agent_runner.ground.clock import Clock
from agent_runner.ground.collector import paused_collector
from agent_runner.workspace.contents import LIMITS, Contents, Limits, opened
from agent_runner.workspace.copying import Copied
from agent_runner.workspace.filetree import Entry, Folder, Look, Seen, read_entry, signature_of
from agent_runner.workspace.git import Repository
from agent_runner.workspace.history import Change, changes
from agent_runner.workspace.known_hashes import KnownHashes
from agent_runner.workspace.names import NO_NAMES, Lister, Names, Scope
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.staged import Vouchers, has_many
from agent_runner.workspace.status import GitStatus, Report
from agent_runner.workspace.tracked import Source

_COARSEST = 2.0  # seconds: no file system in use stamps times more coarsely (FAT)
_NOTHING: Copied = {}


@frozen
class Snapshot:
    """All files below a root that git does not ignore, as they stood at one time.

    `id` depends on paths, kinds (file, executable, link) and contents alone: the name that git
    would give such a tree, 40 hex digits (64 in a SHA-256 repository). `not_kept`: files whose
    content cannot be given back, being too large, too many, or unreadable.
    """

    id: str
    not_kept: frozenset[str] = field(default=frozenset(), repr=False)


class SnapshotReader:
    """Takes snapshots of one root; files that have not changed are not read again.

    What a snapshot needs to be given back is in `store`, or, until the file changes, in the user's
    own repository: copying all of it at the first look was tried, and took 15 s at 50,000 files.
    Waits for git and the disk: call it in a thread, one at a time.
    """

    def __init__(
        self,
        scope: Scope,
        store: ObjectStore,
        clock: Clock,
        limits: Limits = LIMITS,
        *,
        may_report: bool = True,
    ) -> None:
        self.scope = scope
        self._limits = limits
        self.store = store
        self._clock = clock
        self._lister = Lister(self.scope, may_report=may_report)
        self._contents = Contents(store, limits)
        self._vouchers = Vouchers(limits.largest)
        self._report: Report | None = None
        self._sorted: tuple[str, ...] | None = None
        self._settled = 0
        self._compared: tuple[str, str, tuple[Change, ...]] = ("", "", ())
        self._forget("sha1")

    @property
    def sources(self) -> tuple[Source, ...]:
        """The repositories that had a say in the last look, outermost first."""
        return self._contents.sources

    @property
    def repository(self) -> Repository | None:
        """The repository around the root as of the last look, also where git ignores the root."""
        return self._lister.repository

    @property
    def names(self) -> tuple[str, ...]:
        """Paths of all files of the last look, sorted; the same object while they are the same."""
        if self._sorted is None:
            self._sorted = tuple(sorted(self._tree.paths()))
        return self._sorted

    def look(self) -> Snapshot:
        """The files as they stand now. A root that is not there has none.

        Runs git once, and once for each repository inside the root, for the names of the files and
        its status. It is run once more for the tracked files where its index is new; where contents
        that only git has were replaced since the last look, for they are kept from now on; and
        where hundreds of files are new, to learn what need not be read.

        Raises:
            UsageError: there is a git repository, but git refuses to use it.
            StorageError: the disk refused to keep what is new.
        """
        self._begin()
        with paused_collector():
            self._look()
        return self._taken()

    def status(self) -> GitStatus | None:
        """What git says of the root, as of the last look if that asked for it; None without git.

        Raises:
            UsageError: there is a git repository, but git refuses to use it.
        """
        if self._report is not None:
            return self._report.status(is_tracked=self._is_tracked)
        repository = Repository.find(self.scope.root)
        return repository.status() if repository else None

    def look_at(self, paths: Iterable[str]) -> Snapshot:
        """The files of the last look, with what stands at these paths now.

        For changes of our own, when nothing else ran since the last look: it runs git only if a
        path is new, to ask whether it is ignored.

        Raises:
            UsageError, StorageError: as for `look`.
        """
        wanted = set(paths)
        new = {path for path in wanted - self._paths if self.scope.counts(path)}
        if self._names is NO_NAMES or any(path.endswith(".gitignore") for path in wanted):
            return self.look()
        self._begin()
        self._report = None
        self._paths |= new - self.ignored(new)
        with opened(self.scope.root) as root:
            if root is not None:
                Look(self._read, self._note).some(self._tree, root, wanted & self._paths)
        return self._taken()

    def elsewhere(self, root: Path, copied: Copied = _NOTHING) -> "SnapshotReader":
        """A reader of a copy of these files, with the same store; git has a say if it has here.

        `copied`: what of it is known to be as it was at the last look here, and need not be read.
        Git is only asked for names: it would read every file of a copy, whose index knows none.
        """
        scope = Scope(root, git=bool(self.sources))
        limits = evolve(self._limits, read_unasked=sys.maxsize, seen_unasked=sys.maxsize)
        reader = SnapshotReader(scope, self.store, self._clock, limits, may_report=False)
        reader._forget(self.hashing)
        for path, (original, copy) in copied.items():
            entry = self._tree.entry(path) if original[1] < self._settled else None
            if entry is not None and entry.is_content and path not in self._contents.not_kept:
                place, _, name = path.rpartition("/")
                reader._tree.inner(place).files[name] = (copy, entry)
        return reader

    @property
    def hashing(self) -> str:
        """How contents are named: `sha1` or `sha256`, as git does here."""
        return self._contents.hashing

    def keep(self, paths: Iterable[str]) -> None:
        """Keep what these files of the last look hold, before a change of our own.

        Afterwards git would have to be asked for it.
        """
        self._contents.keep(self.scope.root, self._paths.intersection(paths))

    def ignored(self, paths: Iterable[str]) -> set[str]:
        """Those of `paths` (existing or not) that git ignores.

        Runs git only for those that neither the last look nor a question since then has found.

        Raises:
            UsageError: there is a git repository, but git refuses to use it.
        """
        unknown = set(paths) - self._paths - self._not_ignored
        if not unknown:
            return set()
        if self._names is NO_NAMES:
            repository = Repository.find(self.scope.root)
        else:
            repository = self.sources[0].repository if self.sources else None
        found = repository.ignored(unknown) if repository is not None else set()
        self._not_ignored |= unknown - found
        return found

    def sync(self) -> None:
        """Return once all that the snapshots need from us is on the disk itself.

        Raises:
            StorageError: the disk refused.
        """
        self.store.sync()

    def changes(self, earlier: str, later: str) -> tuple[Change, ...]:
        """What differs between two snapshots, given by their ids; sorted by path.

        The last answer is remembered: a task is judged by it in several ways.

        Raises:
            StateError: one of them is not kept any more.
        """
        if self._compared[:2] != (earlier, later):
            self._compared = (earlier, later, changes(self.store, earlier, later))
        return self._compared[2]

    def content(self, path: str, entry: Entry) -> bytes:
        """The content that an entry of a snapshot stands for (a link's is its target).

        Raises:
            StateError: it was never kept, or is not any more.
        """
        return self._contents.get(self.scope.root, path, entry)

    def _forget(self, hashing: str) -> None:
        self._contents.forget(hashing)
        self._tree = Folder()
        self._names = NO_NAMES
        self._paths: set[str] = set()
        self._sorted = None
        self._not_ignored: set[str] = set()
        self._vouched = KnownHashes()

    def _is_tracked(self, folder: str) -> bool:
        """Whether git tracks anything in a folder; the top of a work tree counts as one of it."""
        source = self.sources[0]
        return source.tracked.is_in(folder) or not (folder or source.repository.prefix)

    def _look(self) -> None:
        look = Look(self._read, self._note)
        try:
            repository = self._lister.start().repository
            if repository and has_many(repository, self._limits.seen_unasked):
                self._vouchers.ask(repository, reported=self._lister.reports)
            with opened(self.scope.root) as root:
                if root is None:
                    look.gone(self._tree)
                else:
                    look.all(self._tree, root)
                names = self._lister.finish()
                self._report = self._lister.report
                doubted = self._vouchers.doubted(self._report)
                if root is not None:
                    self._lister.reads_much = self._vouchers.are_stale(root)
                self._learn(names, doubted, look, root)
        finally:  # no process is left behind when something went wrong in between
            self._lister.stop()
            self._vouchers.stop()

    def _begin(self) -> None:
        self._settled = int((self._clock.now() - _COARSEST) * 1e9)
        self._contents.begin()

    def _learn(
        self, names: Names, doubted: frozenset[str] | None, look: Look, root: int | None
    ) -> None:
        """Take in which files there are, and look at those that are new or that git doubts."""
        hashing = names.sources[0].repository.hashing if names.sources else "sha1"
        if hashing != self._contents.hashing:  # another repository was made here
            self._forget(hashing)
        new, gone = names.since(self._names)
        for path in gone:
            self._paths.discard(path)
            self._vouched.entries.pop(path, None)
            entry = self._tree.drop(path)
            if entry is not None:
                self._note(path, entry, None)
        self._paths |= new
        self._not_ignored = set()
        self._names, self._contents.sources = names, names.sources
        if len(new) > self._limits.read_unasked and names.sources:
            self._vouchers.refresh(names.sources[0].repository)
        lost, won = self._vouched.update(self._vouchers.files, doubted, self._paths)
        look.vouched(self._tree, won)
        unsure = lost | new
        if root is not None:
            look.some(self._tree, root, unsure.difference(self._vouched.entries))

    def _read(self, path: str, descriptor: int, name: str, found: os.stat_result) -> Seen:
        """A file that is not as it was seen: hashed, and kept unless git has it."""
        is_settled = found.st_mtime_ns < self._settled and found.st_ctime_ns < self._settled
        signature = signature_of(found) if is_settled else None
        vouched = self._vouchers.entry(path, found)
        if vouched is not None:
            return signature, vouched
        hashing = self._contents.hashing
        entry, content = read_entry(descriptor, name, found, hashing, self._limits.largest)
        if entry is not None and content is not None:
            self._contents.take(entry.name, content)
        return signature, entry

    def _note(self, path: str, before: Entry | None, after: Entry | None) -> None:
        """A path has another entry than at the last look."""
        if before is None or after is None:
            self._sorted = None
        self._contents.note(path, before, after)

    def _taken(self) -> Snapshot:
        """The snapshot of what was seen; contents that were replaced are ours from now on."""
        self._contents.settle()
        name = self._tree.tree(self._contents.hashing, self.store.add)
        self.store.flush()
        return Snapshot(name.hex(), frozenset(self._contents.not_kept))
