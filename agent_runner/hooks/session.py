"""All that one command started: the members of its session, remembered by pid and start time.

A session is more than the command's process group: `timeout 60 pytest`, or a shell with job
control, puts what it runs into a group of its own.
"""

import contextlib
import os
import signal
from collections.abc import Callable

import anyio
from attrs import define, field, frozen

from agent_runner.hooks.table import Table

_POLL = 0.02  # seconds between two looks whether a session is empty


@frozen
class Graces:
    """How long is waited, in seconds, before the next harder means.

    `output`: for more output after the command has exited, as a child may hold the pipe for ever.
    `term`: between SIGTERM and SIGKILL. `kill`: for what was killed to vanish; a program that
    hangs in the kernel does not.
    """

    output: float = 0.5
    term: float = 2.0
    kill: float = 2.0


def _anybody(_pid: int) -> bool:
    return True


@define(eq=False)
class Session:
    """The session that `leader` (a pid) began. Members count only if `is_ours` says so once."""

    leader: int
    _table: Table
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
                self._known[pid] = self._table.began(pid)
        return tuple(pid for pid in self.seen if self._table.lives(pid, self._known[pid]))

    def tell(self, number: signal.Signals, *, spared_group: int = 0) -> None:
        """Signal each living member, but for those of a group that was signalled as a whole."""
        for pid in self.living():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getpgid(pid) != spared_group:
                    self._signal_one(pid, number)

    async def emptied(self) -> None:
        """Wait until nobody is left. No clock is asked: real programs take real time."""
        while self.living():  # noqa: ASYNC110 - no event tells when a session gets empty
            await anyio.sleep(_POLL)

    def _signal_one(self, pid: int, number: signal.Signals) -> None:
        """Signal `pid` if it is still the same; where there are pidfds, one pins it meanwhile."""
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
