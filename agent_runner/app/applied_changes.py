"""What a task changed, read from the journal: its change sets, and all of them as a patch."""

from agent_runner.app.overview import KnownList
from agent_runner.app.place import require_task
from agent_runner.ground.diff import diff
from agent_runner.ground.disk import Disk
from agent_runner.model.applied import applied
from agent_runner.model.changes import combined
from agent_runner.store.blobs import Blobs
from agent_runner.store.layout import Layout
from agent_runner.store.store import read_entries, read_state


def patch(known: KnownList, task_id: str, attempt: int | None = None) -> bytes | None:
    """What a task, or one attempt at it, changed, for `git apply`; None if it changed no file."""
    require_task(task_id, known.tasks)
    folder = known.place.state_dir
    state, _ = read_state(folder, known.tasks.id)
    done = applied(state.record(task_id), read_entries(folder))
    chosen = [one.change_set for one in done if attempt in {None, one.attempt}]
    if not chosen:
        return None
    return diff(combined(chosen, task_id), Blobs(Layout(folder).blobs, Disk()))
