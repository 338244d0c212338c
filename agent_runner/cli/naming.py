"""Task ids from the command line."""

from agent_runner.app.project import Project
from agent_runner.model.errors import UsageError


def require_task(project: Project, task: str) -> None:
    """Raise UsageError, with the nearest id, if the list has no such task."""
    if task not in project.tasks:
        from agent_runner.providers.profiles import closest

        ids = [t.id for t in project.tasks.tasks]
        same = [one for one in ids if one.casefold() == task.casefold()]
        near = closest(task, ids) or (closest(same[0], same) if same else "")
        raise UsageError(
            f"there is no task {task} in {project.tasks.id}",
            fix=near,
            command=() if near else ("status",),
        )
