"""The copy in which an agent's command works, and what it left there: a scratch copy with rules.

Its folder is the same for all calls of a task, since the agents keep their sessions by it. What the
repository has to steer such a command is not in it. After a call its repository is made anew before
git is asked anything there: the agent may have set it up to run a program.

A runner that is killed leaves the copy, marked with what it began with, so that the next run can
look at it. Such a copy is swept only when nobody came back for days.
"""

import contextlib
import hashlib
import json
from pathlib import Path
from types import TracebackType
from typing import Self

from attrs import define, field, frozen

from agent_runner.ground.disk import storage_errors
from agent_runner.ground.globs import Globs
from agent_runner.model.errors import StateError
from agent_runner.sandbox.confinement import Mount, Seen, Tier
from agent_runner.sandbox.copies import copied
from agent_runner.workspace.filetree import EXECUTABLE, LINK, Entry
from agent_runner.workspace.history import Change
from agent_runner.workspace.overlaid import Overlaid
from agent_runner.workspace.scratch import Scratch

GIVEN = "given"
"""The file in a copy's place that says with what it began, as JSON."""

KEPT_FOR = 7 * 24 * 3600.0
"""Seconds for which a copy that a killed runner left is kept."""


_OVERLAID = "overlay"


@frozen
class Left:
    """One file that an agent left, changed.

    `content`: None where it left no file there. `odd`: why it is none that can be taken; "" if it
    can. `base`: sha256 of what it was given there, None for nothing.
    """

    path: str
    base: str | None
    content: bytes | None = field(repr=False)
    executable: bool = False
    odd: str = ""


@define(eq=False)
class Workshop:
    """Use it as a context; leaving it removes the copy.

    `leavings`: globs of what the command leaves in its folder for itself: no part of its change.
    """

    room: Scratch | Overlaid
    leavings: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where the agent works; over an overlay, where what it writes is kept."""
        return self.room.folder

    def mounted(self, tier: Tier) -> tuple[Mount, tuple[Seen, ...]]:
        """What stands in for the task's root, and for repositories, where a tier confines.

        Raises:
            StorageError: the disk refused.
        """
        with storage_errors(self.folder):
            seen = self.room.repositories
            if isinstance(self.room, Overlaid):
                return self.room.mount, seen
            original = self.room.original.scope.root
            return copied(original, self.folder, self.room.links, tier), seen

    def __enter__(self) -> Self:
        """Take the place. Raises UsageError and StorageError as `Scratch` does."""
        self.room.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the copy. Raises StorageError: it cannot be removed; the next run tries again."""
        self.room.__exit__(kind, error, trace)

    def fill(self, call: str) -> None:
        """Make the copy as the task's files are now. Raises StorageError."""
        self._given.unlink(missing_ok=True)
        begun: dict[str, object] = {"call": call, "kind": _kind(self.room)}
        if isinstance(self.room, Overlaid):
            begun["snapshot"] = self.room.fill()
        else:
            begun["snapshot"] = self.room.fill().snapshot
            begun["links"] = self.room.links
        with storage_errors(self._given):
            self._given.write_text(json.dumps(begun))

    def find(self, call: str) -> bool:
        """Take the copy as a killed runner left it; whether there is one of this call."""
        try:
            begun = json.loads(self._given.read_text())
            snapshot, whose, links = begun["snapshot"], begun["call"], begun.get("links", ())
        except (OSError, ValueError, KeyError, TypeError):
            return False
        if whose != call or not self.folder.is_dir():
            return False
        if isinstance(self.room, Overlaid):
            self.room.reopen(snapshot)
        else:
            self.room.reopen(snapshot, links)
        return True

    def changed(self) -> tuple[str, ...]:
        """Paths of the files that differ now, relative to the root. Raises StorageError."""
        return tuple(change.path for change in self._changes())

    def left(self) -> tuple[Left, ...]:
        """What differs now, with contents. Raises StorageError."""
        return tuple(map(self._left, self._changes()))

    @property
    def _given(self) -> Path:
        return self.room.place / GIVEN

    def _changes(self) -> tuple[Change, ...]:
        own = Globs(self.leavings)
        try:
            found = self.room.changes()
        except StateError:  # the state folder was cleared meanwhile
            return ()
        return tuple(change for change in found if not own.covers(change.path))

    def _left(self, change: Change) -> Left:
        base, after = None, change.after
        try:
            if change.before is not None:
                before = self._content(change.path, change.before)
                base = hashlib.sha256(before).hexdigest()
            if after is None:
                return Left(change.path, base, None)
            if after.mode == LINK:
                return Left(change.path, base, None, odd="it is a symbolic link now")
            content = self._content(change.path, after)
        except StateError:
            return Left(change.path, base, None, odd="it is too large, or cannot be read")
        return Left(change.path, base, content, after.mode == EXECUTABLE)

    def _content(self, path: str, entry: Entry) -> bytes:
        return self.room.content(path, entry)


def is_overlaid(place: Path) -> bool:
    """Whether what a killed runner left at a place was over an overlay."""
    try:
        return bool(json.loads((place / GIVEN).read_text())["kind"] == _OVERLAID)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _kind(room: Scratch | Overlaid) -> str:
    return _OVERLAID if isinstance(room, Overlaid) else "copy"


def is_awaited(place: Path, now: float) -> bool:
    """Whether somebody may come back for this copy. `now`: epoch seconds."""
    with contextlib.suppress(OSError):
        return now - (place / GIVEN).stat().st_mtime < KEPT_FOR
    return False
