"""What the exit code says, and which one an error gets."""

from agent_runner.model.errors import (
    AgentRunnerError,
    ProviderError,
    StateError,
    UsageError,
)

DONE = 0
"""Nothing is left to do: every task passed or was skipped."""
PERSON_NEEDED = 1
"""Escalated, held by such a task, aborted, budget or key trouble."""
USAGE = 2
"""Wrong usage, configuration or task list."""
STATE = 3
"""The state is held by another run or cannot be used."""
BUG = 70
"""A fault of this program."""
LIMIT = 75
"""A limit: safe to re-run after the printed time."""
HANGUP, INTERRUPTED, BROKEN_PIPE, TERMINATED = 129, 130, 141, 143
"""128 and the number of the signal."""


def code_of(error: AgentRunnerError) -> int:
    """The exit code of an error that ended a command."""
    match error:
        case UsageError():
            return USAGE
        case StateError():
            return STATE
        case ProviderError():
            return PERSON_NEEDED
        case _:
            return BUG
