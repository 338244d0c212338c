"""The ledger that all projects of one user share, since a limit belongs to the account.

A file of JSON lines under a lock: a reservation before a call, its settlement after it. A call is
known by its owner (the state it belongs to) and its id, so that a crash between ledger and journal
counts it once. Losing the file loses only what other projects used: the journal stays the truth of
its own.

Why not a database, which would need fewer lines, stands in ARCHITECTURE.md under Decisions.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import filelock
from attrs import define, field, frozen

from agent_runner.ground.clock import Clock
from agent_runner.ground.disk import Disk, reason_of
from agent_runner.ground.plain_files import open_plain
from agent_runner.limits.ledger_lines import RESERVED, SETTLED, LedgerLine, compacted, parse
from agent_runner.model.errors import StorageError
from agent_runner.model.events import CallSettled
from agent_runner.model.meters import Amount, Meters
from agent_runner.model.spending import settlement

SMALL = 256 * 1024
"""Bytes below which the file is left to grow: about 900 calls, read in some 30 ms."""

_COMPACTED = re.compile(rb'\{"v":1,"kind":"compacted","size":(\d{1,15})\}')
"""The first line of a compacted file, which says how many bytes were kept."""

_LOCK_TIMEOUT = 10.0
_POLL = 0.005
_FIX = "mend it, or set `ledger: false` to count this project alone"
_CLOSED = -1


@define
class Ledger:
    """One project's access to the shared file; only what is new in it is read at each look.

    `owner` names the project's state. A provider's name in the configuration stands for the
    account: two accounts need two names.
    """

    path: Path
    owner: str
    clock: Clock
    disk: Disk = field(factory=Disk)
    _others: Meters = field(factory=Meters, init=False)
    _own: Meters = field(factory=Meters, init=False)
    _file: int = field(default=_CLOSED, init=False)
    _writable: bool = field(default=False, init=False)
    _read_to: int = field(default=0, init=False)
    _compacted_to: int = field(default=0, init=False)

    @contextlib.contextmanager
    def held(self) -> Iterator["Book"]:
        """Hold the ledger for one look and one entry, so that two runs never reserve the same room.

        Raises StorageError where it cannot be locked, read or written.
        """
        with self._locked():
            # the time is read under the lock: entries are then in the order of their times
            yield Book(self, self._others, self.clock.now())

    def others(self) -> Meters:
        """What other projects used, read without the lock; nothing is created or changed.

        Raises StorageError where it is there and cannot be read.
        """
        with _storage_errors(self.path):
            if self.path.exists():
                self._catch_up()
        return self._others

    def settle(self, event: CallSettled) -> None:
        """Replace a call's reservation by what it really used; without either nothing happens.

        Not synced: what a power cut takes away leaves the reservation, which is never too little.
        Raises StorageError where it cannot be locked, read or written.
        """
        with self._locked():
            reservation = self._own.open.get(f"{self.owner}/{event.call}")
            used = settlement(reservation, event) if reservation else None
            if used is not None:
                self._append(LedgerLine(SETTLED, self.owner, event.call, 0.0, "", "", used))

    def close(self) -> None:
        """Give the file back; the next look opens it again."""
        if self._file != _CLOSED:
            os.close(self._file)
            self._file = _CLOSED

    def _reserve(self, line: LedgerLine) -> None:
        self._append(line)
        self.disk.sync(self._file)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with _storage_errors(self.path):
            self.disk.create_folder(self.path.parent)
            # the system's lock, which ends with the process however that ends: never stale
            lock = filelock.FileLock(
                self.path.with_name(f"{self.path.name}.lock"),
                timeout=_LOCK_TIMEOUT,
                poll_interval=_POLL,
                fallback_to_soft=False,
            )
            with lock:
                self._open_for_writing()
                torn = self._catch_up()
                if torn:  # a run was killed while it wrote; it had not called yet
                    self.disk.truncate(self._file, self._read_to)
                yield
                self._catch_up()
                if self._read_to > max(SMALL, 2 * self._compacted_to):
                    self._compact()

    def _open_for_writing(self) -> None:
        if self._file != _CLOSED and self._writable and self._in_place():
            return
        is_new = not self.path.exists()
        self._begin(self.disk.open_append(self.path), writable=True)
        if is_new:  # else a power cut may take the name away, and with it a synced reservation
            self.disk.sync_folder(self.path.parent)

    def _begin(self, file: int, *, writable: bool) -> None:
        """Read `file` from its beginning in place of what was read before."""
        self.close()
        self._file, self._writable = file, writable
        self._read_to = self._compacted_to = 0
        self._others, self._own = Meters(), Meters()

    def _catch_up(self) -> int:
        """Count what was written since the last look; returns the bytes of an unfinished line."""
        if self._file == _CLOSED or not self._in_place():
            self._begin(open_plain(self.path), writable=False)
        raw = _read_from(self._file, self._read_to)
        whole = raw[: raw.rfind(b"\n") + 1]
        self._read_to += len(whole)
        for one in whole.split(b"\n"):
            line = parse(one)
            if line is not None:
                line.count_in(self._own if line.owner == self.owner else self._others)
            elif header := _COMPACTED.fullmatch(one):
                self._compacted_to = int(header[1])
        return len(raw) - len(whole)

    def _in_place(self) -> bool:
        """Whether the open file is still the one at the path: another run may have compacted it."""
        opened = os.fstat(self._file)
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        same = (opened.st_dev, opened.st_ino) == (there.st_dev, there.st_ino)
        return same and there.st_size >= self._read_to

    def _append(self, line: LedgerLine) -> None:
        self.disk.write(self._file, line.render())

    def _compact(self) -> None:
        """Write what still counts to a new file and give it the ledger's name.

        Readers notice by its identity; the lock is another file, and stays.
        """
        lines = [line for raw in _read_from(self._file, 0).split(b"\n") if (line := parse(raw))]
        kept = b"".join(line.render() for line in compacted(lines, self.clock.now()))
        header = b'{"v":1,"kind":"compacted","size":%d}\n' % len(kept)
        self.disk.write_file(self.path, header + kept)


@frozen
class Book:
    """The ledger while it is held: what others used by `now` (epoch seconds), and one entry."""

    _ledger: Ledger
    others: Meters
    now: float

    def reserve(self, call: str, provider: str, model: str, amount: Amount) -> None:
        """Enter a call's worst case, durable when this returns."""
        ledger = self._ledger
        line = LedgerLine(RESERVED, ledger.owner, call, self.now, provider, model, amount)
        ledger._reserve(line)  # noqa: SLF001  # the book is the held ledger's own face


@contextlib.contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except filelock.Timeout as error:
        raise StorageError(f"the shared ledger {path} is held by another run", fix=_FIX) from error
    except OSError as error:
        reason = reason_of(error)
        raise StorageError(f"cannot use the shared ledger {path}: {reason}", fix=_FIX) from error


def _read_from(file: int, start: int) -> bytes:
    pieces = []
    while piece := os.pread(file, 1 << 20, start):
        pieces.append(piece)
        start += len(piece)
    return b"".join(pieces)
