"""The states of a task; where each may go stands in `flow.py`."""

import enum


class TaskState(enum.StrEnum):
    """Where a task stands.

    The four in the middle have a step, the last three wait for a person or for nobody.
    """

    PENDING = "pending"
    PRE_HOOKS = "pre_hooks"
    AGENT = "agent"
    APPLY = "apply"
    POST_HOOKS = "post_hooks"
    PASSED = "passed"
    ESCALATED = "escalated"
    SKIPPED = "skipped"


STEPS = frozenset({TaskState.PRE_HOOKS, TaskState.AGENT, TaskState.APPLY, TaskState.POST_HOOKS})
"""States with an effect: the engine runs their step; on screen they are all "running"."""

FINAL = frozenset({TaskState.PASSED, TaskState.SKIPPED})
"""States that only a person's decision leaves."""

DECIDED_BY_PERSON = frozenset({TaskState.ESCALATED})
"""States in which a task waits for a person."""
