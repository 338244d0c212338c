"""What a hook left running when the runner itself died: found again and ended, never a stranger."""

import contextlib
import os
import signal

import anyio
from attrs import frozen

from agent_runner.hooks.child import Graces
from agent_runner.hooks.table import Table, this_machine

_POLL = 0.02  # seconds between two looks whether they are gone


@frozen
class Trace:
    """What the journal knows of a hook that was running.

    The pid of its group's leader, when that began (`table.began`), and the run and task that its
    environment names.
    """

    pid: int
    began: str
    run_id: str
    task: str


def find_survivors(trace: Trace, table: Table | None = None) -> list[int]:
    """Pids of the hook's processes that still run, in order.

    If the leader lives (same pid, same start time), its whole group is the hook's. Else a member
    of the group counts only if its environment carries our run and task: the number may have
    become a stranger's since.
    """
    table = table or this_machine()
    members = [pid for pid in table.group(trace.pid) if pid != os.getpid()]
    if trace.began and table.began(trace.pid) == trace.began:
        return members
    ours = {"AGENT_RUNNER_RUN_ID": trace.run_id, "AGENT_RUNNER_TASK": trace.task}
    return [pid for pid in members if table.carries(pid, ours)]


async def end_survivors(
    trace: Trace, table: Table | None = None, graces: Graces | None = None
) -> list[int]:
    """End them: SIGTERM, a grace, SIGKILL. Returns the pids that were found, in order."""
    table, graces = table or this_machine(), graces or Graces()
    known: dict[int, str] = {}  # members stay ours when their leader is gone
    for number, grace in ((signal.SIGTERM, graces.term), (signal.SIGKILL, graces.kill)):
        told: set[int] = set()
        with anyio.move_on_after(grace):
            while living := _living(trace, table, known):
                for pid in living:
                    if pid not in told:
                        told.add(pid)
                        _signal(pid, known[pid], number, table)
                await anyio.sleep(_POLL)
            break
    return sorted(known)


def _living(trace: Trace, table: Table, known: dict[int, str]) -> list[int]:
    """Those that still run, new ones among them: a dying program may start others."""
    for pid in find_survivors(trace, table):
        known.setdefault(pid, table.began(pid))
    members = table.group(trace.pid)
    return [pid for pid, began in known.items() if pid in members and table.began(pid) == began]


def _signal(pid: int, began: str, number: signal.Signals, table: Table) -> None:
    """Signal `pid` if it is still the same. A pidfd, where there are some, pins it meanwhile."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if not hasattr(os, "pidfd_open"):
            if table.began(pid) == began:
                os.kill(pid, number)
            return
        pinned = os.pidfd_open(pid)
        try:
            if table.began(pid) == began:
                signal.pidfd_send_signal(pinned, number)
        finally:
            os.close(pinned)
