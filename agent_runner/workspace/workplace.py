"""A task's files as a command is given them: what holds of a copy and of an overlay alike."""

import abc
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from attrs import define, field, frozen

from agent_runner.sandbox.confinement import Mount, Seen, Tier
from agent_runner.workspace.filetree import Entry
from agent_runner.workspace.history import Change
from agent_runner.workspace.snapshots import SnapshotReader
from agent_runner.workspace.task_folder import TaskFolder


@frozen
class Filled:
    """What was given over.

    `snapshot`: its id. `names_original`: files, relative to the root, that name the original folder
    by its path (a virtual environment, an editable install): programs may be led back to the
    original files by them.
    """

    snapshot: str
    names_original: tuple[str, ...] = ()


@define(eq=False)
class Workplace(abc.ABC):
    """Always kept in the same place, held by one process at a time; leaving the context removes it.

    `home` is the folder of all of them, private to the user. `original` reads the task's root.
    `left_out`: names of files and folders that are not given, at any depth.
    """

    home: Path
    task_id: str
    original: SnapshotReader
    left_out: frozenset[str] = frozenset()
    held: TaskFolder = field(init=False)
    given: str = field(init=False, default="")

    def __attrs_post_init__(self) -> None:
        """Know the place."""
        self.held = TaskFolder(self.home, self.original.scope.root, self.task_id)

    @property
    def place(self) -> Path:
        """The folder of all that is kept, below `home`."""
        return self.held.place

    def __enter__(self) -> Self:
        """Take the place.

        Raises:
            UsageError: another process has it, or `home` lies inside the project.
            StorageError: the disk refused.
        """
        self.held.take()
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove what is kept, and give the place back.

        Raises:
            StorageError: it cannot be removed; the next run tries again.
        """
        self.held.remove()

    @property
    @abc.abstractmethod
    def folder(self) -> Path:
        """Where what a command writes to the task's root is found."""

    @property
    @abc.abstractmethod
    def repositories(self) -> tuple[Seen, ...]:
        """What is to be seen at the place of each `.git`. Raises OSError."""

    @abc.abstractmethod
    def mounted(self, tier: Tier) -> Mount:
        """What stands in for the task's root where a tier confines. Raises OSError."""

    @abc.abstractmethod
    def fill(self) -> Filled:
        """Give the original as it is now; what an earlier use left is gone.

        Raises:
            StorageError: the disk refused.
        """

    @property
    @abc.abstractmethod
    def noted(self) -> dict[str, Any]:
        """What another process has to know to `reopen` it, as JSON."""

    @abc.abstractmethod
    def reopen(self, noted: Mapping[str, Any]) -> None:
        """Take it as it lies there."""

    @abc.abstractmethod
    def catch_up(self) -> bool:
        """Take the original as it is now for what was given; whether that can be.

        Raises:
            StateError, StorageError: as `changes`.
        """

    @abc.abstractmethod
    def changes(self) -> tuple[Change, ...]:
        """What was changed since it was given over; what git ignores does not count.

        Raises:
            StateError: what was given is not known any more.
            StorageError: the disk refused.
        """

    @abc.abstractmethod
    def content(self, path: str, entry: Entry) -> bytes:
        """The content of a changed file, before or after. Raises StateError."""
