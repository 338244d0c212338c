"""All that one command started: while it runs, after it ended, and after the runner itself died.

A session is more than the command's process group: `timeout 60 pytest`, or a shell with job
control, puts what it runs into a group of its own. Members are remembered by pid and start time.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable

import anyio
from attrs import define, field, frozen

from agent_runner.ground.processes import ProcessTable, this_machine

PIECE = 65_536
"""Bytes read at once: what a pipe holds on Linux."""

_POLL = 0.02  # seconds between two looks whether a session is empty


@frozen
class Graces:
    """How long is waited, in seconds, before the next harder means.

    `output`: for more output after the command has exited, as a child may hold the pipe for ever.
    `term`: between SIGTERM and SIGKILL. `kill`: for what was killed to vanish; a program that
    hangs in the kernel does not. `unbounded`: before a hook without a time-out is mentioned.
    """

    output: float = 0.5
    term: float = 2.0
    kill: float = 2.0
    unbounded: float = 60.0


def _anybody(_pid: int) -> bool:
    return True


@define(eq=False)
class Session:
    """The session that `leader` (a pid) began. Members count only if `is_ours` says so once."""

    leader: int
    _table: ProcessTable
    _is_ours: Callable[[int], bool] = _anybody
    _known: dict[int, str] = field(factory=dict, init=False)

    @property
    def seen(self) -> tuple[int, ...]:
        """Pids of all members that were ever found, in order."""
        return tuple(sorted(self._known))

    def living(self) -> tuple[int, ...]:
        """Pids of the members that still run, in order; zombies do not."""
        for pid in self._table.session(self.leader):
            if pid not in self._known and pid != os.getpid() and self._is_ours(pid):
                self._known[pid] = self._table.start_time(pid)
        return tuple(pid for pid in self.seen if self._table.lives(pid, self._known[pid]))

    def send(self, number: signal.Signals, *, except_group: int = 0) -> None:
        """Signal each living member, but for those of a group that was signalled as a whole."""
        for pid in self.living():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getpgid(pid) != except_group:
                    self._signal_one(pid, number)

    async def wait_until_empty(self) -> None:
        """Wait until nobody is left. No clock is asked: real programs take real time."""
        while self.living():  # noqa: ASYNC110 - no event tells when a session gets empty
            await anyio.sleep(_POLL)

    def _signal_one(self, pid: int, number: signal.Signals) -> None:
        """Signal `pid` if it is still the same program.

        Between the look and the signal the pid could be given to a stranger; a pidfd, where there
        is one, keeps that from happening.
        """
        if not hasattr(os, "pidfd_open"):
            if self._table.lives(pid, self._known[pid]):
                os.kill(pid, number)
            return
        pinned = os.pidfd_open(pid)
        try:
            if self._table.lives(pid, self._known[pid]):
                signal.pidfd_send_signal(pinned, number)
        finally:
            os.close(pinned)


@frozen
class Trace:
    """What the journal knows of a hook that ran when the runner died.

    The pid of its session's leader, when that started (`ProcessTable.start_time`), and the run and
    task that its environment names.
    """

    pid: int
    start_time: str
    run_id: str
    task: str


async def end_survivors(
    trace: Trace, table: ProcessTable | None = None, graces: Graces | None = None
) -> list[int]:
    """End the hook's programs that still run; returns the pids that were found, in order.

    If the leader is there (same pid, same start time), its whole session is the hook's. Else a
    member of the session counts only if its environment carries our run and task: the number may
    have become a stranger's since. SIGTERM, a grace, SIGKILL.
    """
    table = table or this_machine()
    graces = graces or Graces()
    ours = {"AGENT_RUNNER_RUN_ID": trace.run_id, "AGENT_RUNNER_TASK": trace.task}

    def is_ours(pid: int) -> bool:
        led = bool(trace.start_time) and table.start_time(trace.pid) == trace.start_time
        return led or table.carries(pid, ours)

    session = Session(trace.pid, table, is_ours)
    for number, grace in ((signal.SIGTERM, graces.term), (signal.SIGKILL, graces.kill)):
        session.send(number)
        with anyio.move_on_after(grace):
            await session.wait_until_empty()
            break
    return list(session.seen)


@define(eq=False)
class ServicePipes:
    """Reads and drops what services print that pre-hooks left running.

    A pipe that nobody reads fills up, and one that nobody holds ends the service with SIGPIPE at
    its next write. A service that wants its output kept redirects it to a file.
    """

    _open: set[int] = field(factory=set, init=False)

    def adopt(self, output: int) -> None:
        """Read `output` (not blocking) from now on, until it ends or `close` is called.

        A callback of the loop, not a task: it belongs to no step and outlives all of them.
        """
        self._open.add(output)
        asyncio.get_running_loop().add_reader(output, self._drop, output)

    def close(self) -> None:
        """Stop reading; call it in the loop that adopted. A service may end at its next write."""
        for output in tuple(self._open):
            self._forget(output)

    def _drop(self, output: int) -> None:
        try:
            piece = os.read(output, PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._forget(output)

    def _forget(self, output: int) -> None:
        self._open.discard(output)
        asyncio.get_running_loop().remove_reader(output)
        os.close(output)
