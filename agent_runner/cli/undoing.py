"""Shows and takes back what a task changed."""

import sys

from attrs import evolve

from agent_runner.app.history import applied, edited_since, undo, whole_change
from agent_runner.app.project import Project
from agent_runner.app.wiring import Wiring
from agent_runner.cli.naming import require_task
from agent_runner.edits.combine import combined
from agent_runner.edits.diff import diff
from agent_runner.ground.clock import SystemClock
from agent_runner.ground.disk import Disk
from agent_runner.store.blobs import Blobs
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


def take_back(project: Project, task_id: str, *, keep_edited: bool) -> int:
    """Put the files back.

    1 if some were edited since, which leaves all as they are; with `keep_edited` only those.
    """
    require_task(project, task_id)
    place, clock = project.place, SystemClock()
    store = Store.open(
        place.state_dir, project=project.tasks.folder, list_id=project.tasks.id, clock=clock
    )
    try:
        code = _take_back(Wiring(project, store, (), clock), task_id, keep_edited=keep_edited)
    except BaseException:
        store.abandon()
        raise
    store.close()
    return code


def _take_back(wiring: Wiring, task_id: str, *, keep_edited: bool) -> int:
    project, store = wiring.project, wiring.store
    place, task = project.place, project.tasks[task_id]
    wiring.recovery.settle(task_id, reason="the task is taken back")
    done = applied(store.state.record(task_id), read_entries(place.state_dir))
    if not done:
        print(f"{task_id} has changed no file", file=sys.stderr)
        return 0
    whole = whole_change(task_id, done)
    edited = edited_since(whole, task.root)
    if edited and not keep_edited:
        print(f"edited since: {', '.join(edited)}; no file was touched", file=sys.stderr)
        again = place.invocation.command("undo", task_id, "--keep-edited")
        print(f"  to take back the others: {again}", file=sys.stderr)
        return 1
    rest = tuple(change for change in whole.changes if change.path not in edited)
    conflict = undo(wiring.core, wiring.changes, task, evolve(whole, changes=rest))
    if conflict:
        print(f"{conflict.path}: {conflict.reason}; no file was touched", file=sys.stderr)
        return 1
    print(f"taken back: what {task_id} had changed; its state is as it was")
    if edited:
        print(f"  left as you edited them: {', '.join(edited)}")
    print(f"  to do it again: {place.invocation.command('reset', task_id)}")
    return 0
