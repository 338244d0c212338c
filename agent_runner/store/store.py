"""The state of one task list on disk: open it, append to it, leave it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from attrs import define, field

from agent_runner.ground.clock import Clock
from agent_runner.ground.disk import Disk, storage_errors
from agent_runner.ground.plain_files import reading
from agent_runner.ground.timings import part
from agent_runner.model.errors import JournalDamagedError, StateMismatchError
from agent_runner.model.events import Event
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.states import TaskState
from agent_runner.store.blobs import Blobs
from agent_runner.store.journal import Journal, JournalReader, Position, is_whole_up_to
from agent_runner.store.layout import Layout
from agent_runner.store.leftovers import remove_leftovers
from agent_runner.store.lock import StateLock
from agent_runner.store.snapshot import Snapshot, load_snapshot, render_snapshot

_LEAST_GROWTH = 256 * 1024
"""Bytes of journal after which a snapshot is replaced; a larger one when the journal grew by it.

So the cost of a transition does not grow with the list, and a resume never has more to fold than
once again what the snapshot holds, or some 800 records, which takes 0.05 s. Replacing a small one
after each task was a fifteenth of what a short task costs.
"""


@define
class Store:
    """The state, open for the one command that changes it; `state` is the fold of the journal."""

    layout: Layout
    clock: Clock
    disk: Disk
    blobs: Blobs
    journal: Journal
    state: RunState
    warnings: tuple[str, ...] = ()
    _lock: StateLock | None = None
    _snapshot_size: int = 0
    _snapshot_offset: int = field(default=0)

    @classmethod
    def open(
        cls, folder: Path, *, project: Path, list_id: str, clock: Clock, disk: Disk | None = None
    ) -> "Store":
        """Lock, recover and open the state; create it where there is none.

        Raises:
            StateLockedError, JournalDamagedError, StateMismatchError, StateVersionError,
                StorageError.
        """
        disk = disk or Disk()
        layout = Layout(folder)
        layout.create(disk)
        lock = StateLock(layout, project)
        # before anything is read: the last record of a run that is still writing would look like a
        # torn tail, and be cut off
        lock.acquire(clock.now())
        try:
            blobs = Blobs(layout.blobs, disk)
            state, reader = _fold(layout, blobs)
            _check_list(state, list_id, layout)
            warnings = _set_tail_aside(reader, layout, disk)
            if lock.after_crash:
                remove_leftovers(layout)
            journal = Journal.open(layout.journal, blobs, disk, reader.position)
        except BaseException:
            lock.release()
            raise
        return cls(layout, clock, disk, blobs, journal, state, warnings, lock)

    def append(self, task: str, event: Event, to: TaskState | None = None) -> Entry:
        """Journal one event; it survives this process, and a power cut once `sync` has returned.

        The state is not moved yet: `take` does that, after the machine has accepted the move.
        """
        return self.journal.append(self.clock.now(), task, event, to)

    def take(self, entry: Entry) -> None:
        """Move the state by an entry that is in the journal."""
        self.state.take(entry)

    def sync(self) -> None:
        """Return once everything appended, and what it refers to, is on the disk."""
        self.journal.sync()

    def refresh_snapshot(self) -> None:
        """Replace state.json if that is cheap by now: the cost stays constant per transition.

        Not while the journal is not on the disk: after a power cut the snapshot could be ahead of
        it, and would be refused.
        """
        if self.journal.synced < self.journal.position.seq:
            return
        grown = self.journal.position.offset - self._snapshot_offset
        if not self._snapshot_size or grown >= max(_LEAST_GROWTH, self._snapshot_size):
            # not synced: one that a power cut takes costs a longer fold and no record
            self._write_snapshot(durable=False)

    def close(self) -> None:
        """Sync, write the snapshot, give the locks back."""
        try:
            self.sync()  # first: a snapshot that is ahead of its journal would be refused
            self._write_snapshot(durable=True)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Leave without writing more (after the disk refused); a second time does nothing."""
        self.journal.close()
        self.blobs.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _write_snapshot(self, *, durable: bool) -> None:
        pieces = render_snapshot(Snapshot(self.state, self.journal.position), self.clock.now())
        with storage_errors(self.layout.snapshot):
            size = self.disk.write_pieces(self.layout.snapshot, pieces, durable=durable)
        self._snapshot_size = size
        self._snapshot_offset = self.journal.position.offset


