"""One command in its own session: its output is followed, its whole group can be ended."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import anyio
from attrs import define, field, frozen

from agent_runner.hooks.table import Table, this_machine
from agent_runner.hooks.watch import ExitWatch, WatchFactory, watch_exit

PIECE = 65_536
"""Bytes read at once: what a pipe holds."""

SHELL = "/bin/sh"
"""POSIX's place for it; the hook's own PATH may lack one."""

_POLL = 0.01  # seconds between two looks whether a group is gone

Sink = Callable[[bytes], None]
"""Takes one piece of output."""


@frozen
class Graces:
    """How long is waited, in seconds, before the next harder means.

    `output`: for more output after the command has exited, as a child may hold the pipe for ever.
    `term`: between SIGTERM and SIGKILL. `kill`: for a killed group to vanish; a process that hangs
    in the kernel does not.
    """

    output: float = 0.5
    term: float = 2.0
    kill: float = 2.0


@define(eq=False)
class Child:
    """A started command, the leader of its own session and process group (`pid` names the group).

    `exit_code` stands once the command has exited: -n for a death by signal n, None as long as it
    runs and where the status was lost. `at_end` is true once nobody holds the output any more.
    """

    pid: int
    _watch: ExitWatch
    _output: int
    _popen: "subprocess.Popen[bytes]"
    _graces: Graces
    _table: Table
    exit_code: int | None = field(default=None, init=False)
    at_end: bool = field(default=False, init=False)
    _exited: bool = field(default=False, init=False)
    _group_gone: bool = field(default=False, init=False)
    _left: bool = field(default=False, init=False)
    _closed: bool = field(default=False, init=False)

    async def follow(self, sink: Sink, *, timeout: float | None) -> bool:
        """Pass all output to `sink` until the command has exited; True if the time-out ended it.

        `timeout` is in seconds. After the exit only a short grace is left for more output. What
        `sink` raises is raised here, and the command then still runs: `close` ends it.
        """
        read_all = anyio.Event()
        timed_out = False
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._read, sink, read_all)
                with anyio.move_on_after(timeout):
                    await self._exit()
                if not self._exited:
                    timed_out = True
                    await self.end()
                with anyio.move_on_after(self._graces.output):
                    await read_all.wait()
                tasks.cancel_scope.cancel()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        self._read_rest(sink)
        return timed_out

    async def end(self) -> None:
        """End the whole group: SIGTERM, a grace, SIGKILL."""
        for number, grace in (
            (signal.SIGTERM, self._graces.term),
            (signal.SIGKILL, self._graces.kill),
        ):
            self._signal_group(number)
            with anyio.move_on_after(grace):
                await self._exit()
                await self._vanishing()
                return

    def kill(self) -> None:
        """SIGKILL to the whole group, at once; for the moment when a grace takes too long."""
        self._signal_group(signal.SIGKILL)

    def group_lives(self) -> bool:
        """Whether anybody in the group still runs (among them the command itself).

        Zombies do not count: in a container without an init they stay for ever.
        """
        if not self._group_gone and self._exited:
            self._group_gone = not (_reachable(self.pid) and self._table.group(self.pid))
        return not self._group_gone

    def leave_group(self) -> int | None:
        """Let `close` spare what outlives the command.

        If that still holds the output, its descriptor is handed over, for somebody to read on.
        """
        self._left = True
        if self.at_end:
            return None
        output, self._output = self._output, -1
        return output

    async def close(self) -> None:
        """End what still runs of the group, and give everything back. Shielded from cancellation.

        Its last words are read and dropped, so that it can finish its clean-up.
        """
        if self._closed:
            return
        self._closed = True
        with anyio.CancelScope(shield=True):
            if self.group_lives() and not self._left:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._read, _drop, anyio.Event())
                    await self.end()
                    tasks.cancel_scope.cancel()
            if self._output >= 0:
                os.close(self._output)
            self._watch.close()
            # subprocess never saw the exit: keep it from looking for the child, and from warning
            self._popen.returncode = self.exit_code or 0

    async def _read(self, sink: Sink, read_all: anyio.Event) -> None:
        while not self.at_end:
            await anyio.wait_readable(self._output)
            piece = os.read(self._output, PIECE)
            if piece:
                sink(piece)
            else:
                self.at_end = True
        read_all.set()

    def _read_rest(self, sink: Sink) -> None:
        """What the command had written before the grace was over, but no more than a pipe holds."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(16):
                if self.at_end:
                    return
                piece = os.read(self._output, PIECE)
                if piece:
                    sink(piece)
                else:
                    self.at_end = True

    async def _exit(self) -> None:
        """Wait for the command's exit and reap it."""
        if not self._exited:
            await anyio.wait_readable(self._watch.fd)
            self.exit_code = self._watch.reap()
            self._exited = True

    async def _vanishing(self) -> None:
        """Wait until the group is empty. No clock is asked: real processes take real time."""
        while self.group_lives():  # noqa: ASYNC110 - no event tells when a group gets empty
            await anyio.sleep(_POLL)

    def _signal_group(self, number: signal.Signals) -> None:
        """An empty group's id may be given to strangers: once seen empty it is never signalled."""
        if self.group_lives():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)


def start(  # noqa: PLR0913 - what a command is started with, and what watches it, by name
    command: str | tuple[str, ...],
    *,
    cwd: Path | None,
    env: Mapping[str, str],
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    watch: WatchFactory = watch_exit,
    graces: Graces | None = None,
    table: Table | None = None,
) -> Child:
    """Start `command`: a string by `sh -c`, a tuple directly. Output and errors go into one pipe.

    Raises OSError (no such program, not executable, too many arguments) and ValueError (a NUL).
    """
    words = [SHELL, "-c", command] if isinstance(command, str) else list(command)
    output, written = os.pipe()
    try:
        # no preexec_fn: it would fork the whole interpreter (2 ms, 35 ms from a large parent)
        popen = subprocess.Popen(
            words,
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            close_fds=True,
        )
    except BaseException:
        os.close(output)
        raise
    finally:
        os.close(written)
    os.set_blocking(output, False)
    return Child(
        popen.pid, watch(popen.pid), output, popen, graces or Graces(), table or this_machine()
    )


def _reachable(group: int) -> bool:
    """Whether the group has a member that we may signal: one cheap call where it has none."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):  # macOS: only zombies are left
        return False
    return True


def _drop(_piece: bytes) -> None:
    pass
