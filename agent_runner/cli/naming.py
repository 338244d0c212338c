"""Task ids from the command line."""

from agent_runner.app.project import Project
from agent_runner.ground.suggestions import did_you_mean
from agent_runner.model.errors import UsageError


def require_task(project: Project, task: str) -> None:
    """Raise UsageError, with the nearest id, if the list has no such task."""
    if task not in project.tasks:
        near = did_you_mean(task, (t.id for t in project.tasks.tasks))
        raise UsageError(
            f"there is no task {task} in {project.tasks.id}",
            fix=near,
            command=() if near else ("status",),
        )
