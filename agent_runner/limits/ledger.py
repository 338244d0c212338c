"""The ledger that all projects of one user share, since a limit belongs to the account.

A file of JSON lines under a lock: a reservation before a call, its settlement after it. A call is
known by its owner (the state it belongs to) and its id, so that a crash between ledger and journal
counts it once. Losing the file loses only what other projects used: the journal stays the truth of
its own.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import filelock
from attrs import define, field, frozen

from agent_runner.ground.clock import Clock
from agent_runner.ground.disk import Disk, reason_of
from agent_runner.limits.lines import RESERVED, SETTLED, Line, compacted, parse
from agent_runner.model.errors import StorageError
from agent_runner.model.events import CallSettled
from agent_runner.model.meters import Amount, Meters
from agent_runner.model.spending import settlement

SMALL = 256 * 1024
"""Bytes below which the file is left to grow."""

_COMPACTED = b'{"v":1,"kind":"compacted",'
"""How the first line of a compacted file begins; it says how many bytes were kept."""

_LOCK_TIMEOUT = 10.0
_POLL = 0.005
_FIX = "mend it, or set `ledger: false` to count this project alone"
_CLOSED = -1
_OPEN = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


@define
class Ledger:
    """One project's access to the shared file.

    `owner` names its state; the time is read under the lock.

    A provider's name in the configuration stands for the account: two accounts need two names.
    """

    path: Path
    owner: str
    clock: Clock
    disk: Disk = field(factory=Disk)
    _others: Meters = field(factory=Meters, init=False)
    _own: Meters = field(factory=Meters, init=False)
    _file: int = field(default=_CLOSED, init=False)
    _read_to: int = field(default=0, init=False)
    _compacted_to: int = field(default=0, init=False)

    @contextlib.contextmanager
    def held(self) -> Iterator["Book"]:
        """Hold the ledger for one look and one entry, so that two runs never reserve the same room.

        Raises:
            StorageError: it cannot be locked, read or written.
        """
        with self._locked():
            yield Book(self, self._others, self.clock.now())

    def others(self) -> Meters:
        """What other projects used, read without the lock and without creating anything.

        Raises:
            StorageError: it is there and cannot be read.
        """
        with _storage_errors(self.path):
            if self.path.exists():
                self._catch_up()
        return self._others

    def settle(self, event: CallSettled) -> None:
        """Put what a call really used in place of its reservation.

        If there is one and that is known.

        Raises:
            StorageError: it cannot be locked, read or written.
        """
        with self._locked():
            key = f"{self.owner}/{event.call}"
            reservation = self._own.open.get(key)
            used = settlement(reservation, event) if reservation else None
            if used is not None:
                self._append(Line(SETTLED, self.owner, event.call, 0.0, "", "", used))

    def close(self) -> None:
        """Give the file back."""
        if self._file != _CLOSED:
            os.close(self._file)
            self._file = _CLOSED

    def _reserve(self, line: Line) -> None:
        self._append(line)
        self.disk.sync(self._file)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with _storage_errors(self.path):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = filelock.FileLock(
                self.path.with_name(f"{self.path.name}.lock"),
                timeout=_LOCK_TIMEOUT,
                poll_interval=_POLL,
                fallback_to_soft=False,
            )
            with lock:
                torn = self._catch_up()
                if torn:  # a run was killed while it wrote; it had not called yet
                    self.disk.truncate(self._file, self._read_to)
                yield
                self._catch_up()
                if self._read_to > max(SMALL, 2 * self._compacted_to):
                    self._compact()

    def _catch_up(self) -> int:
        """Count what was written since the last look.

        Returns the bytes of an unfinished line at the end.
        """
        if self._file != _CLOSED and not self._in_place():
            self.close()
        if self._file == _CLOSED:
            self._file = os.open(self.path, _OPEN, 0o600)
            self._read_to = self._compacted_to = 0
            self._others, self._own = Meters(), Meters()
        raw = _read_from(self._file, self._read_to)
        whole = raw[: raw.rfind(b"\n") + 1]
        self._read_to += len(whole)
        for one in whole.split(b"\n"):
            line = parse(one)
            if line is not None:
                line.count_in(self._own if line.owner == self.owner else self._others)
            elif one.startswith(_COMPACTED):
                self._compacted_to = json.loads(one)["size"]
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

    def _append(self, line: Line) -> None:
        self.disk.write(self._file, line.render())

    def _compact(self) -> None:
        """Write what still counts to a new file and give it the ledger's name.

        Readers notice by its identity.
        """
        lines = [line for raw in _read_from(self._file, 0).split(b"\n") if (line := parse(raw))]
        kept = b"".join(line.render() for line in compacted(lines, self.clock.now()))
        header = _COMPACTED + b'"size":%d}\n' % len(kept)
        self.disk.write_file(self.path, header + kept)


@frozen
class Book:
    """The ledger while it is held.

    What others used by `now` (epoch seconds), and one entry to make.
    """

    _ledger: Ledger
    others: Meters
    now: float

    def reserve(self, call: str, provider: str, model: str, amount: Amount) -> None:
        """Enter a call's worst case, durable when this returns."""
        ledger = self._ledger
        line = Line(RESERVED, ledger.owner, call, self.now, provider, model, amount)
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
