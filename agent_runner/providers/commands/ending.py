"""Ends all that a command started, wherever it went: in sessions of its own, deaf to SIGTERM.

Agents run their shell commands in sessions of their own, so that neither the group nor the session
of the program reaches them. All of them are known by a variable that each hands on to what it
starts, and that names the copy they work in; so those that a killed runner left are found, too.
"""

import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import anyio
from attrs import define, field, frozen

from agent_runner.ground.processes import ProcessTable, this_machine

MARK = "AGENT_RUNNER_COPY"
"""The variable by which programs are known; its value is the folder that they work in."""

_POLL = 0.02  # seconds between two looks whether anybody is left


@frozen
class Graces:
    """How long is waited, in seconds, before the next harder means.

    `term`: between SIGTERM and SIGKILL; together with `kill`, for what was killed to vanish, less
    than a second. `output`: for more output after the program has exited, since what it left in the
    background may hold the pipe for ever. `finished`: for the program to exit after it has said
    that its work is done.
    """

    term: float = 0.4
    kill: float = 0.5
    output: float = 0.5
    finished: float = 10.0


@define(eq=False)
class Started:
    """All programs that work in `folder`; `leader`: the pid of the first, 0 where nobody knows."""

    folder: Path
    leader: int = 0
    table: ProcessTable = field(factory=this_machine)

    def living(self) -> tuple[int, ...]:
        """Pids of those that still run, in order."""
        found = set(self.table.carriers(self._mark))
        if self.leader:
            found.update(self.table.session(self.leader))
        found.discard(os.getpid())
        return tuple(sorted(found))

    async def end(self, graces: Graces) -> tuple[int, ...]:
        """SIGTERM to all, a grace, SIGKILL to all; the pids that were found, in order."""
        seen = set[int]()
        for number, grace in ((signal.SIGTERM, graces.term), (signal.SIGKILL, graces.kill)):
            asked = set[int]()
            with anyio.move_on_after(grace):
                while members := self.living():
                    # once each, and whoever was started meanwhile; what is to die is told again
                    for pid in members:
                        if pid not in asked or number is signal.SIGKILL:
                            self._signal(pid, number)
                    asked.update(members)
                    await anyio.sleep(_POLL)
                return tuple(sorted(seen | asked))
            seen |= asked
        return tuple(sorted(seen))

    @property
    def _mark(self) -> Mapping[str, str]:
        return {MARK: str(self.folder)}

    def _signal(self, pid: int, number: signal.Signals) -> None:
        """Signal a program if it is still one of ours: its pid may be a stranger's by now.

        A pidfd, where there is one, keeps that from happening between the look and the signal.
        """
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if not hasattr(os, "pidfd_open"):
                if self._is_ours(pid):
                    os.kill(pid, number)
                return
            pinned = os.pidfd_open(pid)
            try:
                if self._is_ours(pid):
                    signal.pidfd_send_signal(pinned, number)
            finally:
                os.close(pinned)

    def _is_ours(self, pid: int) -> bool:
        if self.table.carries(pid, self._mark):
            return True
        return bool(self.leader) and pid in self.table.session(self.leader)
