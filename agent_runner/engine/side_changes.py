"""What hooks and commands changed beside a task's own files, told from what a person changed.

Snapshots say which files are not as they were when the task began; the system says when each was
changed last. A file that was changed while a hook or command of the task ran, and not since, is as
that left it. All others stay as they are: nobody can say whose work they hold.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from attrs import field, frozen

from agent_runner.edits.plan import with_temps
from agent_runner.engine.trees import Trees
from agent_runner.files.tree import sha256
from agent_runner.model import events as e
from agent_runner.model.changes import ABSENT, ChangeSet, FileChange, Image, Kind
from agent_runner.model.errors import StateError
from agent_runner.model.fold import Entry
from agent_runner.model.hooks import Phase
from agent_runner.model.record import TaskRecord
from agent_runner.model.task import Task
from agent_runner.workspace.filetree import EXECUTABLE, LINK, Entry as Standing

_BEFORE_IT_SAYS = 0.05
"""Seconds: a file may have a time that is so much older than the change, as kernels count."""

Keep = Callable[[bytes], object]
"""Keeps a content."""

Spans = Mapping[str, list[tuple[float, float]]]
"""For each task, the times (epoch seconds) in which its hooks and commands ran."""


@frozen
class Traces:
    """What the journal says of who may have changed a file.

    `of_others`: every file that a reply to another task ever changed.
    """

    spans: Spans
    of_others: Collection[Path]


@frozen
class SideChanges:
    """What can be taken back of it, as one change from the start to now; and what stays.

    `later`: the tasks after it whose hooks changed files that are among `stays`.
    """

    change_set: ChangeSet = field(factory=lambda: ChangeSet("", ()))
    stays: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


def spans_of(entries: Iterable[Entry]) -> Spans:
    """When hooks and commands ran in the project's own files, and came to their end.

    Of one that a crash cut short nobody knows when it ended.
    """
    spans: dict[str, list[tuple[float, float]]] = {}
    for entry in entries:
        event = entry.event
        if isinstance(event, e.Reset):
            spans.pop(entry.task, None)
        in_a_copy = isinstance(event, e.HookFinished) and event.phase is Phase.AS_BEFORE
        if isinstance(event, e.HookFinished | e.CommandFinished) and not in_a_copy:
            first = entry.at - event.result.seconds - _BEFORE_IT_SAYS
            spans.setdefault(entry.task, []).append((first, entry.at))
    return spans


def side_changes(
    trees: Trees,
    task: Task,
    record: TaskRecord,
    traces: Traces,
    own: Collection[str],
    keep: Keep,
) -> SideChanges:
    """What hooks and commands changed beside the task's `own` files.

    A file that is gone has no time of its own: it counts as deleted by them, unless a reply to
    another task changed it. `keep` is given every content that is to be written, or would be
    lost. Waits for git and the disk.

    Raises:
        StateError: nobody knows how the files were when the task began.
    """
    changes = trees.since_start(task, record)
    if changes is None:
        raise StateError(f"how the files were when {task.id} began is not known any more")
    taken: list[FileChange] = []
    stays: list[str] = []
    later: dict[str, None] = {}
    for change in changes:
        if change.path in own:
            continue
        whose = _whose(trees.changed_at(task, change.path), traces.spans)
        try:
            if change.after is not None and whose != record.id:
                raise StateError("it is not as a hook of this task left it")
            if change.after is None and task.root / change.path in traces.of_others:
                raise StateError("another task deleted or moved it")
            before, after = (
                _image(trees, task, change.path, entry, keep)
                for entry in (change.before, change.after)
            )
            taken.append(FileChange(change.path, before, after))
        except StateError:
            stays.append(change.path)
            if whose and whose != record.id:
                later[whose] = None
    return SideChanges(_change_set(record, taken), tuple(stays), tuple(later))


def _whose(at: float | None, spans: Spans) -> str:
    """The task during whose hooks or commands a file was changed; "" for none."""
    if at is None:
        return ""
    return next((t for t, own in spans.items() if any(a <= at <= b for a, b in own)), "")


def _image(
    trees: Trees,
    task: Task,
    path: str,
    entry: Standing | None,
    keep: Keep,
) -> Image:
    """The image of what a snapshot has at a path. Raises StateError: it cannot be given back."""
    if entry is None:
        return ABSENT
    if entry.mode == LINK:
        raise StateError(f"{path} is a symbolic link")
    content = trees.content(task, path, entry)
    keep(content)
    return Image(Kind.FILE, 0o755 if entry.mode == EXECUTABLE else 0o644, sha256(content))


def _change_set(record: TaskRecord, taken: list[FileChange]) -> ChangeSet:
    name = f"{record.id}-{record.counts.calls_started:04}-beside"
    come = _folders(c.path for c in taken if c.before.kind is Kind.ABSENT)
    gone = _folders(c.path for c in taken if c.after.kind is Kind.ABSENT)
    return ChangeSet(name, with_temps(name, taken), come, gone[::-1])


def _folders(paths: Iterable[str]) -> tuple[str, ...]:
    """All folders that lead to the paths, parents first."""
    parts = [path.split("/")[:-1] for path in paths]
    found = {"/".join(one[: depth + 1]) for one in parts for depth in range(len(one))}
    return tuple(sorted(found, key=lambda folder: (folder.count("/"), folder)))
