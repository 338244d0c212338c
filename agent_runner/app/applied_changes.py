"""What a task changed, read from the journal: as a patch, and reverted."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from attrs import evolve, frozen

from agent_runner.app.project import Project
from agent_runner.app.session import wired_for
from agent_runner.edits.combine import combined
from agent_runner.edits.diff import diff
from agent_runner.edits.images import Stands, judge
from agent_runner.engine.changes import Changes
from agent_runner.engine.core import Core
from agent_runner.ground.disk import Disk
from agent_runner.model import events as e
from agent_runner.model.changes import ChangeSet, FileChange, Image
from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord
from agent_runner.model.task import Task
from agent_runner.store.blobs import Blobs
from agent_runner.store.store import read_entries, read_state


@frozen
class UndoOutcome:
    """What came of an undo.

    Attributes:
        reverted: Whether there was a change and it is reverted.
        edited: Files that somebody edited since.
        refused: Why nothing was touched; "" if that is not so.
    """

    reverted: bool = False
    edited: tuple[str, ...] = ()
    refused: str = ""


def patch(project: Project, task_id: str, attempt: int | None = None) -> bytes | None:
    """What a task, or one attempt at it, changed, for `git apply`; None if it changed no file."""
    project.task(task_id)
    state, _ = read_state(project.place.state_dir, project.tasks.id)
    done = applied(state.record(task_id), read_entries(project.place.state_dir))
    chosen = [one.change_set for one in done if attempt in {None, one.attempt}]
    if not chosen:
        return None
    return diff(combined(chosen, task_id), Blobs(project.layout.blobs, Disk()))


def undo(project: Project, task_id: str, *, keep_edited: bool = False) -> UndoOutcome:
    """Put the files back as they were before the task.

    If somebody edited one since, no file is touched; with `keep_edited` all but those are reverted.
    """
    with wired_for(project, task_id) as wiring:
        wiring.recovery.settle(task_id, reason="the task is undone")
        record = wiring.store.state.record(task_id)
        done = applied(record, read_entries(project.place.state_dir))
        if not done:
            return UndoOutcome()
        whole, task = whole_change(task_id, done), project.task(task_id)
        edited = edited_since(whole, task.root)
        if edited and not keep_edited:
            return UndoOutcome(edited=edited, refused=f"edited since: {', '.join(edited)}")
        rest = tuple(change for change in whole.changes if change.path not in edited)
        conflict = revert(wiring.core, wiring.changes, task, evolve(whole, changes=rest))
        if conflict:
            return UndoOutcome(refused=f"{conflict.path}: {conflict.reason}")
        return UndoOutcome(reverted=True, edited=edited)


@frozen
class AppliedChange:
    """One applied change set and the attempt it belonged to.

    `reshaped`: what hooks made of its files afterwards, as a formatter does.
    """

    attempt: int
    change_set: ChangeSet
    reshaped: tuple[FileChange, ...] = ()


def applied(record: TaskRecord, entries: Iterable[Entry]) -> tuple[AppliedChange, ...]:
    """The change sets of a task that stand in the files, oldest first."""
    wanted, attempt = set(record.change.applied), 0
    found: dict[str, AppliedChange] = {}
    for entry in entries:
        event = entry.event
        if entry.task != record.id:
            continue
        if isinstance(event, e.CallStarted):
            attempt = event.attempt
        elif isinstance(event, e.ApplyPlanned) and event.change_set.id in wanted:
            found[event.change_set.id] = AppliedChange(attempt, event.change_set)
        elif isinstance(event, (e.PostHooksPassed, e.PostHooksFailed)) and found:
            last = next(reversed(found))
            found[last] = evolve(found[last], reshaped=found[last].reshaped + event.reshaped)
    return tuple(found.values())


def whole_change(task_id: str, done: Iterable[AppliedChange]) -> ChangeSet:
    """All of it as one change, up to what the hooks made of it; that is none of the user's."""
    change_sets: list[ChangeSet] = []
    last: dict[str, FileChange] = {}
    for one in done:
        change_sets.append(one.change_set)
        last.update({change.path: change for change in one.change_set.changes})
        for change in one.reshaped:
            agents = last.get(change.path)
            if agents is not None and _same(agents.after, change.before):
                last[change.path] = evolve(agents, before=agents.after, after=change.after)
                change_sets.append(ChangeSet(one.change_set.id, (last[change.path],)))
    return combined(change_sets, f"{task_id}-undo")


def edited_since(whole: ChangeSet, root: Path) -> tuple[str, ...]:
    """The files that somebody has changed since: neither as before the task nor as it left them."""
    judged = judge(whole.inverted(whole.id), root)
    return tuple(one.change.path for one in judged if one.stands is Stands.NEITHER)


def revert(core: Core, changes: Changes, task: Task, whole: ChangeSet) -> e.Conflicted | None:
    """Revert a change; None when the files are as they were before it."""
    journal = partial(core.journal, task.id)
    conflicted = changes.take_back(whole, task.root, "a person undoes the task", journal)
    if conflicted is None:
        journal(e.Undone(whole.paths))
    return conflicted


def _same(one: Image, other: Image) -> bool:
    """By content, as files are judged."""
    return (one.kind, one.sha256) == (other.kind, other.sha256)
