"""The change sets that a task applied, read from the journal, and taking them back."""

from collections.abc import Iterable

from attrs import frozen

from agent_runner.edits.apply import Conflict
from agent_runner.edits.combine import combined
from agent_runner.engine.changes import Changes
from agent_runner.engine.core import Core
from agent_runner.model import events as e
from agent_runner.model.changes import ChangeSet
from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord
from agent_runner.model.task import Task


@frozen
class AppliedChange:
    """One applied change set and the attempt it belonged to."""

    attempt: int
    change_set: ChangeSet


def applied(record: TaskRecord, entries: Iterable[Entry]) -> tuple[AppliedChange, ...]:
    """The change sets of a task that stand in the files, oldest first."""
    wanted, attempt = set(record.change_sets), 0
    found: dict[str, AppliedChange] = {}
    for entry in entries:
        if entry.task != record.id:
            continue
        if isinstance(entry.event, e.CallStarted):
            attempt = entry.event.attempt
        elif isinstance(entry.event, e.ApplyPlanned) and entry.event.change_set.id in wanted:
            found[entry.event.change_set.id] = AppliedChange(attempt, entry.event.change_set)
    return tuple(found.values())


def undo(
    core: Core, changes: Changes, task: Task, done: tuple[AppliedChange, ...]
) -> Conflict | None:
    """Take all of them back as one change; None when the files are as before the task."""
    whole = combined([one.change_set for one in done], f"{task.id}-undo")

    def note(fact: e.Fact) -> None:
        core.note(task.id, fact)

    conflict = changes.take_back(whole, task.root, "a person takes the task back", note)
    if conflict is None:
        note(e.Undone(whole.paths))
    return conflict
