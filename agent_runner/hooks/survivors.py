"""What a hook left running when the runner itself died: found again and ended, never a stranger."""

import signal

import anyio
from attrs import frozen

from agent_runner.hooks.session import Graces, Session
from agent_runner.hooks.table import Table, this_machine


@frozen
class Trace:
    """What the journal knows of a hook that was running.

    The pid of its session's leader, when that began (`table.began`), and the run and task that its
    environment names.
    """

    pid: int
    began: str
    run_id: str
    task: str


def find_survivors(trace: Trace, table: Table | None = None) -> list[int]:
    """Pids of the hook's programs that still run, in order.

    If the leader is there (same pid, same start time), its whole session is the hook's. Else a
    member of the session counts only if its environment carries our run and task: the number may
    have become a stranger's since.
    """
    return list(_survivors(trace, table or this_machine()).living())


async def end_survivors(
    trace: Trace, table: Table | None = None, graces: Graces | None = None
) -> list[int]:
    """End them: SIGTERM, a grace, SIGKILL. Returns the pids that were found, in order."""
    survivors = _survivors(trace, table or this_machine())
    graces = graces or Graces()
    for number, grace in ((signal.SIGTERM, graces.term), (signal.SIGKILL, graces.kill)):
        survivors.tell(number)
        with anyio.move_on_after(grace):
            await survivors.emptied()
            break
    return list(survivors.seen)


def _survivors(trace: Trace, table: Table) -> Session:
    ours = {"AGENT_RUNNER_RUN_ID": trace.run_id, "AGENT_RUNNER_TASK": trace.task}

    def is_ours(pid: int) -> bool:
        led = bool(trace.began) and table.began(trace.pid) == trace.began
        return led or table.carries(pid, ours)

    return Session(trace.pid, table, is_ours)
