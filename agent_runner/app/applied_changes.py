"""What a task changed, read from the journal: its change sets, and all of them as a patch."""

from collections.abc import Iterable

from attrs import evolve, frozen

from agent_runner.app.overview import KnownList
from agent_runner.app.place import require_task
from agent_runner.edits.combine import combined
from agent_runner.edits.diff import diff
from agent_runner.ground.disk import Disk
from agent_runner.model import events as e
from agent_runner.model.changes import ChangeSet, FileChange, Image
from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord
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


def _same(one: Image, other: Image) -> bool:
    """By content, as files are judged."""
    return (one.kind, one.sha256) == (other.kind, other.sha256)
