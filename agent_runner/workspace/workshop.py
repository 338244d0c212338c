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
from agent_runner.workspace.filetree import EXECUTABLE, LINK, Entry
from agent_runner.workspace.history import Change
from agent_runner.workspace.scratch import Scratch

GIVEN = "given"
"""The file in a copy's place that says with what it began, as JSON."""

KEPT_FOR = 7 * 24 * 3600.0
"""Seconds for which a copy that a killed runner left is kept."""


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

    scratch: Scratch
    leavings: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where the agent works."""
        return self.scratch.folder

    @property
    def links(self) -> tuple[str, ...]:
        """Folders of installed dependencies that are links to the original's."""
        return self.scratch.links

    def __enter__(self) -> Self:
        """Take the place. Raises UsageError and StorageError as `Scratch` does."""
        self.scratch.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the copy. Raises StorageError: it cannot be removed; the next run tries again."""
        self.scratch.__exit__(kind, error, trace)

    def fill(self, call: str) -> None:
        """Make the copy as the task's files are now. Raises StorageError."""
        self._given.unlink(missing_ok=True)
        filled = self.scratch.fill()
        begun = {"snapshot": filled.snapshot, "call": call, "links": self.scratch.links}
        with storage_errors(self._given):
            self._given.write_text(json.dumps(begun))

    def find(self, call: str) -> bool:
        """Take the copy as a killed runner left it; whether there is one of this call."""
        try:
            begun = json.loads(self._given.read_text())
            snapshot, whose, links = begun["snapshot"], begun["call"], begun["links"]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        if whose != call or not self.folder.is_dir():
            return False
        self.scratch.reopen(snapshot, links)
        return True

    def changed(self) -> tuple[str, ...]:
        """Paths of the files that differ now, relative to the root. Raises StorageError."""
        return tuple(change.path for change in self._changes())

    def left(self) -> tuple[Left, ...]:
        """What differs now, with contents. Raises StorageError."""
        return tuple(map(self._left, self._changes()))

    @property
    def _given(self) -> Path:
        return self.scratch.place / GIVEN

    def _changes(self) -> tuple[Change, ...]:
        self.scratch.renew_repository()
        own = Globs(self.leavings)
        try:
            found = self.scratch.changes()
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
        return self.scratch.content(path, entry)


def is_awaited(place: Path, now: float) -> bool:
    """Whether somebody may come back for this copy. `now`: epoch seconds."""
    with contextlib.suppress(OSError):
        return now - (place / GIVEN).stat().st_mtime < KEPT_FOR
    return False
