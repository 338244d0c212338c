"""The copies of a run that nobody works in, each kept for the next task of the same root.

To fill a copy again takes a fraction of what it takes to make one, and to remove one can take even
longer. So a copy is moved from task to task, and removed when the run ends.
"""

import contextlib
import os
from pathlib import Path

from attrs import define, field, frozen

from agent_runner.ground.disk import storage_errors
from agent_runner.model.errors import AgentRunnerError
from agent_runner.workspace.copying import Mirror
from agent_runner.workspace.task_folder import TaskFolder, remove_at

_NAME = " spare"  # no task has it: their ids begin with no space


@frozen
class _Kept:
    held: TaskFolder
    mirror: Mirror

    @property
    def tree(self) -> Path:
        return self.held.place / "tree"


@define(eq=False)
class SpareCopies:
    """At most one copy a root, below `home`, the folder of all copies. Close it after the run."""

    home: Path
    _kept: dict[Path, _Kept] = field(init=False, factory=dict)

    def lend(self, root: Path, place: Path) -> Mirror | None:
        """Move the copy of `root` to `place`; None where there is none, and the place is free then.

        Raises:
            StorageError: the disk refused.
        """
        kept = self._kept.pop(root, None)
        if kept is None:
            return None
        try:
            with storage_errors(place):
                place.parent.mkdir(mode=0o700, exist_ok=True)
                os.rename(kept.tree, place)  # noqa: PTH104  # fails where something is there
        except AgentRunnerError:
            kept.held.remove()
            return None
        kept.held.remove()
        return kept.mirror

    def keep(self, mirror: Mirror, place: Path) -> None:
        """Take a copy over if there is room for it; else it stays where it is, to be removed."""
        if mirror.source in self._kept or not place.is_dir():
            return
        held = TaskFolder(self.home, mirror.source, _NAME)
        try:
            held.take()
        except AgentRunnerError:  # another run has one of this root
            return
        kept = _Kept(held, mirror)
        try:
            held.place.mkdir(mode=0o700, exist_ok=True)
            os.rename(place, kept.tree)  # noqa: PTH104  # as above
            self._kept[mirror.source] = kept
        except OSError:
            with contextlib.suppress(AgentRunnerError):
                held.remove()

    def close(self) -> None:
        """Remove them all; it can be left at any moment, and a later run removes the rest."""
        gone = []
        while self._kept:
            with contextlib.suppress(AgentRunnerError):
                gone.append(self._kept.popitem()[1].held.give_up())
        for place in gone:
            with contextlib.suppress(OSError):
                remove_at(place)
