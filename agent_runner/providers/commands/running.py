"""Runs a command's program once: its stream is read as it comes, and nothing of it outlives it."""

import os
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import anyio
import anyio.abc
from attrs import define, field, frozen

from agent_runner.providers.client import Start
from agent_runner.providers.commands.ending import MARK, Graces, Started
from agent_runner.providers.commands.reader import Reader

_LONGEST_LINE = 64 << 20
"""Bytes of one line; the rest of a longer one is dropped."""

_MOST_OUTPUT = 256 << 20
"""Bytes of a whole output, all of which is kept: one without end would fill the disk."""

_ERRORS = 16_384
"""Bytes of the standard error that are kept, from the end."""

_POLL = 0.05  # seconds between two looks at the clock


@frozen
class Patience:
    """Seconds: without a word, in all, and without a word until that is told."""

    silence: float
    total: float
    tell: float = 60.0


@frozen
class Watchers:
    """Who is told what while it runs.

    Attributes:
        keep: Given whole lines, as they came.
        activity: Told what it does now.
        tokens: Told how many it used so far.
        silent: Told once in a while for how many seconds it has said nothing.
        cap: Says why it may use no more; "" while it may.
    """

    keep: Callable[[bytes], None]
    activity: Callable[[str], None]
    tokens: Callable[[int], None]
    silent: Callable[[float], None]
    cap: Callable[[], str]


@define(eq=False)
class Run:
    """One run of a program.

    Attributes:
        prompt: The file that is its standard input.
        exit_code: -n for a death by signal n; None where it was ended by us.
        errors: The last that it wrote to its standard error.
        silent: Seconds without a word after which it was ended; 0: it was not for that.
        stopped: Why else it was ended; "" where it ended by itself.
    """

    start: Start
    prompt: IO[bytes]
    reader: Reader
    patience: Patience
    watchers: Watchers
    graces: Graces = field(factory=Graces)
    exit_code: int | None = None
    silent: float = 0.0
    stopped: str = ""
    over_cap: bool = False
    _errors: bytes = b""
    _heard: float = 0.0
    _used: int = -1

    @property
    def errors(self) -> str:
        """See above."""
        return self._errors.decode("utf-8", "replace").strip()

    async def to_the_end(self) -> None:
        """Run it to its end, or until it has to be ended; cancellable at any moment.

        Raises OSError where it cannot be started.
        """
        self._heard = anyio.current_time()
        async with self._started() as (process, all_of_it):
            assert process.stdout is not None and process.stderr is not None  # noqa: PT018, S101  # pipes
            async with anyio.create_task_group() as tasks:
                read_all = anyio.Event()
                tasks.start_soon(self._read, process.stdout, read_all)
                tasks.start_soon(self._read_errors, process.stderr)
                tasks.start_soon(self._watch, all_of_it)
                code = await process.wait()
                with anyio.move_on_after(self.graces.output):
                    await read_all.wait()
                tasks.cancel_scope.cancel()
            if not (self.stopped or self.silent):
                self.exit_code = code

    @asynccontextmanager
    async def _started(self) -> AsyncIterator[tuple[anyio.abc.Process, Started]]:
        process = await anyio.open_process(
            self.start.words,
            cwd=self.start.folder,
            env=self.start.env,
            stdin=self.prompt,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        started = Started(Path(self.start.env[MARK]), process.pid)
        try:
            yield process, started
        finally:
            with anyio.CancelScope(shield=True):
                await started.end(self.graces)
                await process.aclose()

    async def _read(self, stream: anyio.abc.ByteReceiveStream, read_all: anyio.Event) -> None:
        rest, length = bytearray(), 0  # not `bytes`: a long line comes in thousands of pieces
        async for piece in stream:
            self._heard = anyio.current_time()
            length += len(piece)
            if length > _MOST_OUTPUT:
                self.stopped = f"it printed more than {_MOST_OUTPUT >> 20} MB"
                break
            *ends, begun = piece.split(b"\n")
            if ends:
                lines = [bytes(rest) + ends[0], *ends[1:]]
                rest.clear()
                self._take(lines)
            rest += begun[: max(0, _LONGEST_LINE - len(rest))]
        if rest:
            self._take([bytes(rest)])
        read_all.set()

    def _take(self, lines: list[bytes]) -> None:
        self.watchers.keep(b"".join(line + b"\n" for line in lines))
        for line in lines:
            self._read_line(line)

    def _read_line(self, line: bytes) -> None:
        activity = self.reader.read_line(line)
        if activity:
            self.watchers.activity(activity)
        used = self.reader.usage.total
        if used != self._used:
            self._used = used
            self.watchers.tokens(used)

    async def _read_errors(self, stream: anyio.abc.ByteReceiveStream) -> None:
        async for piece in stream:
            self._heard = anyio.current_time()
            self._errors = (self._errors + piece)[-_ERRORS:]

    async def _watch(self, started: Started) -> None:
        """End it when it says nothing for too long, takes too long, or may go on no longer."""
        began, told, finished = anyio.current_time(), 0, 0.0
        while not (self.silent or self.stopped):
            await anyio.sleep(_POLL)
            now = anyio.current_time()
            quiet = now - self._heard
            if self.reader.finished:
                finished = finished or now
                if now - finished > self.graces.finished:
                    break
            elif quiet > self.patience.silence:
                self.silent = self.patience.silence
            elif now - began > self.patience.total:
                self.stopped = f"it did not end within {self.patience.total:g} s"
            elif self.reader.wants_stop:
                self.stopped = self.reader.wants_stop
            elif words := self.watchers.cap():
                self.stopped, self.over_cap = words, True
            elif quiet > self.patience.tell * (told + 1):
                told += 1
                self.watchers.silent(quiet)
            elif quiet < self.patience.tell:
                told = 0
        await started.end(self.graces)


def tail_of(path: Path | None, skip: int) -> bytes:
    """What a file holds from `skip` bytes on; nothing of one that is not there."""
    if path is None:
        return b""
    try:
        with path.open("rb") as file:
            file.seek(skip)
            return file.read()
    except OSError:
        return b""


def size_of(path: Path | None) -> int:
    """The size of a file in bytes; 0 of one that is not there."""
    try:
        return os.stat(path).st_size if path is not None else 0
    except OSError:
        return 0
