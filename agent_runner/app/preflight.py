"""What a run does before it spends anything: it is examined, and an edited list is named."""

from agent_runner.app.findings import Weight, examine
from agent_runner.app.project import Project
from agent_runner.app.sandboxing import confining_of, sandbox_lines
from agent_runner.app.selection import require_reachable
from agent_runner.app.wiring import Wiring
from agent_runner.documents import has_c_parser
from agent_runner.engine import decisions
from agent_runner.engine.schedule import Selection
from agent_runner.model.errors import InputError, StorageError, UsageError
from agent_runner.model.signals import Said
from agent_runner.model.states import FINAL, STEPS, TaskState
from agent_runner.model.task import Task

LONG_LIST = 1_000
"""Tasks from which on reading the list takes a second or so without the C parser."""


def prepare(project: Project, wiring: Wiring, chosen: Selection, *, rerun_changed: bool) -> None:
    """Check that every unfinished task of those chosen can be served, warn, reset what is to rerun.

    Raises InputError, with all that `config validate` finds as well, before anything is spent;
    StorageError where only rights or room are missing.
    """
    require_reachable(project, chosen, wiring.store.state.tasks)
    _say_warnings(project, wiring)
    _say_slow_list(project, wiring)
    _say_changed_list(project, wiring, chosen, rerun_changed=rerun_changed)
    state = wiring.store.state
    listed = [task for task in project.tasks.tasks if task.id in chosen]
    unfinished = [task for task in listed if state.record(task.id).state not in FINAL]
    wiring.trees.prune(state.tasks.values())
    _examine(project, wiring, unfinished)
    wiring.clients.check(unfinished)  # makes those that were examined, before anything is sent
    if wiring.choices.record is not None:
        _require_recordable(wiring, unfinished)
    for line in sandbox_lines(project, unfinished, confining_of(project)):
        wiring.core.signal(Said("", line))
    _say_dirty(wiring, unfinished)


def _require_recordable(wiring: Wiring, tasks: list[Task]) -> None:
    """Raise UsageError where an answer would be recorded without the files that are most of it."""
    for task in tasks:
        for one in wiring.clients.chain(task):
            if one.client.capabilities.in_copy:
                raise UsageError(
                    f"--record cannot keep what {one.name} does for {task.id}: it changes files"
                    " itself, and a recording holds words",
                    fix=f"leave out --record, or ask another provider than {one.name}",
                )


def stale(project: Project, wiring: Wiring) -> list[Task]:
    """Tasks that have passed and whose text has changed since."""
    records = wiring.store.state.tasks
    return [
        task
        for task in project.tasks.tasks
        if task.id in records
        and records[task.id].state is TaskState.PASSED
        and records[task.id].definition not in {"", task.definition}
    ]


def _examine(project: Project, wiring: Wiring, tasks: list[Task]) -> None:
    """Mention what is odd. Raise InputError with all that forbids the run."""
    found = [
        one
        for one in examine(project, tasks, wiring.trees.names)
        if not (one.about_limits and wiring.choices.ignore_limits)
    ]
    forbidding = [one for one in found if one.forbids_run]
    unwritable = [str(one.problem) for one in forbidding if one.weight is Weight.NOT_WRITABLE]
    if unwritable and len(unwritable) == len(forbidding):
        raise StorageError("\n".join(unwritable))
    if forbidding:
        lifted = any(one.about_limits for one in forbidding)
        fix = "correct it, or leave limits out of this run: --ignore-config-limits"
        raise InputError(tuple(one.problem for one in forbidding), fix=fix if lifted else "")
    for one in found:
        wiring.core.signal(Said("", str(one.problem), "warning"))


def _say_slow_list(project: Project, wiring: Wiring) -> None:
    """Mention once a run that a long list would be read quicker with the C parser."""
    file = project.tasks.file
    long = file.suffix != ".json" and len(project.tasks) >= LONG_LIST
    if long and not has_c_parser():
        install = "pip install 'ruamel.yaml[oldlibyaml]'"
        text = f"{file.name} is long: it is read some ten times quicker after {install}"
        wiring.core.signal(Said("", text))


def _say_warnings(project: Project, wiring: Wiring) -> None:
    texts = [*wiring.store.warnings, *map(str, project.loaded.warnings)]
    if wiring.choices.ignore_limits:
        texts.append("configured limits are ignored in this run (--ignore-config-limits)")
    for text in texts:
        wiring.core.signal(Said("", text, "warning"))


def _say_changed_list(
    project: Project, wiring: Wiring, chosen: Selection, *, rerun_changed: bool
) -> None:
    """Identity is the id: a task whose text changed is named, never silently done again."""
    records = wiring.store.state.tasks
    for task in stale(project, wiring):
        if task.id not in chosen:
            continue
        if rerun_changed:
            reason = "its text changed since it passed"
            decisions.reset(wiring.core, wiring.recovery, task.id, reason=reason)
        else:
            text = (
                f"{task.id} has passed, but its text has changed since; to redo it: --rerun-changed"
            )
            wiring.core.signal(Said(task.id, text, "warning"))
    for task in project.tasks.tasks:
        record = records.get(task.id)
        if record and record.state in STEPS and record.definition not in {"", task.definition}:
            reset = project.place.invocation.command("reset", task.id)
            text = (
                f"{task.id} was edited in the list while it was in progress;"
                f" it continues with the new text (to start it over: {reset})"
            )
            wiring.core.signal(Said(task.id, text, "warning"))
    gone = [task for task in records if task not in project.tasks]
    if gone:
        text = f"no longer in the list, kept in the state: {', '.join(sorted(gone)[:10])}"
        wiring.core.signal(Said("", text))


def _say_dirty(wiring: Wiring, tasks: list[Task]) -> None:
    """Mention once that there is uncommitted work of the user's own."""
    for root in dict.fromkeys(task.root for task in tasks[:1]):
        status = wiring.trees.status(root)
        if status and not status.clean:
            text = f"{root.name} has uncommitted changes; they are left alone"
            wiring.core.signal(Said("", text))
