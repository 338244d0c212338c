"""What of a task's changes stands in the files, as its record and the journal say it."""

from collections.abc import Iterable

from attrs import evolve, frozen

from agent_runner.model import events as e
from agent_runner.model.changes import ChangeSet, FileChange, Image, combined
from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord


@frozen
class AppliedChange:
    """One applied change set and the attempt it belonged to.

    `reshaped`: what hooks made of its files afterwards, as a formatter does.
    """

    attempt: int
    change_set: ChangeSet
    reshaped: tuple[FileChange, ...] = ()


def applied(record: TaskRecord, entries: Iterable[Entry]) -> tuple[AppliedChange, ...]:
    """The change sets of a task that stand in the files, oldest first.

    Of those that were taken back, only the files that were kept.
    """
    wanted, attempt = set(record.change.applied), 0
    found: dict[str, AppliedChange] = {}
    for entry in entries if wanted else ():
        event = entry.event
        if entry.task != record.id:
            continue
        if isinstance(event, e.CallStarted):
            attempt = event.attempt
        elif isinstance(event, e.ApplyPlanned) and event.change_set.id in wanted:
            change_set = event.change_set
            if change_set.id in record.change.taken_back:
                kept = (c for c in change_set.changes if c.path in record.change.kept)
                change_set = ChangeSet(change_set.id, tuple(kept))
            found[change_set.id] = AppliedChange(attempt, change_set)
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


def _same(one: Image, other: Image) -> bool:
    """By content, as files are judged."""
    return (one.kind, one.sha256) == (other.kind, other.sha256)
