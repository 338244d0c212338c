"""A process that reserves room in a shared ledger until none is left.

`spend_room.py LEDGER OWNER WANTED`.

Prints the ids of the calls that were let through, one a line, each right after its reservation is
durable.
"""

import sys
from pathlib import Path

from agent_runner.ground.clock import SystemClock
from agent_runner.limits.gate import Gate
from agent_runner.limits.ledger import Ledger
from agent_runner.limits.room import Fits, Need
from agent_runner.model.events import CallStarted
from agent_runner.model.settings import LimitSettings, Settings, WindowKind, WindowSettings
from agent_runner.model.spending import Spending

MOST = 40


def main(path: str, owner: str, wanted: str) -> None:
    """Ask for `wanted` calls, one after the other."""
    clock = SystemClock()
    configured = Settings(
        rate_limits={"claude": LimitSettings(max_requests_week=MOST)},
        limits=WindowSettings(window=WindowKind.ROLLING),
    )
    gate = Gate(configured, clock, Ledger(Path(path), owner, clock))
    spending = Spending()
    for number in range(int(wanted)):
        call, need = f"c{number}", Need(10, 5)
        if isinstance(gate.admit(spending, call, "claude", "m", need, task="T"), Fits):
            spending.take(clock.now(), "T", CallStarted(call, 1, 1, 1, "claude", "m", 10, 5))
            sys.stdout.write(f"{owner}/{call}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
