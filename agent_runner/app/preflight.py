"""Checks before a run spends anything: providers, folders, limits, a list that was edited."""

import tempfile

from agent_runner.app.bounds import judge_limits
from agent_runner.app.commit_rules import judge_commits
from agent_runner.app.project import Project
from agent_runner.app.wiring import Wiring
from agent_runner.documents import has_c_parser
from agent_runner.engine import decisions
from agent_runner.ground.disk import storage_errors
from agent_runner.limits.contradictions import Kind
from agent_runner.model.errors import InputError
from agent_runner.model.signals import Said
from agent_runner.model.states import FINAL, STEPS, TaskState
from agent_runner.model.task import Task
from agent_runner.workspace.git import Repository

LONG_LIST = 1_000
"""Tasks from which on reading the list takes a second or so without the C parser."""


def prepare(project: Project, wiring: Wiring, *, rerun_changed: bool) -> None:
    """Check that every unfinished task can be served, warn, and reset what is to be rerun.

    Raises UsageError (no key, no such model, ...) and InputError (templates, limits that cannot be
    kept) before anything is spent.
    """
    _say_warnings(project, wiring)
    _say_slow_list(project, wiring)
    _say_changed_list(project, wiring, rerun_changed=rerun_changed)
    state = wiring.store.state
    unfinished = [t for t in project.tasks.tasks if state.record(t.id).state not in FINAL]
    wiring.clients.check(unfinished)
    _judge_limits(project, wiring, unfinished)
    _check_writable(unfinished)
    _check_commits(project, unfinished)
    _say_dirty(wiring, unfinished)


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


def _judge_limits(project: Project, wiring: Wiring, tasks: list[Task]) -> None:
    """Mention limits that cannot be meant. Raise InputError for one that cannot be kept.

    A limit into which no call fits is only mentioned: it may be that of a fallback.
    """
    asked = dict.fromkeys(one for task in tasks for one in wiring.clients.chain(task))
    found = judge_limits(project.loaded, project.settings, asked)
    unpriced = tuple(problem for kind, problem in found if kind is Kind.UNPRICED)
    if unpriced and not wiring.choices.ignore_limits:
        raise InputError(
            unpriced, fix="correct it, or leave limits out of this run: --ignore-config-limits"
        )
    for kind, problem in found:
        if kind is not Kind.UNPRICED:
            wiring.core.signal(Said("", str(problem), "warning"))


def _check_writable(tasks: list[Task]) -> None:
    """Raise StorageError for a folder that cannot be written, before anything is spent on it."""
    for root in {task.root for task in tasks}:
        folder = next(path for path in (root, *root.parents) if path.exists())
        with storage_errors(folder), tempfile.TemporaryFile(dir=folder):
            pass


def _check_commits(project: Project, tasks: list[Task]) -> None:
    """Raise InputError where commits are asked for and git could make none."""
    roots, env = (task.root for task in tasks), project.surroundings.env
    problems = judge_commits(project.loaded, project.settings, roots, env)
    if problems:
        raise InputError(problems)


def _say_slow_list(project: Project, wiring: Wiring) -> None:
    """Mention once a run that a long list would be read quicker with the extra `fast`."""
    file = project.tasks.file
    long = file.suffix != ".json" and len(project.tasks) >= LONG_LIST
    if long and not has_c_parser():
        install = "pip install 'agent-runner[fast]'"
        text = f"{file.name} is long: it is read some ten times quicker after {install}"
        wiring.core.signal(Said("", text))


def _say_warnings(project: Project, wiring: Wiring) -> None:
    texts = [*wiring.store.warnings, *map(str, project.loaded.warnings)]
    if wiring.choices.ignore_limits:
        texts.append("configured limits are ignored in this run (--ignore-config-limits)")
    for text in texts:
        wiring.core.signal(Said("", text, "warning"))


def _say_changed_list(project: Project, wiring: Wiring, *, rerun_changed: bool) -> None:
    """Identity is the id: a task whose text changed is named, never silently done again."""
    records = wiring.store.state.tasks
    for task in stale(project, wiring):
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
        repository = Repository.find(root)
        if repository and not repository.status(limit=1).clean:
            text = f"{root.name} has uncommitted changes; they are left alone"
            wiring.core.signal(Said("", text))
