"""What a task changed, read from the journal: its change sets, and all of them as a patch."""

from collections.abc import Iterator

from attrs import evolve, frozen

from agent_runner.app.overview import KnownList
from agent_runner.app.place import require_task
from agent_runner.ground.diff import diff
from agent_runner.ground.disk import Disk
from agent_runner.model.applied import applied
from agent_runner.model.changes import ChangeSet, combined
from agent_runner.store.blobs import Blobs
from agent_runner.store.layout import Layout
from agent_runner.store.store import read_entries, read_state


@frozen
class AppliedChanges:
    """All that a task, or one attempt at it, changed, as one change set."""

    whole: ChangeSet
    blobs: Blobs

    @property
    def patch(self) -> bytes:
        """For `git apply`."""
        return diff(self.whole, self.blobs)

    def by_file(self) -> Iterator[tuple[str, bytes]]:
        """Each changed path with its part of the patch."""
        for change in self.whole.changes:
            yield change.path, diff(evolve(self.whole, changes=(change,)), self.blobs)


def changes(known: KnownList, task_id: str, attempt: int | None = None) -> AppliedChanges | None:
    """What a task, or one attempt at it, changed; None if it changed no file."""
    require_task(task_id, known.tasks)
    folder = known.place.state_dir
    state, _ = read_state(folder, known.tasks.id)
    done = applied(state.record(task_id), read_entries(folder))
    chosen = [one.change_set for one in done if attempt in {None, one.attempt}]
    if not chosen:
        return None
    return AppliedChanges(combined(chosen, task_id), Blobs(Layout(folder).blobs, Disk()))
