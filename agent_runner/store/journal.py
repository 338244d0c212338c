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
from agent_runner.ground.disk import Disk, storage_errors
from agent_runner.model.errors import JournalDamagedError, StateLostError, StorageError
from agent_runner.model.events import Event
from agent_runner.model.fold import Entry
from agent_runner.model.states import TaskState
from agent_runner.store.blobs import Blobs
from agent_runner.store.codec import (
    NO_CHAIN,
    Line,
    checksum_and_sync,
    decode,
    encode,
    links,
)


@frozen
class Place:
    """A point between two records.

    The sequence and checksum of the one before it, and its byte offset.
    """

    seq: int = 0
    crc: str = NO_CHAIN
    offset: int = 0


@frozen
class TornTail:
    """Bytes from `offset` on that are no record.

    No later record says that they had been on disk.
    """

    offset: int
    size: int


def stands(path: Path, place: Place) -> bool:
    """Whether the journal is whole up to a place.

    So many records, each chained to the one before it, the last one with its checksum.
    """
    seq, crc, offset = 0, NO_CHAIN, 0
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return place == Place()
    with file:
        while offset < place.offset and (raw := file.readline()):
            linked = links(raw.rstrip(b"\n"))
            if linked is None or linked[0] != crc:
                return False
            seq, crc, offset = seq + 1, linked[1], offset + len(raw)
    return Place(seq, crc, offset) == place


@define
class Reader:
    """Reads records from a place on.

    Afterwards `place` is where they end and `torn` what follows, if anything.
    """

    path: Path
    blobs: Blobs
    place: Place = field(factory=Place)
    torn: TornTail | None = None

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries in order, streaming.

        Raises:
            JournalDamagedError: a bad record stands before records that knew it to be on disk.
            StateVersionError: a newer version wrote the journal.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(self.place.offset)
            for raw in file:
                line = self._decode(raw)
                if line is None:
                    self._judge_tail(file.read, raw)
                    return
                self.place = Place(line.entry.seq, line.crc, self.place.offset + len(raw))
                yield line.entry

    def _decode(self, raw: bytes) -> Line | None:
        """The record, or None if these bytes cannot be the next one."""
        if not raw.endswith(b"\n"):
            return None
        line = decode(raw[:-1], self.blobs.get)
        if line is None:
            return None
        follows = line.entry.seq == self.place.seq + 1 and line.prev == self.place.crc
        return line if follows else None

    def _judge_tail(self, read_rest: Callable[[], bytes], bad: bytes) -> None:
        rest = read_rest()
        lost = self.place.seq + 1
        for raw in (bad, *rest.split(b"\n")):
            synced = checksum_and_sync(raw.rstrip(b"\n"))
            if synced is not None and synced >= lost:
                raise JournalDamagedError(
                    f"{self.path}: record {lost} (byte {self.place.offset}) is damaged,"
                    " but later ones are good; nothing was changed",
                    fix="look at what is left, then restore the file from a backup"
                    " or start over with `run --fresh`",
                    command=("debug", "state"),
                )
        self.torn = TornTail(self.place.offset, len(bad) + len(rest))


@define
class Journal:
    """The journal open for appending, by the holder of the lock only."""

    path: Path
    blobs: Blobs
    disk: Disk
    place: Place
    _descriptor: int
    synced: int = 0
    _broken: str = ""

    @classmethod
    def open(cls, path: Path, blobs: Blobs, disk: Disk, end: Place) -> "Journal":
        """Open at `end`, where a `Reader` found the last good record.

        Whatever follows must have been set aside.
        """
        with storage_errors(path):
            is_new = not path.exists()
            descriptor = disk.open_append(path)
            if os.fstat(descriptor).st_size > end.offset:
                disk.truncate(descriptor, end.offset)
            disk.sync(descriptor)
            if is_new:
                disk.sync_folder(path.parent)
        return cls(path, blobs, disk, end, descriptor, synced=end.seq)

    def append(self, at: float, task: str, event: Event, to: TaskState | None = None) -> Entry:
        """Write one record; it survives the process at once, and a power cut after `sync`.

        Raises:
            StorageError: the disk refused; what was written of the record is cut off again.
        """
        self._check_whole()
        entry = Entry(self.place.seq + 1, stored(at), task, event, to)
        line, crc = encode(entry, prev=self.place.crc, synced=self.synced, spill=self.blobs.put)
        with storage_errors(self.path):
            try:
                self.disk.write(self._descriptor, line)
            except OSError:
                self._cut_back()
                raise
        self.place = Place(entry.seq, crc, self.place.offset + len(line))
        return entry

    def sync(self) -> None:
        """Return once every appended record is on the disk.

        A failed sync is final: what it lost nobody knows.
        """
        if self.synced == self.place.seq:
            return
        self._check_whole()
        with storage_errors(self.path):
            try:
                self.disk.sync(self._descriptor)
            except OSError:
                self._broken = "an earlier sync failed"
                raise
        self.synced = self.place.seq

    def check_in_place(self) -> None:
        """Raise StateLostError unless the journal's path still names the open file.

        A hook may have removed it.
        """
        try:
            there, held = self.path.stat(), os.fstat(self._descriptor)
            in_place = (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)
        except OSError:
            in_place = False
        if not in_place:
            raise StateLostError(
                f"{self.path} was removed or replaced while the run was on (by a hook?);"
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
            self.disk.truncate(self._descriptor, self.place.offset)
        except OSError:
            self._broken = "half a record could not be cut off"

    def _check_whole(self) -> None:
        if self._broken:
            raise StorageError(
                f"{self.path}: {self._broken}; nothing more is written", fix="look at the disk"
            )
