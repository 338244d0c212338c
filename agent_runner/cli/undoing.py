"""Shows and takes back what a task changed."""

import sys

from agent_runner.app.history import applied, undo
from agent_runner.app.project import Project
from agent_runner.app.wiring import Wiring
from agent_runner.cli.naming import require_task
from agent_runner.clock import SystemClock
from agent_runner.edits.combine import combined
from agent_runner.edits.diff import diff
from agent_runner.store.blobs import Blobs
from agent_runner.store.disk import Disk
from agent_runner.store.store import Store, read_entries, read_state


def print_diff(project: Project, task_id: str, attempt: int | None) -> int:
    """The patch on stdout."""
    require_task(project, task_id)
    state, _ = read_state(project.place.state_dir, project.tasks.id)
    done = applied(state.record(task_id), read_entries(project.place.state_dir))
    chosen = [one.change_set for one in done if attempt in {None, one.attempt}]
    if not chosen:
        which = f"attempt {attempt} of {task_id}" if attempt else task_id
        print(f"{which} has changed no file", file=sys.stderr)
        return 0
    text = diff(combined(chosen, task_id), Blobs(project.layout.blobs, Disk()))
    sys.stdout.buffer.write(text)
    return 0


def take_back(project: Project, task_id: str) -> int:
    """Put the files back; 1 if one of them was changed since, which leaves all as they are."""
    require_task(project, task_id)
    place, clock = project.place, SystemClock()
    store = Store.open(
        place.state_dir, project=project.tasks.folder, list_id=project.tasks.id, clock=clock
    )
    try:
        wiring = Wiring(project, store, (), clock)
        wiring.recovery.settle(task_id, reason="the task is taken back")
        done = applied(store.state.record(task_id), read_entries(place.state_dir))
        if not done:
            print(f"{task_id} has changed no file", file=sys.stderr)
            code, said = 0, ""
        else:
            conflict = undo(wiring.core, wiring.changes, project.tasks[task_id], done)
            code = 1 if conflict else 0
            said = f"{conflict.path}: {conflict.reason}; no file was touched" if conflict else ""
    except BaseException:
        store.abandon()
        raise
    store.close()
    if said:
        print(said, file=sys.stderr)
    elif done:
        print(f"taken back: what {task_id} had changed; its state is as it was")
        print(f"  to do it again: agent-runner reset {task_id}{place.options}")
    return code
