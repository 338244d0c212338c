"""The state of each task's files: as it is now, and what has changed since the task began."""

import contextlib
import json
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import anyio.to_thread
from attrs import Factory, define, field, frozen

from agent_runner.ground.clock import Clock
from agent_runner.ground.threads import in_thread
from agent_runner.model.errors import StateError, StorageError
from agent_runner.model.record import TaskRecord
from agent_runner.model.task import Task
from agent_runner.store.blobs import Blobs
from agent_runner.workspace.filetree import Entry
from agent_runner.workspace.git import Repository
from agent_runner.workspace.history import Change
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.overlaid import Overlaid
from agent_runner.workspace.scratch import Scratch
from agent_runner.workspace.snapshots import Snapshot, SnapshotReader
from agent_runner.workspace.spare_copies import SpareCopies
from agent_runner.workspace.status import GitStatus
from agent_runner.workspace.task_folder import sweep
from agent_runner.workspace.workplace import Workplace
from agent_runner.workspace.workshop import Workshop, is_awaited, is_overlaid

_FORMAT = 2

_FRESH = 5.0
"""Seconds for which the look that one step ended with is good enough for the next one."""

_REMOVAL = 2.0
"""Seconds for which a run waits until copies are removed; then they are, beside it or by the next.
"""


@frozen
class Start:
    """A task's files when it began.

    `id` is the snapshot's, "" where it is not known any more. `modified` are the paths that were
    not as in the last commit, new ones included; only known where the runner commits.
    """

    id: str
    modified: frozenset[str] = frozenset()

    def to_json(self) -> str:
        """The form in which it is stored, ASCII only."""
        kept = {"format": _FORMAT, "id": self.id, "modified": sorted(self.modified)}
        return json.dumps(kept, ensure_ascii=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Start":
        """What was stored. Format 1 had no snapshots: all that it still says is `modified`.

        Raises:
            StateError: the text is none of ours, or of a newer version.
        """
        try:
            kept = json.loads(text)
            if kept["format"] == 1:
                return cls("", frozenset(kept["differing"]))
            if kept["format"] != _FORMAT:
                raise StateError(f"a stored start has format {kept['format']}, not {_FORMAT}")
            return cls(kept["id"], frozenset(kept["modified"]))
        except (ValueError, KeyError, TypeError) as error:
            raise StateError(f"a stored start cannot be read: {error!r}") from error


@define
class Trees:
    """One reader per root, kept for the run, so that unchanged files are not read again.

    There is one look per boundary between steps: a step begins with what the one before it saw
    last, unless something ran or somebody was waited for in between (whoever does that calls
    `expire`), or it is some seconds ago.

    Git and whole looks are waited for in a thread. What a look has found already, and a few files,
    are read at once: a way to a thread and back takes longer than that.

    `objects`: where the readers keep what they need. `copies`: the folder of all scratch copies.
    `for_commits`: whether the runner commits, and so has to know what the user had changed.
    """

    blobs: Blobs
    objects: ObjectStore
    make_reader: Callable[[Path], SnapshotReader]
    copies: Path
    clock: Clock
    for_commits: bool = False
    _spare: SpareCopies = field(
        init=False, default=Factory(lambda self: SpareCopies(self.copies), takes_self=True)
    )
    _readers: dict[Path, SnapshotReader] = field(factory=dict)
    _looks: dict[Path, tuple[float, Snapshot]] = field(factory=dict)

    async def read(self, task: Task) -> Snapshot:
        """The tree as it stands now."""
        return await in_thread(self._look, task.root)

    async def last(self, task: Task) -> Snapshot:
        """The tree as the step before this one saw it last."""
        return self._known(task.root) or await self.read(task)

    def keep(self, task: Task, paths: Iterable[str]) -> None:
        """Keep what these files hold now: about to be changed by us, they need not be fetched.

        Waits for the disk.
        """
        self._reader(task.root).keep(paths)

    async def written(self, task: Task, paths: Iterable[str]) -> Snapshot:
        """The tree after a change of our own; a whole look only if something else ran, too."""
        known = task.root in self._looks
        self.expire()
        if not known:
            return await self.read(task)
        tree = await in_thread(self._reader(task.root).look_at, paths)
        self._looks[task.root] = (self.clock.monotonic(), tree)
        return tree

    def expire(self) -> None:
        """Something ran that may have changed files: the next step looks for itself."""
        self._looks.clear()

    def names(self, root: Path) -> tuple[str, ...]:
        """Paths of all files below a task's root, sorted; waits for git and the disk."""
        self._last(root)
        return self._reader(root).names

    def status(self, root: Path) -> GitStatus | None:
        """What git says of a task's root; None without git. Waits for git and the disk."""
        self._last(root)
        return self._reader(root).status()

    def repository(self, root: Path) -> Repository | None:
        """The repository around a root, as of the last look; also where git ignores the root.

        Waits for git and the disk.
        """
        self._last(root)
        return self._reader(root).repository

    def head(self, task: Task) -> str:
        """The commit that HEAD names now in the repository of the last look; "" where git has none.

        Without a process of git's, unless HEAD has an odd form.
        """
        sources = self._reader(task.root).sources
        return sources[0].repository.head if sources else ""

    def ignored(self, root: Path, paths: Iterable[str]) -> set[str]:
        """Those of `paths` (existing or not) that git ignores; waits for git."""
        return self._reader(root).ignored(paths)

    async def start(self, task: Task, ours: Collection[str] = ()) -> tuple[Snapshot, str]:
        """The tree as a task begins, durably kept; and the blob that `at_start` will read.

        `ours`: files that differ from the last commit because earlier tasks changed them.
        """
        tree = await self.last(task)
        self._reader(task.root).sync()
        modified: frozenset[str] = frozenset()
        if self.for_commits:
            modified = await in_thread(_modified_paths, task.root)
        start = Start(tree.id, modified.difference(ours))
        return tree, self.blobs.put(start.to_json().encode("ascii"))

    def at_start(self, record: TaskRecord) -> Start | None:
        """The tree as it stood when the task began, if that was kept."""
        kept = record.change.start
        return Start.from_json(self.blobs.get(kept).decode("ascii")) if kept else None

    def changed_since_start(self, task: Task, record: TaskRecord) -> tuple[str, ...]:
        """Paths changed since the task began; waits for git and the disk.

        Where nobody knows how it began (a task checked before it ran, a state from before there
        were snapshots), every file counts: a judge must not be passed over for want of knowledge.
        """
        changes = self.since_start(task, record)
        if changes is None:
            return tuple(self.names(task.root))
        return tuple(change.path for change in changes)

    def since_start(self, task: Task, record: TaskRecord) -> tuple[Change, ...] | None:
        """What differs from the tree as the task began; None where that is not known (any more).

        Waits for git and the disk.
        """
        try:
            start = self.at_start(record)
            if start is None or not start.id:
                return None
            now = self._last(task.root)
            return self._reader(task.root).changes(start.id, now.id)
        except StateError:
            return None

    def content(self, task: Task, path: str, entry: Entry) -> bytes:
        """What a file held, or a link named, as of a snapshot of the task's files.

        Raises:
            StateError: it was never kept, or is not any more.
        """
        return self._reader(task.root).content(path, entry)

    def changed_at(self, task: Task, path: str) -> float | None:
        """When the system says that a file was changed last (epoch seconds); None for no file.

        Not the time of its content, which programs set as they like.
        """
        try:
            return (task.root / path).lstat().st_ctime_ns / 1e9
        except OSError:
            return None

    def scratch(self, task: Task) -> Scratch:
        """A copy of a task's files outside of the project; enter, fill and leave it in a thread.

        The tests of before, against the files of now:

            with trees.scratch(task) as copy:
                copy.fill()
                copy.lay(trees.at_start(record).id, ["tests/test_a.py"])
                ...  # run a command in copy.folder
        """
        return Scratch(self.copies, task.id, self._reader(task.root), spare=self._spare)

    def prune(self, records: Iterable[TaskRecord]) -> None:
        """Forget snapshots that no task needs, where they are many; before the first look of a run.

        A task needs the tree as it began: undo, `diff`, the tests of before and the next attempt go
        by it. Where one of these cannot be read, or the disk refuses, nothing is forgotten.
        """
        starts = (self.at_start(record) for record in records)
        with contextlib.suppress(StateError, StorageError):
            self.objects.prune(bytes.fromhex(start.id) for start in starts if start)

    async def changed_since(self, task: Task, tree: str) -> tuple[str, ...]:
        """Paths that differ now from a snapshot of this run, given by its id."""
        now = await self.read(task)
        found = self._reader(task.root).changes(tree, now.id) if now.id != tree else ()
        return tuple(change.path for change in found)

    def workshop(
        self,
        task: Task,
        left_out: Collection[str],
        leavings: Collection[str],
        *,
        overlays: bool | None,
    ) -> Workshop:
        """The copy in which an agent works on a task; enter, fill and leave it in a thread.

        `overlays`: whether it can be over an overlay; None: as a killed runner left it.
        """
        reader, names = self._reader(task.root), frozenset(left_out)
        workplace: Workplace = Overlaid(self.copies, task.id, reader, names)
        if not (is_overlaid(workplace.place) if overlays is None else overlays):
            workplace = Scratch(self.copies, task.id, reader, names, self._spare)
        return Workshop(workplace, tuple(leavings))

    async def close(self) -> None:
        """Remove the copies that were kept for further tasks of this run, as far as time allows."""
        with anyio.move_on_after(_REMOVAL, shield=True):
            await anyio.to_thread.run_sync(self._spare.close, abandon_on_cancel=True)

    async def sweep(self) -> None:
        """Remove the scratch copies that killed runners left behind, in part beside the run."""
        now = self.clock.now()

        def swept() -> None:
            sweep(self.copies, lambda place: is_awaited(place, now))

        with anyio.move_on_after(_REMOVAL):
            await anyio.to_thread.run_sync(swept, abandon_on_cancel=True)

    def _last(self, root: Path) -> Snapshot:
        return self._known(root) or self._look(root)

    def _known(self, root: Path) -> Snapshot | None:
        """The last look, while it is good enough."""
        at, tree = self._looks.get(root, (0.0, None))
        return None if self.clock.monotonic() - at > _FRESH else tree

    def _look(self, root: Path) -> Snapshot:
        tree = self._reader(root).look()
        self._looks[root] = (self.clock.monotonic(), tree)
        return tree

    def _reader(self, root: Path) -> SnapshotReader:
        if root not in self._readers:
            self._readers[root] = self.make_reader(root)
        return self._readers[root]


def _modified_paths(root: Path) -> frozenset[str]:
    repository = Repository.find(root)
    return repository.modified_paths() if repository else frozenset()
