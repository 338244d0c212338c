"""What snapshots need to be given back: contents kept by us, or by git for the time being."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import frozen

from agent_runner.model.errors import StateError
from agent_runner.workspace.filetree import Entry, read_path
from agent_runner.workspace.objects import BLOB, ObjectStore, object_name
from agent_runner.workspace.sources import fetched
from agent_runner.workspace.tracked import Source


@frozen
class Limits:
    """How much one look does.

    `largest`: bytes of a file beyond which it is neither read nor kept: size and time stand for
    its content. `kept_at_once`: bytes of files which git does not have that one look keeps at most.
    `read_unasked`: so many new files are read, before git is asked which of them need no reading.
    `seen_unasked`: in a repository of more files, git is asked which of them may have changed; of
    20,000 files it compares the stat in a third of our time.
    """

    largest: int = 32 << 20
    kept_at_once: int = 256 << 20
    read_unasked: int = 500
    seen_unasked: int = 4_000


LIMITS = Limits()
"""Those of every run."""


class Contents:
    """The contents of the files of one root; what git has is kept once a look finds it replaced.

    Attributes:
        hashing: How they are named, `sha1` or `sha256`.
        sources: The repositories that had a say in the last look, outermost first.
        not_kept: Paths of files whose content cannot be given back.
    """

    def __init__(self, store: ObjectStore, limits: Limits) -> None:
        self._store = store
        self._limits = limits
        self.sources: tuple[Source, ...] = ()
        self._sources_before: tuple[Source, ...] = ()
        self._replaced: dict[str, bytes] = {}
        self._unkept: set[bytes] = set()
        self._room = 0
        self.forget("sha1")

    def forget(self, hashing: str) -> None:
        """Begin with no files at all, named in this way."""
        self.hashing = hashing
        self.not_kept: set[str] = set()

    def begin(self) -> None:
        """A look begins, which keeps so much and no more."""
        self._room = self._limits.kept_at_once

    def take(self, name: bytes, content: bytes) -> None:
        """Keep what was read, unless we have it, or git for the time being."""
        if self._store.holds(name) or any(source.keeps(name) for source in self.sources):
            return
        if len(content) > self._room:
            self._unkept.add(name)
        else:
            self._room -= len(content)
            self._store.add(BLOB, content, name)

    def note(self, path: str, before: Entry | None, after: Entry | None) -> None:
        """A path has another entry than at the last look."""
        if before is not None and before.is_content:
            self._replaced.setdefault(path, before.name)
        if after is not None and not (after.is_content and after.name not in self._unkept):
            self.not_kept.add(path)
        else:
            self.not_kept.discard(path)

    def settle(self) -> None:
        """A look ends: contents that were replaced are ours from now on."""
        missing = {p: name for p, name in self._replaced.items() if not self._store.holds(name)}
        for content in fetched(self._sources_before, missing):
            self._store.add(BLOB, content, object_name(BLOB, content, self.hashing))
        self._replaced.clear()
        self._sources_before = self.sources

    def keep(self, root: Path, paths: Iterable[str]) -> None:
        """Keep what stands at these paths now, about to be replaced."""
        with opened(root) as descriptor:
            if descriptor is None:
                return
            for path in paths:
                here, content = read_path(descriptor, path, self.hashing, self._limits.largest)
                if here is not None and here.is_content and not self._store.holds(here.name):
                    self._store.add(BLOB, content, here.name)
        self._store.flush()

    def get(self, root: Path, path: str, entry: Entry) -> bytes:
        """What an entry stands for: kept by us, still in the file, or in git.

        Raises:
            StateError: it was never kept, or is not any more.
        """
        if self._store.holds(entry.name):
            return self._store.get(entry.name)
        if entry.is_content:
            with opened(root) as descriptor:
                if descriptor is not None:
                    here, content = read_path(descriptor, path, self.hashing, self._limits.largest)
                    if here is not None and here.name == entry.name:
                        return content
            for content in fetched(self.sources, {path: entry.name}):
                return content
        raise StateError(f"the content that {path} had is not kept")


@contextlib.contextmanager
def opened(root: Path) -> Iterator[int | None]:
    """The root's descriptor; None if there is no such folder."""
    try:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
