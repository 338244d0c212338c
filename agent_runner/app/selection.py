"""Which tasks of the list a run is to work on, from what the command line says of it."""

from collections.abc import Mapping, Sequence

from agent_runner.app.place import require_task
from agent_runner.app.project import Project
from agent_runner.engine.schedule import EVERYTHING, Selection
from agent_runner.model.errors import UsageError
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import TaskState
from agent_runner.model.task import TaskList


def select(tasks: TaskList, ids: Sequence[str], until: str | None, most: int | None) -> Selection:
    """What `run T3 T5`, `--until T4` and `--max-tasks N` choose.

    Raises UsageError for an id that the list does not have.
    """
    for one in (*ids, *([until] if until else [])):
        require_task(one, tasks)
    if ids and until:
        raise UsageError("tasks are chosen twice", fix="name them, or give --until, not both")
    if ids:
        return Selection(frozenset(ids), most)
    if until is None:
        return Selection(None, most) if most else EVERYTHING
    listed = [task.id for task in tasks.tasks]
    return Selection(frozenset(listed[: listed.index(until) + 1]), most)


def require_reachable(
    project: Project, chosen: Selection, records: Mapping[str, TaskRecord]
) -> None:
    """Raise UsageError if a chosen task waits for one that has not passed and was not chosen."""
    if chosen.tasks is None:
        return
    for task in project.tasks.tasks:
        if task.id not in chosen or _state(records, task.id) is not TaskState.PENDING:
            continue
        missing = [
            one
            for one in task.depends_on
            if one not in chosen and _state(records, one) is not TaskState.PASSED
        ]
        if missing:
            verb = "has" if len(missing) == 1 else "have"
            every = [t.id for t in project.tasks.tasks if t.id in {*chosen.tasks, *missing}]
            raise UsageError(
                f"{task.id} depends on {', '.join(missing)}, which {verb} not passed",
                fix="choose what it depends on as well",
                command=("run", *every),
            )


def _state(records: Mapping[str, TaskRecord], task_id: str) -> TaskState:
    record = records.get(task_id)
    return record.state if record else TaskState.PENDING
