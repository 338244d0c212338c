"""The states of a task; where each may go stands in `flow.py`."""

import enum


class TaskState(enum.StrEnum):
    """Where a task is: the four states in the middle have a step, the others wait.

    `PENDING` waits for its turn, `ESCALATED` for a person, `PASSED` and `SKIPPED` for nobody.
    """

    PENDING = "pending"
    PRE_HOOKS = "pre_hooks"
    AGENT = "agent"
    APPLY = "apply"
    POST_HOOKS = "post_hooks"
    PASSED = "passed"
    ESCALATED = "escalated"
    SKIPPED = "skipped"


FINAL = frozenset({TaskState.PASSED, TaskState.SKIPPED})
"""States that only a person's decision leaves."""

STEPS = frozenset(TaskState) - FINAL - {TaskState.PENDING, TaskState.ESCALATED}
"""States with an effect: the engine runs their step; on screen they are all "running"."""
