"""The state of each task's files: as it is now, and what has changed since the task began."""

from collections.abc import Callable
from pathlib import Path

import anyio.to_thread
from attrs import define, field

from agent_runner.model.record import TaskRecord
from agent_runner.model.task import Task
from agent_runner.store.blobs import Blobs
from agent_runner.workspace.tree import Tree, TreeReader

_NOTHING = Tree("")
"""A tree without files."""


@define
class Trees:
    """One reader per root, kept for the run, so that unchanged files are not read again."""

    blobs: Blobs
    make_reader: Callable[[Path], TreeReader]
    _readers: dict[Path, TreeReader] = field(factory=dict)

    async def read(self, task: Task) -> Tree:
        """The tree as it stands now; git and the disk are waited for in a thread."""
        return await anyio.to_thread.run_sync(self._reader(task.root).read)

    def keep(self, tree: Tree) -> str:
        """Store a tree; returns its blob's name."""
        return self.blobs.put(tree.to_json().encode("ascii"))

    def at_start(self, record: TaskRecord) -> Tree | None:
        """The tree as it stood when the task began, if that was kept."""
        return (
            Tree.from_json(self.blobs.get(record.change.start).decode("ascii"))
            if record.change.start
            else None
        )

    def changed_since_start(self, task: Task, record: TaskRecord) -> tuple[str, ...]:
        """Paths changed since the task began; waits for git and the disk.

        Where nobody knows how it began (a task checked before it ran), every file counts: a judge
        must not be passed over for want of knowledge.
        """
        reader = self._reader(task.root)
        return reader.changed(self.at_start(record) or _NOTHING, reader.read())

    def _reader(self, root: Path) -> TreeReader:
        if root not in self._readers:
            self._readers[root] = self.make_reader(root)
        return self._readers[root]
