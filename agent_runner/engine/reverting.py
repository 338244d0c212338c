"""Takes back all that a task changed, and puts it back again: by its images, with the intent first.

The event that says what is to be written also says what the task's record is to be from then on. So
there is no moment at which a task counts as done whose files are gone: a stop in between leaves a
change set that is open, and `Recovery.settle` finishes it.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from attrs import evolve, frozen

from agent_runner.engine.changes import Changes
from agent_runner.engine.core import Core
from agent_runner.engine.side_changes import Keep, SideChanges, Traces, side_changes, spans_of
from agent_runner.engine.trees import Trees
from agent_runner.files.images import Stands, judge
from agent_runner.model import events as e
from agent_runner.model.applied import applied, whole_change
from agent_runner.model.changes import ChangeSet, Image, Kind, both
from agent_runner.model.fold import Entry
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import TaskState
from agent_runner.model.task import Task, TaskList


@frozen
class Outcome:
    """What came of taking back, or putting back.

    Attributes:
        paths: Files that were written, or would be.
        deleted: Those of them that are gone then.
        stays: Files that differ from the start of the task as well, and are left so: a hook or
            command of the task did not change them last, or what they held is not kept.
        edited: Files that are neither as before the task nor as it left them.
        later: Tasks that changed some of those after it.
        built_on: Passed tasks that depend on it.
        refused: Why nothing was touched; "" if that is not so.
        patch: Brings back what the files held until now, where hooks and commands had changed some.
    """

    paths: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    built_on: tuple[str, ...] = ()
    refused: str = ""
    patch: Path | None = None


@frozen
class Reverting:
    """Takes back what tasks did to their files. `entries`: the journal, from its beginning."""

    core: Core
    changes: Changes
    trees: Trees
    tasks: TaskList
    entries: Callable[[], Iterable[Entry]]

    def take_back(
        self, task: Task, *, reason: str, keep_edited: bool = False, whole_tree: bool = False
    ) -> Outcome:
        """Put the files back as they were before the task; a passed one is no longer done.

        If somebody edited one since, no file is touched; with `keep_edited` all but those are put
        back, and what the task did to those stays known. `whole_tree`: also what its hooks and
        commands changed beside them.

        Raises:
            StateError: an image is lost.
        """
        keep = self.changes.blobs.put
        outcome, back = self._planned(task, keep, keep_edited=keep_edited, whole_tree=whole_tree)
        if back is None:
            return outcome
        record, edited = self.core.record(task.id), outcome.edited
        if whole_tree:  # somebody may have changed one of the files while a hook ran
            path, _ = self.changes.write_diff(back.inverted(""), record, "undone.diff")
            outcome = evolve(outcome, patch=path)
        if record.state is TaskState.PASSED:
            self.core.fire(task.id, e.TakenBack(back, edited))
        else:
            self.core.journal(task.id, e.Undone(back.paths, back, edited, reason))
        return self._written(task, back, outcome)

    def forecast(
        self, task: Task, *, keep_edited: bool = False, whole_tree: bool = False
    ) -> Outcome:
        """What `take_back` would come to; nothing is written.

        Raises:
            StateError: an image is lost.
        """
        return self._planned(task, _nowhere, keep_edited=keep_edited, whole_tree=whole_tree)[0]

    def _planned(
        self, task: Task, keep: Keep, *, keep_edited: bool, whole_tree: bool
    ) -> tuple[Outcome, ChangeSet | None]:
        """What taking back comes to, and the change that does it, if there is any."""
        record = self.core.record(task.id)
        done = applied(record, self.entries())
        own, other = whole_change(task.id, done), SideChanges()
        if whole_tree:
            traces = Traces(spans_of(self.entries()), set(self._changed_by_others(task)))
            other = side_changes(self.trees, task, record, traces, own.paths, keep)
        if not done and not other.change_set.changes:
            return Outcome(stays=other.stays, later=other.later), None
        whole = both(own, other.change_set)
        edited = edited_since(whole, task)
        if edited and not keep_edited:
            later = self._changed_later(task, record, edited)
            return Outcome(edited=edited, later=later, refused=_refusal(edited, later)), None
        rest = tuple(change for change in whole.changes if change.path not in edited)
        self._require(change.before for change in rest if change in own.changes)
        number = record.counts.calls_started
        back = evolve(whole, changes=rest).inverted(f"{task.id}-{number:04}-back")
        deleted = tuple(c.path for c in back.changes if c.after.kind is Kind.ABSENT)
        after = self.tasks.dependents_of(task.id)
        passed = (one for one in after if self.core.record(one).state is TaskState.PASSED)
        return Outcome(back.paths, deleted, other.stays, edited, other.later, tuple(passed)), back

    def put_back(self, task: Task) -> Outcome:
        """Make the files hold again what was taken back from them.

        Raises:
            StateError: an image is lost.
        """
        record = self.core.record(task.id)
        change = evolve(record.change, applied=record.change.taken_back, taken_back=())
        gone = evolve(record, change=change)
        whole = whole_change(task.id, applied(gone, self.entries()))
        if not whole.changes:
            return Outcome()
        edited = edited_since(whole, task)
        if edited:
            return Outcome(edited=edited, refused=_refusal(edited, ()))
        self._require(change.after for change in whole.changes)
        number = record.counts.calls_started
        again = whole.inverted("").inverted(f"{task.id}-{number:04}-again")
        self.core.journal(task.id, e.PutBack(again))
        return self._written(task, again, Outcome(again.paths))

    def _written(self, task: Task, change_set: ChangeSet, outcome: Outcome) -> Outcome:
        journal = partial(self.core.journal, task.id)
        conflict = self.changes.finish_taking_back(change_set, task.root, journal)
        if conflict is not None:
            refused = f"{conflict.path}: {conflict.reason}"
            return Outcome(edited=outcome.edited, refused=refused)
        return outcome

    def _require(self, images: Iterable[Image]) -> None:
        """Read what is to be written before anything is journaled: StateError says what to do."""
        for image in images:
            if image.kind is Kind.FILE:
                self.changes.blobs.get(image.sha256)

    def _changed_later(
        self, task: Task, record: TaskRecord, paths: Iterable[str]
    ) -> tuple[str, ...]:
        """Tasks whose changes of these files came after those of this task and still stand."""
        tasks, wanted = self.core.store.state.tasks, {task.root / path for path in paths}
        last: dict[str, int] = {}
        for entry in self.entries():
            if isinstance(entry.event, e.ApplyPlanned) and entry.task in tasks:
                standing = tasks[entry.task].change.applied
                if entry.event.change_set.id in standing:
                    last[entry.task] = entry.seq
        mine = last.get(record.id, 0)
        return tuple(
            other
            for other, seq in last.items()
            if seq > mine and other in self.tasks and wanted & self._files_of(other)
        )

    def _changed_by_others(self, task: Task) -> Iterator[Path]:
        """Every file that a reply to another task ever changed, whatever became of that."""
        for entry in self.entries():
            if isinstance(entry.event, e.ApplyPlanned) and entry.task in self.tasks:
                root = self.tasks[entry.task].root
                yield from (root / p for p in entry.event.change_set.paths if entry.task != task.id)

    def _files_of(self, task: str) -> set[Path]:
        root = self.tasks[task].root
        return {root / path for path in self.core.record(task).change.paths}


def _nowhere(_content: bytes) -> None:
    """What is only forecast keeps nothing."""


def edited_since(whole: ChangeSet, task: Task) -> tuple[str, ...]:
    """The files that somebody has changed since: neither as before the task nor as it left them."""
    judged = judge(whole.inverted(whole.id), task.root)
    return tuple(one.change.path for one in judged if one.stands is Stands.NEITHER)


def _refusal(edited: tuple[str, ...], later: tuple[str, ...]) -> str:
    """Why nothing is touched, and in what order it could be."""
    if later:
        first = later[-1]
        return f"changed after it by {', '.join(later)}: {', '.join(edited)}; undo {first} first"
    return f"edited since: {', '.join(edited)}"
