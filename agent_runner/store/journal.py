"""The journal: the truth, append-only, one record a line.

Invariant: an entry counts if its checksum is good; nothing is acted on before `sync` has returned.
A bad record with later ones that knew it to be on disk is damage and refused; anything else bad is
a torn tail, set aside and cut.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import define, field, frozen

from agent_runner.ground.clock import stored
from agent_runner.ground.disk import Disk, reason_of, storage_errors
from agent_runner.ground.plain_files import reading
from agent_runner.model.errors import (
    JournalDamagedError,
    StateError,
    StateLostError,
    StorageError,
)
from agent_runner.model.events import Event
from agent_runner.model.fold import Entry
from agent_runner.model.states import TaskState
from agent_runner.store.blobs import Blobs
from agent_runner.store.codec import (
    NO_CHAIN,
    JournalLine,
    chain_of,
    decode_line,
    encode_entry,
    synced_of,
)


@frozen
class Position:
    """A point between two records: sequence and checksum of the one before, and the byte offset.

    The default is the beginning of a journal.
    """

    seq: int = 0
    crc: str = NO_CHAIN
    offset: int = 0


@frozen
class TornTail:
    """The last `size` bytes, from `offset` on: no record, and never said to be on disk."""

    offset: int
    size: int


def is_whole_up_to(position: Position, path: Path) -> bool:
    """Whether so many records stand there, each chained to the one before it.

    A snapshot is used only then: it may be of a journal that was replaced by another since.
    """
    seq, crc, offset = 0, NO_CHAIN, 0
    try:
        file = reading(path)
    except FileNotFoundError:
        return position == Position()
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        while offset < position.offset and (raw := file.readline()):
            chained = chain_of(raw.rstrip(b"\n"))
            if chained is None or chained[0] != crc:
                return False
            seq, crc, offset = seq + 1, chained[1], offset + len(raw)
    return Position(seq, crc, offset) == position


@define
class JournalReader:
    """Reads records from `position` on; then that is where they end, and `torn` what follows."""

    path: Path
    blobs: Blobs
    position: Position = field(factory=Position)
    torn: TornTail | None = None

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries in order, one line in memory at a time.

        Raises:
            JournalDamagedError: a bad record stands before records that knew it to be on disk, or
                one with a good checksum is none that this program writes.
            StateVersionError: a newer version wrote the journal.
            StateError: the journal cannot be read, or a blob that a record refers to is gone.
        """
        try:
            file = reading(self.path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unreadable(self.path, error) from error
        with file:
            file.seek(self.position.offset)
            for raw in file:
                line = self._decode(raw)
                if line is None:
                    self._judge_tail(file.read, raw)
                    return
                self.position = Position(line.entry.seq, line.crc, self.position.offset + len(raw))
                yield line.entry

    def _decode(self, raw: bytes) -> JournalLine | None:
        """The record, or None if these bytes cannot be the next one."""
        if not raw.endswith(b"\n"):
            return None
        try:
            line = decode_line(raw[:-1], self.blobs.get)
        except StateError:
            raise
        except Exception as error:
            raise damaged(self.path, self.position, "is none that this program writes") from error
        if line is None:
            return None
        follows = line.entry.seq == self.position.seq + 1 and line.prev == self.position.crc
        return line if follows else None

    def _judge_tail(self, read_rest: Callable[[], bytes], bad: bytes) -> None:
        rest = read_rest()
        lost = self.position.seq + 1
        for raw in (bad, *rest.split(b"\n")):
            synced = synced_of(raw.rstrip(b"\n"))
            if synced is not None and synced >= lost:
                raise damaged(self.path, self.position, "is damaged, but later ones are good")
        self.torn = TornTail(self.position.offset, len(bad) + len(rest))


def damaged(path: Path, before: Position, how: str) -> JournalDamagedError:
    """The error for the record that follows `before`; `how` says what is wrong with it."""
    return JournalDamagedError(
        f"{path}: record {before.seq + 1} (byte {before.offset}) {how}; nothing was changed",
        fix="look at what is left, then restore the file from a backup"
        " or start over with `run --fresh`",
        command=("debug", "state"),
    )


def _unreadable(path: Path, error: OSError) -> StateError:
    return StateError(
        f"{path} cannot be read: {reason_of(error)}; nothing was changed",
        fix="look where it comes from, or fix the permissions",
    )


@define
class Journal:
    """The journal open for appending, by the holder of the lock only."""

    path: Path
    blobs: Blobs
    disk: Disk
    position: Position
    _descriptor: int
    synced: int = 0
    _broken: str = ""

    @classmethod
    def open(cls, path: Path, blobs: Blobs, disk: Disk, end: Position) -> "Journal":
        """Open for appending at `end`, where a `JournalReader` found the last good record.

        Whatever follows `end` is cut off, so it must have been set aside before.
        """
        with storage_errors(path):
            is_new = not path.exists()
            descriptor = disk.open_append(path)
            if os.fstat(descriptor).st_size > end.offset:
                disk.truncate(descriptor, end.offset)
            # Also without a cut: records of a run that was killed are in the page cache, not yet on
            # the disk, and this one goes on from them. And a cut that is lost would let the old
            # tail come back behind new records.
            disk.sync(descriptor)
            if is_new:
                disk.sync_folder(path.parent)
        return cls(path, blobs, disk, end, descriptor, synced=end.seq)

    def append(self, at: float, task: str, event: Event, to: TaskState | None = None) -> Entry:
        """Write one record; it survives the process at once, and a power cut after `sync`.

        Raises:
            StateLostError: somebody else wrote in the journal; nothing was written.
            StorageError: the disk refused; what was written of the record is cut off again.
        """
        self._check_whole()
        if os.fstat(self._descriptor).st_size != self.position.offset:
            # the next run cuts it off as a torn tail; behind it, this record would be lost too
            raise StateLostError(
                f"{self.path} was written to during the run (by a hook?); the run stops here",
                fix="fix the hook: nothing else may write there",
                command=("run",),
            )
        entry = Entry(self.position.seq + 1, stored(at), task, event, to)
        line, crc = encode_entry(
            entry, prev=self.position.crc, synced=self.synced, spill=self.blobs.put
        )
        # first: unsynced pages reach the disk in any order, and a record that a power cut leaves
        # must not refer to contents that it took
        self.blobs.sync()
        with storage_errors(self.path):
            try:
                self.disk.write(self._descriptor, line)
            except OSError:
                self._cut_back()
                raise
        self.position = Position(entry.seq, crc, self.position.offset + len(line))
        return entry

    def sync(self) -> None:
        """Return once every appended record is on the disk.

        A failed sync is final. The kernel may have dropped the pages it could not write and marked
        them clean, so a second one would succeed and prove nothing (the fsync trouble that
        PostgreSQL found in 2018).
        """
        if self.synced == self.position.seq:
            return
        self._check_whole()
        with storage_errors(self.path):
            try:
                self.disk.sync(self._descriptor)
            except OSError:
                self._broken = "an earlier sync failed"
                raise
        self.synced = self.position.seq

    def check_in_place(self) -> None:
        """Raise StateLostError unless the journal's path still names the open file.

        A hook may have removed or replaced it (`git clean -fdx`); what is appended to a file that
        has no name any more is lost with the process.
        """
        try:
            there, held = self.path.stat(), os.fstat(self._descriptor)
            in_place = (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)
        except OSError:
            in_place = False
        if not in_place:
            raise StateLostError(
                f"{self.path} was removed or replaced during the run (by a hook?);"
                " the run stops here",
                fix="fix the hook (does it run `git clean -fdx` or `rm -rf`?)",
                command=("run",),
            )

    def close(self) -> None:
        """Close the file; appended records stay. A second time does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _cut_back(self) -> None:
        """Take half a record off again; if even that fails, nothing may follow it."""
        try:
            self.disk.truncate(self._descriptor, self.position.offset)
        except OSError:
            self._broken = "half a record could not be cut off"

    def _check_whole(self) -> None:
        if self._broken:
            raise StorageError(
                f"{self.path}: {self._broken}; nothing more is written", fix="check the disk"
            )
