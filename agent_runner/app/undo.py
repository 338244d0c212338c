"""Reverts what a task changed, unless somebody edited the files since."""

from agent_runner.app.project import Project
from agent_runner.app.session import wired_for
from agent_runner.engine.taking_back import Outcome


def undo(project: Project, task_id: str, *, keep_edited: bool = False) -> tuple[Outcome, bool]:
    """Put the files back as they were before the task; and whether it counted as done until now.

    If somebody edited one since, no file is touched; with `keep_edited` all but those are reverted.
    """
    with wired_for(project, task_id) as wiring:
        wiring.recovery.settle(task_id, reason="the task is undone")
        before = wiring.core.record(task_id).state
        task = project.task(task_id)
        outcome = wiring.taking_back.take_back(
            task, reason="undone by a person", keep_edited=keep_edited
        )
        return outcome, wiring.core.record(task_id).state is not before
