"""Readers of snapshots for tests, and what they open."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from agent_runner.ground.clock import Clock
from agent_runner.workspace.contents import Limits
from agent_runner.workspace.names import Scope
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.snapshots import Snapshot, SnapshotReader
from tests.workspace.repos import FixedClock, Repo

LIMITS = Limits()
NOTHING_SETTLED, ALL_SETTLED = FixedClock(0), FixedClock(1e12)


class Reader:
    """A reader with a store of its own."""

    def __init__(
        self, root: Path, state: Path, clock: Clock, excluded: tuple[Path, ...], limits: Limits
    ) -> None:
        self.store = ObjectStore(state)
        self.snapshots = SnapshotReader(Scope(root, excluded), self.store, clock, limits)

    def read(self) -> Snapshot:
        return self.snapshots.look()

    def changed(self, earlier: Snapshot, later: Snapshot) -> tuple[str, ...]:
        return tuple(change.path for change in self.snapshots.changes(earlier.id, later.id))


class MakeReader(Protocol):
    def __call__(
        self, root: Path, *excluded: Path, clock: Clock = ..., limits: Limits = ...
    ) -> Reader: ...


class _Opened:
    """Which files this process opens; an audit hook stays for ever, so it is switched."""

    def __init__(self) -> None:
        self.paths: list[str] | None = None
        sys.addaudithook(self._heard)

    def _heard(self, event: str, args: tuple[object, ...]) -> None:
        by_name = event == "open" and not isinstance(args[0], int)  # pipes are opened by number
        if by_name and self.paths is not None:
            self.paths.append(Path(str(args[0])).name)

    @contextmanager
    def within(self, folder: Path) -> Iterator[list[str]]:
        self.paths = []
        try:
            yield self.paths
        finally:
            names = {path.name for path in _files(folder)}
            self.paths[:] = sorted(name for name in self.paths if name in names)
            self.paths = None


def _files(folder: Path) -> list[Path]:
    return [f for f in folder.rglob("*") if f.is_file() and ".git" not in f.parts]


OPENED = _Opened()


def put(root: Path, path: str, content: str = "text\n") -> Path:
    return Repo(root).write(path, content)


def settle(repo: Repo) -> None:
    """Make the index younger than all files, as it is when some time has passed."""
    index = repo.root / ".git" / "index"
    later = index.stat().st_mtime_ns + 10 * 10**9
    os.utime(index, ns=(later, later))
