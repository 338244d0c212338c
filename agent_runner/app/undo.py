"""Reverts what a task changed, unless somebody edited the files since."""

from functools import partial
from pathlib import Path

from attrs import evolve, frozen

from agent_runner.app.applied_changes import applied, whole_change
from agent_runner.app.project import Project
from agent_runner.app.session import wired_for
from agent_runner.edits.images import Stands, judge
from agent_runner.engine.changes import Changes
from agent_runner.engine.core import Core
from agent_runner.model import events as e
from agent_runner.model.changes import ChangeSet, Kind
from agent_runner.model.task import Task
from agent_runner.store.store import read_entries


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
        for change in rest:  # before anything is journaled: StateError says what to do
            if change.before.kind is Kind.FILE:
                wiring.store.blobs.get(change.before.sha256)
        conflict = revert(wiring.core, wiring.changes, task, evolve(whole, changes=rest))
        if conflict:
            return UndoOutcome(refused=f"{conflict.path}: {conflict.reason}")
        return UndoOutcome(reverted=True, edited=edited)


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
