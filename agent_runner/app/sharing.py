"""What the projects of one user share in the home folder: limits with a ledger, scratch copies.

A file of its own because `status` and `usage` need it and nothing of the engine.
"""

from pathlib import Path

from agent_runner.ground.clock import Clock
from agent_runner.limits.gate import Gate
from agent_runner.limits.ledger import Ledger
from agent_runner.model.settings import Settings

LEDGER = Path(".agent-runner/ledger.jsonl")
"""Where, in the user's home, use of limits is shared between projects."""

COPIES = Path(".agent-runner/scratch")
"""Where, in the user's home, scratch copies of projects are while a command runs in them."""


def gate_of(
    settings: Settings, state_dir: Path, home: Path, clock: Clock, *, ignore_limits: bool = False
) -> Gate:
    """The gate that every call passes.

    `state_dir`: the project's own, by which its entries in the ledger are told from those of
    others. `ignore_limits`: without configured limits and budgets.
    """
    # `ledger: false`: this project counts alone
    ledger = Ledger(home / LEDGER, str(state_dir), clock) if settings.ledger else None
    return Gate(settings, clock, ledger, ignore_limits)
