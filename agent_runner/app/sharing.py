"""The ledger through which the projects of one user share the use of limits."""

from pathlib import Path

from agent_runner.app.project import Project
from agent_runner.ground.clock import Clock
from agent_runner.limits.ledger import Ledger

LEDGER = Path(".agent-runner/ledger.jsonl")
"""Where, in the user's home, use of limits is shared between projects."""


def ledger_of(project: Project, clock: Clock) -> Ledger | None:
    """The ledger that all projects of this user share; None where it is turned off."""
    if not project.settings.ledger:
        return None
    owner = str(project.place.state_dir)
    return Ledger(project.surroundings.home / LEDGER, owner, clock)
