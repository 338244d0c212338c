"""Reverts what a task changed, unless somebody edited the files since."""

from attrs import frozen

from agent_runner.app.project import Project
from agent_runner.app.session import wired_for
from agent_runner.engine.reverting import Outcome


@frozen
class Scope:
    """How far a person wants to go back.

    Attributes:
        keep_edited: Files that were edited since stay, and all others are reverted.
        whole_tree: What hooks and commands of the task changed is reverted as well.
    """

    keep_edited: bool = False
    whole_tree: bool = False


def undo(project: Project, task_id: str, scope: Scope) -> tuple[Outcome, bool]:
    """Put the files back as they were before the task; and whether it counted as done until now.

    If somebody edited one since, no file is touched, unless those are to stay.
    """
    with wired_for(project, task_id) as wiring:
        wiring.recovery.settle(task_id, reason="the task is undone")
        before = wiring.core.record(task_id).state
        outcome = wiring.reverting.take_back(
            project.task(task_id),
            reason="undone by a person",
            keep_edited=scope.keep_edited,
            whole_tree=scope.whole_tree,
        )
        return outcome, wiring.core.record(task_id).state is not before


def forecast(project: Project, task_id: str, scope: Scope) -> Outcome:
    """What `undo` would come to; nothing is touched."""
    with wired_for(project, task_id) as wiring:
        return wiring.reverting.forecast(
            project.task(task_id), keep_edited=scope.keep_edited, whole_tree=scope.whole_tree
        )
