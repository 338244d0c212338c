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
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from attrs import define, field, frozen

from agent_runner.ground.disk import storage_errors
from agent_runner.ground.globs import Globs
from agent_runner.model.errors import StateError
from agent_runner.sandbox.confinement import Mount, Seen, Tier
from agent_runner.workspace.filetree import EXECUTABLE, LINK, Entry
from agent_runner.workspace.history import Change
from agent_runner.workspace.overlaid import OVERLAID
from agent_runner.workspace.workplace import Workplace

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

    workplace: Workplace
    leavings: tuple[str, ...] = ()
    _begun: dict[str, Any] = field(init=False, factory=dict)
    _is_paused: bool = field(init=False, default=False)

    @property
    def folder(self) -> Path:
        """Where the agent works; over an overlay, where what it writes is kept."""
        return self.workplace.folder

    def mounted(self, tier: Tier) -> tuple[Mount, tuple[Seen, ...]]:
        """What stands in for the task's root, and for repositories, where a tier confines.

        Raises:
            StorageError: the disk refused.
        """
        with storage_errors(self.folder):
            seen = self.workplace.repositories  # first: what stands in changes the links in a copy
            return self.workplace.mounted(tier), seen

    def __enter__(self) -> Self:
        """Take the place. Raises UsageError and StorageError as `Scratch` does."""
        self.workplace.__enter__()
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove the copy, unless it is paused. Raises StorageError: the next run tries again."""
        if self._is_paused:
            self.workplace.held.give_back()
        else:
            self.workplace.__exit__()

    def fill(self, call: str) -> None:
        """Make the copy as the task's files are now. Raises StorageError."""
        self._given.unlink(missing_ok=True)
        self.workplace.fill()
        self._begun = {"call": call, **self.workplace.noted}
        self._write()

    def find(self, call: str) -> bool:
        """Take the copy as a killed runner left it; whether there is one of this call."""
        begun = begun_at(self.workplace.place)
        if begun.get("call") != call or not self.folder.is_dir():
            return False
        self.workplace.reopen(begun)
        return True

    def pause(self, by: Mapping[str, str]) -> None:
        """Let the copy stand after this use, for `go_on` of the same agent. Raises StorageError."""
        self._begun["paused"] = dict(by)
        self._write()
        self._is_paused = True

    def go_on(self, call: str) -> bool:
        """Go on in the paused copy; False where it has to be filled anew.

        That is so where a file was changed meanwhile that was changed in the copy, too; and for a
        copy without an overlay, which does not see such changes, where any was.

        Raises:
            StorageError: the disk refused.
        """
        begun = begun_at(self.workplace.place)
        if not begun or not self.folder.is_dir():
            return False
        try:
            self.workplace.reopen(begun)
            if not self.workplace.catch_up():
                return False
        except StateError:  # the state folder was cleared meanwhile
            return False
        self._begun = {"call": call, **self.workplace.noted}
        self._write()
        return True

    def _write(self) -> None:
        with storage_errors(self._given):
            self._given.write_text(json.dumps(self._begun))

    def changed(self) -> tuple[str, ...]:
        """Paths of the files that differ now, relative to the root. Raises StorageError."""
        return tuple(change.path for change in self._changes())

    def left(self) -> tuple[Left, ...]:
        """What differs now, with contents. Raises StorageError."""
        return tuple(map(self._left, self._changes()))

    @property
    def _given(self) -> Path:
        return self.workplace.place / GIVEN

    def _changes(self) -> tuple[Change, ...]:
        own = Globs(self.leavings)
        try:
            found = self.workplace.changes()
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
        return self.workplace.content(path, entry)


def begun_at(place: Path) -> dict[str, Any]:
    """What is known of the copy that stands at a place; nothing where none was left there."""
    try:
        begun = json.loads((place / GIVEN).read_text())
        known = isinstance(begun, dict) and isinstance(begun["snapshot"], str)
        return begun if known and begun["call"] else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def is_overlaid(place: Path) -> bool:
    """Whether what stands at a place is over an overlay."""
    return begun_at(place).get("kind") == OVERLAID


def paused_at(place: Path) -> Mapping[str, str]:
    """By whom a copy was paused; nothing where none was."""
    found = begun_at(place).get("paused")
    return found if isinstance(found, dict) else {}


def is_awaited(place: Path, now: float) -> bool:
    """Whether somebody may come back for this copy. `now`: epoch seconds."""
    with contextlib.suppress(OSError):
        return now - (place / GIVEN).stat().st_mtime < KEPT_FOR
    return False
