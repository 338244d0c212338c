"""`agent-runner why`: a task's story in plain sentences."""

import typer

from agent_runner.cli.options import StateDir, TaskId, TasksOption


def why(task: TaskId, tasks: TasksOption = None, state_dir: StateDir = None) -> None:
    """Tell what was tried, what failed, what changed, who decided what, and what it cost."""
    from agent_runner.cli.around import open_project
    from agent_runner.cli.reports import print_story

    raise typer.Exit(print_story(open_project(tasks, state_dir), task))
