"""Change sets on their way into the files and back, always with the intent in the journal first."""

from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from agent_runner.edits.plan import Planned
from agent_runner.files import apply as writing
from agent_runner.files.apply import Conflict, OnWrite
from agent_runner.ground.diff import diff
from agent_runner.ground.disk import Disk, create_folder_below, storage_errors
from agent_runner.ground.plain_files import read_plain
from agent_runner.model.changes import ChangeSet, Kind
from agent_runner.model.errors import StateError, StorageError
from agent_runner.model.events import ApplyPlanned, Conflicted, Fact, RollbackDone, RollbackPlanned
from agent_runner.model.record import TaskRecord
from agent_runner.store.blobs import Blobs
from agent_runner.store.layout import Layout

Journal = Callable[[Fact], None]
"""Makes a fact of one task durable."""


@frozen
class Changes:
    """Writes and takes back, through images that are stored before anything is touched.

    `on_write`: called before each step of writing with its kind and path; it may raise.
    """

    layout: Layout
    blobs: Blobs
    disk: Disk
    on_write: OnWrite | None = None

    def plan(self, planned: Planned, record: TaskRecord, journal: Journal) -> None:
        """Keep all images and the diff, which later prompts show; then journal the intent."""
        for content in planned.blobs.values():
            self.blobs.put(content)
        text = self.write_diff(planned.change_set, record, "changes.diff")[1]
        self.blobs.write(_diff_of(planned.change_set.id), text)
        journal(ApplyPlanned(planned.change_set, record.call.reply or ""))

    def write_diff(
        self, change_set: ChangeSet, record: TaskRecord, name: str
    ) -> tuple[Path, bytes]:
        """Write a change set, whose images are kept, as a patch for people beside the attempt."""
        text = diff(change_set, self.blobs)
        folder = self.layout.attempt(record.id, record.counts.attempts)
        with storage_errors(folder):
            create_folder_below(self.layout.folder, folder)
            self.disk.write_file(folder / name, text, durable=False)
        return folder / name, text

    def diff_taken_back(self, record: TaskRecord) -> str:
        """The diffs of the changes that were taken back last, oldest first."""
        diffs = [self.blobs.read(_diff_of(change)) for change in record.change.taken_back]
        return b"".join(filter(None, diffs)).decode(errors="replace")

    def diff_so_far(self, record: TaskRecord) -> str:
        """The diffs of the changes that stand in the files, oldest first."""
        gone = record.change.taken_back
        standing = (change for change in record.change.applied if change not in gone)
        diffs = [self.blobs.read(_diff_of(change)) for change in standing]
        if None in diffs:  # a task begun by a version that had nothing but the copies
            numbers = range(1, record.counts.attempts + 1)
            copies = (self.layout.attempt(record.id, n) / "changes.diff" for n in numbers)
            diffs = [read_plain(copy) for copy in copies if copy.is_file()]
        return b"".join(filter(None, diffs)).decode(errors="replace")

    def write(self, change_set: ChangeSet, root: Path) -> Conflicted | None:
        """Make the files hold the after-images; safe to repeat. One that is lost is a conflict."""
        try:
            conflict = writing.apply(change_set, root, self.blobs, self.on_write)
        except StorageError:
            raise
        except StateError as error:  # not before it is needed: that reads every image twice
            writing.remove_temps(change_set, root)
            reason = f"what it should hold is lost ({error}); a reset begins the task anew"
            return Conflicted(self._first_lost(change_set), reason)
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
        conflicted = self.write(back, root)
        writing.remove_temps(back, root)
        if conflicted is None:
            journal(RollbackDone(back.id))
        return conflicted

    def _first_lost(self, change_set: ChangeSet) -> str:
        for change in change_set.changes:
            if change.after.kind is Kind.FILE:
                try:
                    self.blobs.get(change.after.sha256)
                except StateError:
                    return change.path
        return ""


def _diff_of(change: str) -> str:
    """The name of a change set's diff among the blobs."""
    return f"{change}/diff"


def _event(conflict: Conflict | None) -> Conflicted | None:
    return None if conflict is None else Conflicted(conflict.path, conflict.reason)
