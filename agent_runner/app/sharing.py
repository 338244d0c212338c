"""The limits with the ledger through which the projects of one user share them.

A file of its own because `usage` needs it and nothing of the engine.
"""

from pathlib import Path

from agent_runner.app.project import Project
from agent_runner.ground.clock import Clock
from agent_runner.limits.gate import Gate
from agent_runner.limits.ledger import Ledger

LEDGER = Path(".agent-runner/ledger.jsonl")
"""Where, in the user's home, use of limits is shared between projects."""


def gate_of(project: Project, clock: Clock, *, ignore_limits: bool = False) -> Gate:
    """The gate that every call passes. `ignore_limits`: without configured limits and budgets."""
    ledger = None  # `ledger: false`: this project counts alone
    if project.settings.ledger:
        owner = str(project.place.state_dir)
        ledger = Ledger(project.surroundings.home / LEDGER, owner, clock)
    return Gate(project.settings, clock, ledger, ignore_limits)