def read_state(folder: Path, list_id: str = "") -> tuple[RunState, tuple[str, ...]]:
    """The state as it is now, and warnings; without lock or writing, also while a run is on.

    Raises StateMismatchError if it is that of another list than `list_id` ("": any will do).
    """
    layout = Layout(folder)
    layout.check()
    state, reader = _fold(layout, Blobs(layout.blobs, Disk()))
    if list_id:
        _check_list(state, list_id, layout)
    torn = reader.torn
    warnings = (
        (f"{layout.journal}: {torn.size} bytes at its end are not a record yet",) if torn else ()
    )
    return state, warnings


def read_entries(folder: Path) -> Iterator[Entry]:
    """All journal entries from the first, streaming; a torn tail is left out."""
    layout = Layout(folder)
    return iter(JournalReader(layout.journal, Blobs(layout.blobs, Disk())))


def read_good_entries(folder: Path) -> Iterator[Entry]:
    """The entries before the first damaged one: a way to look into a journal that is refused."""
    with contextlib.suppress(JournalDamagedError):
        yield from read_entries(folder)


def archive(folder: Path, *, project: Path, clock: Clock) -> Path | None:
    """Put journal, snapshot, logs and blobs aside for a fresh start.

    Returns where, or None if there was nothing.

    Raises StateLockedError if a run is on.
    """
    layout = Layout(folder)
    layout.check()
    if not layout.journal.exists():
        return None
    lock = StateLock(layout, project)
    lock.acquire(clock.now())
    try:
        return _move_aside(layout)
    finally:
        lock.release()


def _move_aside(layout: Layout) -> Path:
    number = 1
    while (target := layout.archive / f"{number:03}").exists():
        number += 1
    disk = Disk()
    with storage_errors(target):
        disk.create_folder(target)
        # the snapshot first: one that is ahead of its journal would be refused
        for path in (layout.snapshot, layout.journal, layout.blobs, layout.folder / "logs"):
            if path.exists():
                path.rename(target / path.name)
        disk.sync_folder(target)
        disk.sync_folder(layout.folder)
    return target


def _fold(layout: Layout, blobs: Blobs) -> tuple[RunState, JournalReader]:
    """Snapshot plus the journal after it, or the whole journal where there is no good snapshot."""
    with part("state"):
        return _folded(layout, blobs)


def _folded(layout: Layout, blobs: Blobs) -> tuple[RunState, JournalReader]:
    snapshot = load_snapshot(layout.snapshot)
    fits = snapshot is not None and is_whole_up_to(snapshot.position, layout.journal)
    start = snapshot if snapshot and fits else Snapshot(RunState(), Position())
    reader = JournalReader(layout.journal, blobs, start.position)
    for entry in reader:
        try:
            start.state.take(entry)
        except Exception as error:
            raise _out_of_place(layout.journal, entry) from error
    if snapshot and snapshot.position.seq > reader.position.seq:
        raise StateMismatchError(
            f"{layout.snapshot} is ahead of {layout.journal} (record {reader.position.seq + 1} is"
            " missing there): the journal was cut or replaced; nothing was changed",
            fix=f"restore {layout.journal.name} from a backup, or start over",
            command=("run", "--fresh"),
        )
    return start.state, reader


def _out_of_place(journal: Path, entry: Entry) -> JournalDamagedError:
    """The error for a record that is whole and cannot follow what stands before it."""
    return JournalDamagedError(
        f"{journal}: record {entry.seq} ({type(entry.event).__name__}) cannot follow the records"
        " before it; nothing was changed",
        fix="restore the file from a backup, or start over",
        command=("run", "--fresh"),
    )


def _check_list(state: RunState, list_id: str, layout: Layout) -> None:
    if state.list_id and state.list_id != list_id:
        raise StateMismatchError(
            f"{layout.folder} holds the state of {state.list_id}, not of {list_id};"
            " nothing was changed",
            fix=f"give this list its own: --state-dir {layout.folder}-{Path(list_id).stem}",
        )


def _set_tail_aside(reader: JournalReader, layout: Layout, disk: Disk) -> tuple[str, ...]:
    """Copy a torn tail to a file of its own, durably, before the journal is cut."""
    if reader.torn is None:
        return ()
    aside = layout.folder / f"journal.torn-{reader.position.seq + 1}"
    with storage_errors(aside), reading(layout.journal) as file:
        file.seek(reader.torn.offset)
        disk.write_file(aside, file.read())
    what = f"{layout.journal} ended in {reader.torn.size} bytes that are not a record"
    return (f"{what}; they were set aside in {aside.name}",)
