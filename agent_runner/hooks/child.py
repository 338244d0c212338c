"""One command in its own session: its output is followed, its whole session can be ended."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable

import anyio
from attrs import define, field

from agent_runner.hooks.session import PIECE, Graces, Session
from agent_runner.hooks.watch import ExitWatch

Sink = Callable[[bytes], None]
"""Takes one piece of output."""


@define(eq=False)
class Child:
    """A started command, the leader of its own session and process group; `pid` names both.

    `exit_code` stands once the command has exited: -n for a death by signal n, None as long as it
    runs and where the status was lost. `at_end` is true once nobody holds the output any more.
    `gate`: the descriptor at which a held command waits for `release`; -1 where none does.
    """

    pid: int
    _watch: ExitWatch
    output: int
    _popen: "subprocess.Popen[bytes]"
    _graces: Graces
    _session: Session
    gate: int = -1
    exit_code: int | None = field(default=None, init=False)
    at_end: bool = field(default=False, init=False)
    _exited: bool = field(default=False, init=False)
    _alone: bool = field(default=False, init=False)
    _left: bool = field(default=False, init=False)
    _closed: bool = field(default=False, init=False)

    def release(self) -> None:
        """Let a held command begin."""
        with contextlib.suppress(BrokenPipeError):  # it was ended meanwhile
            os.write(self.gate, b"\n")
        self._shut_gate()

    async def follow(
        self, sink: Sink, *, timeout: float | None, on_long: Callable[[], None] = lambda: None
    ) -> bool:
        """Pass all output to `sink` until the command has exited; True if the time-out ended it.

        `timeout` is in seconds; `on_long` is called once where there is none and it takes long.
        After the exit only a short grace is left for more output. What `sink` raises is raised
        here, and the command then still runs: `close` ends it.
        """
        timed_out = False
        with anyio.CancelScope() as scope:
            reading = _Reading(self, sink, scope.cancel)
            try:
                # the exit, not the end of the output: a grandchild may hold that
                with anyio.move_on_after(self._graces.unbounded if timeout is None else timeout):
                    await self._exit()
                if timeout is None and not self._exited:
                    on_long()
                    await self._exit()
                if not self._exited:
                    timed_out = True
                    await self.end()
                if not self.at_end:
                    with anyio.move_on_after(self._graces.output):
                        await reading.at_end.wait()
            finally:
                reading.stop()
        if reading.failure is not None:
            raise reading.failure
        self.read_rest(sink)
        return timed_out

    async def end(self) -> None:
        """End the whole session: SIGTERM, a grace, SIGKILL."""
        for number, grace in (
            (signal.SIGTERM, self._graces.term),
            (signal.SIGKILL, self._graces.kill),
        ):
            self._signal(number)
            with anyio.move_on_after(grace):
                await self._exit()
                await self._session.wait_until_empty()
                self._alone = True
                return

    def kill(self) -> None:
        """SIGKILL to the whole session, at once; for when a grace takes too long."""
        self._signal(signal.SIGKILL)

    def survivors(self) -> tuple[int, ...]:
        """Pids of those that still run although the command has exited.

        One cheap call says that its group is empty, as nearly always. Whoever then still hides in
        a group of its own, without the output, is not looked for.
        """
        if not self._alone:
            self._alone = self.at_end and not _reachable(self.pid)
        living = () if self._alone else self._session.living()
        self._alone = not living
        return living

    def leave_running(self) -> int | None:
        """Let `close` spare what outlives the command: a service that a pre-hook started.

        Returns the descriptor of the output if the service still holds it, for somebody to read on.
        """
        self._left = True
        if self.at_end:
            return None
        output, self.output = self.output, -1
        return output

    async def close(self) -> None:
        """End what still runs, and give everything back. Shielded from cancellation.

        Its last words are read and dropped, so that it can finish its clean-up.
        """
        if self._closed:
            return
        self._closed = True
        self._shut_gate()
        if not self._exited or (self.survivors() and not self._left):
            with anyio.CancelScope(shield=True):
                reading = _Reading(self, _drop, _nothing)
                try:
                    await self.end()
                finally:
                    reading.stop()
        if self.output >= 0:
            os.close(self.output)
        self._watch.close()
        # subprocess never saw the exit: keep it from looking for the child, and from warning
        self._popen.returncode = self.exit_code or 0

    def _shut_gate(self) -> None:
        if self.gate >= 0:
            os.close(self.gate)
            self.gate = -1

    def read_piece(self, sink: Sink) -> None:
        """Pass on what output there is, at most 64 KiB. Raises BlockingIOError if there is none."""
        piece = os.read(self.output, PIECE)
        if piece:
            sink(piece)
        else:
            self.at_end = True

    def read_rest(self, sink: Sink) -> None:
        """What the command had written before the grace was over, but no more than a pipe holds."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(16):
                if self.at_end:
                    return
                self.read_piece(sink)

    async def _exit(self) -> None:
        """Wait for the command's exit and reap it."""
        if not self._exited:
            await anyio.wait_readable(self._watch.fd)
            self.exit_code = self._watch.reap()
            self._exited = True

    def _signal(self, number: signal.Signals) -> None:
        """Its group as a whole, so that no fork slips through, then the others of the session.

        The number of an empty session may be given to strangers: seen empty, it is left in peace.
        """
        if self._alone:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
        self._session.send(number, except_group=self.pid)


class _Reading:
    """Reads a child's output as it comes, by callbacks of the loop, until `stop`.

    A task of its own for it, with a wait for each piece, took a third of what a short hook costs.
    What the sink raises is kept in `failure`, and `fail` is called. `at_end` is set at the end of
    the output.
    """

    def __init__(self, child: Child, sink: Sink, fail: Callable[[], None]) -> None:
        self.failure: BaseException | None = None
        self.at_end = anyio.Event()
        self._child, self._sink, self._fail = child, sink, fail
        self._loop, self._output = asyncio.get_running_loop(), child.output
        if not child.at_end:
            self._loop.add_reader(self._output, self._read)

    def stop(self) -> None:
        """Read no more; a second time does nothing."""
        self._loop.remove_reader(self._output)

    def _read(self) -> None:
        try:
            self._child.read_piece(self._sink)
        except BlockingIOError:
            return
        except BaseException as error:  # noqa: BLE001 - raised where the child is followed
            self.failure = error
            self._fail()
            self.stop()
        if self._child.at_end:
            self.stop()
            self.at_end.set()


def _reachable(group: int) -> bool:
    """Whether the group has a member that we may signal: one cheap call where it has none."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):  # macOS: only zombies are left
        return False
    return True


def _drop(_piece: bytes) -> None:
    pass


def _nothing() -> None:
    pass
