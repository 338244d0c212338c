"""Change sets on their way into the files and back, always with the intent in the journal first."""

from collections.abc import Callable
from pathlib import Path

import anyio.to_thread
from attrs import frozen

from agent_runner.edits import apply as writing
from agent_runner.edits.apply import Conflict, OnWrite
from agent_runner.edits.diff import diff
from agent_runner.edits.plan import Planned
from agent_runner.ground.disk import Disk, storage_errors
from agent_runner.model.changes import ChangeSet
from agent_runner.model.events import ApplyPlanned, Conflicted, Fact, RollbackDone, RollbackPlanned
from agent_runner.store.blobs import Blobs

Journal = Callable[[Fact], None]
"""Makes a fact of one task durable."""


@frozen
class Changes:
    """Writes and takes back, through images that are stored before anything is touched.

    `on_write`: called before each step of writing with its kind and path; it may raise.
    """

    blobs: Blobs
    disk: Disk
    on_write: OnWrite | None = None

    def plan(self, planned: Planned, call: str, attempt: Path, journal: Journal) -> None:
        """Store all images and the diff, for people and later prompts; then journal the intent."""
        for content in planned.blobs.values():
            self.blobs.put(content)
        with storage_errors(attempt):
            self.disk.create_folder(attempt)
            text = diff(planned.change_set, self.blobs)
            self.disk.write_file(attempt / "changes.diff", text)  # later prompts show it
        journal(ApplyPlanned(planned.change_set, call))

    async def write(self, change_set: ChangeSet, root: Path) -> Conflicted | None:
        """Make the files hold the after-images; not to be cancelled halfway, and safe to repeat."""
        conflict = await anyio.to_thread.run_sync(
            writing.apply, change_set, root, self.blobs, self.on_write
        )
        return _event(conflict)

    def take_back(
        self, change_set: ChangeSet, root: Path, reason: str, journal: Journal
    ) -> Conflicted | None:
        """Put the before-images back; the intent is journaled, and so is the end."""
        back = change_set.inverted(f"{change_set.id}-back")
        journal(RollbackPlanned(back, reason))
        return self.finish_taking_back(back, root, journal)

    def finish_taking_back(
        self, back: ChangeSet, root: Path, journal: Journal
    ) -> Conflicted | None:
        """Finish a rollback whose intent is in the journal; a conflict leaves all as it is."""
        conflict = writing.apply(back, root, self.blobs, self.on_write)
        writing.remove_temps(back, root)
        if conflict is None:
            journal(RollbackDone(back.id))
        return _event(conflict)


def _event(conflict: Conflict | None) -> Conflicted | None:
    return None if conflict is None else Conflicted(conflict.path, conflict.reason)
