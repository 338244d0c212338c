"""The state of all files below a root: one id, and what changed between two of them."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from attrs import field, frozen

from agent_runner.ground.clock import Clock
from agent_runner.model.errors import StateError
from agent_runner.workspace.command import ask
from agent_runner.workspace.contents import Contents
from agent_runner.workspace.git import Repository
from agent_runner.workspace.index import RAW, Files, git_files, raw_records
from agent_runner.workspace.names import Scope, file_names, walked

_FORMAT = 1


@frozen
class Tree:
    """All files below a root that git does not ignore, as they stood at one time. Small.

    `id` depends on paths, modes and contents alone: not on commits, not on whether there is git.
    `base` is git's tree at the root ("" without one) in the last commit, `differing` what was not
    as in `base`: entry by path, None for no file. Without git that is every file.
    """

    id: str
    hashing: str = "sha1"
    base: str = ""
    differing: Mapping[str, str | None] = field(factory=dict, hash=False, repr=False)

    @property
    def modified(self) -> frozenset[str]:
        """The paths that were not as in the last commit, new ones included."""
        return frozenset(self.differing)

    def to_json(self) -> str:
        """The tree as text to be kept, ASCII only."""
        kept = {
            "format": _FORMAT,
            "id": self.id,
            "hashing": self.hashing,
            "base": self.base,
            "differing": dict(self.differing),
        }
        return json.dumps(kept, ensure_ascii=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Tree":
        """The tree that was kept.

        Raises:
            StateError: the text is none of ours, or of a newer version.
        """
        try:
            kept = json.loads(text)
            if kept["format"] != _FORMAT:
                raise StateError(f"a kept tree has format {kept['format']}, not {_FORMAT}")
            return cls(kept["id"], kept["hashing"], kept["base"], kept["differing"])
        except (ValueError, KeyError, TypeError) as error:
            raise StateError(f"a kept tree cannot be read: {error!r}") from error


_Between: TypeAlias = dict[str, tuple[str | None, str | None]]
"""Old and new entry of every path in which two bases differ."""

_AS_IN_BASE = ("", "")


class TreeReader:
    """Reads the state of one root again and again; files that have not changed are not read again.

    `excluded`: absolute folders that do not count, such as the state folder. Waits for git and the
    disk: call it in a thread. Not for several threads at once.
    """

    def __init__(self, root: Path, clock: Clock, excluded: tuple[Path, ...] = ()) -> None:
        self._scope = Scope(root, excluded)
        self._clock = clock
        self._contents = Contents(root, clock)

    def read(self) -> Tree:
        """The tree as it stands now. A root that is not there has no files.

        Raises:
            UsageError: there is a git repository, but git refuses to use it.
        """
        repository = Repository.find(self._scope.root)
        hashing = repository.hashing if repository else "sha1"
        if hashing != self._contents.hashing:
            self._contents = Contents(self._scope.root, self._clock, hashing)
        self._contents.begin()
        if repository:
            files = git_files(self._scope, repository, self._contents)
        else:
            files = _walked_files(self._scope, self._contents)
        differing = {
            os.fsdecode(path): None if entry is None else entry.decode()
            for path, entry in files.differing.items()
        }
        return Tree(_id(files.entries), hashing, files.base, differing)

    def changed(self, earlier: Tree, later: Tree) -> tuple[str, ...]:
        """Paths whose file is new, gone or another one in `later`, sorted.

        Where git no longer knows what `earlier` was based on (its objects are gone), every file
        counts as changed.
        """
        if earlier.id == later.id:
            return ()
        between = self._between(earlier, later)
        if between is None:
            named = {*file_names(self._scope), *earlier.differing, *later.differing}
            return tuple(sorted(named))
        paths = between.keys() | earlier.differing.keys() | later.differing.keys()
        return tuple(sorted(path for path in paths if _differs(path, earlier, later, between)))

    def _between(self, earlier: Tree, later: Tree) -> _Between | None:
        """How the bases differ; None if git cannot tell."""
        if earlier.base == later.base:
            return {}
        empty = hashlib.new(later.hashing, b"tree 0\0", usedforsecurity=False).hexdigest()
        bases = [earlier.base or empty, later.base or empty]
        told = ask(self._scope.root, ["diff-tree", "-r", "--no-relative", *RAW, *bases])
        if told.code:
            return None
        return {
            os.fsdecode(path): (_text(old), _text(new))
            for path, old, new, _ in raw_records(told.out)
            if self._scope.counts_tracked(path)
        }


def tree_state(root: Path, clock: Clock) -> Tree:
    """The tree at `root`, read once; to read it repeatedly, keep a `TreeReader`."""
    return TreeReader(root, clock).read()


def _walked_files(scope: Scope, contents: Contents) -> Files:
    """All files where git has no say: they differ from nothing."""
    entries = {
        os.fsencode(path): entry
        for path, found in walked(scope)
        if (entry := contents.entry(path, found))
    }
    return Files("", entries, dict(entries))


def _id(entries: Mapping[bytes, bytes]) -> str:
    """One hash over everything, in the order of the paths' bytes; a path cannot hold a NUL."""
    lines = [b"%b %b\0" % (entry, path) for path, entry in sorted(entries.items())]
    return hashlib.sha256(b"".join(lines)).hexdigest()


def _differs(path: str, earlier: Tree, later: Tree, between: _Between) -> bool:
    old, new = between.get(path, _AS_IN_BASE)
    return earlier.differing.get(path, old) != later.differing.get(path, new)


def _text(entry: bytes | None) -> str | None:
    return None if entry is None else entry.decode()
