"""`agent-runner retry`, `skip`, `check`, `reset`: decisions that the next run acts on."""

from typing import Annotated

import typer

from agent_runner.cli.options import StateDir, TaskId, TasksOption


def retry(
    task: TaskId,
    hint: Annotated[
        str,
        typer.Option(
            "--hint", metavar="TEXT", help="Goes into the next prompt.", show_default=False
        ),
    ] = "",
    attempts: Annotated[
        int | None,
        typer.Option(
            "--attempts",
            metavar="N",
            min=1,
            help="Attempts to grant; default: one, if none is left.",
            show_default=False,
        ),
    ] = None,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
) -> None:
    """Try an escalated task again, with a hint for the agent if you have one."""
    from agent_runner.cli.around import open_project
    from agent_runner.cli.deciding import decide_retry

    raise typer.Exit(decide_retry(open_project(tasks, state_dir), task, hint, attempts or 0))


def skip(task: TaskId, tasks: TasksOption = None, state_dir: StateDir = None) -> None:
    """Leave a task; what depends on it stays pending. Files stay as they are."""
    from agent_runner.cli.around import open_project
    from agent_runner.cli.deciding import decide_skip

    raise typer.Exit(decide_skip(open_project(tasks, state_dir), task))


def check(task: TaskId, tasks: TasksOption = None, state_dir: StateDir = None) -> None:
    """You changed the files yourself: let the post-hooks judge them, without a call."""
    from agent_runner.cli.around import open_project
    from agent_runner.cli.deciding import decide_check

    raise typer.Exit(decide_check(open_project(tasks, state_dir), task))


def reset(
    task: TaskId,
    with_dependents: Annotated[
        bool, typer.Option("--with-dependents", help="And every task that depends on it.")
    ] = False,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
) -> None:
    """Forget a task's attempts and begin it anew; files stay as they are, spending is kept."""
    from agent_runner.cli.around import open_project
    from agent_runner.cli.deciding import decide_reset

    project = open_project(tasks, state_dir)
    raise typer.Exit(decide_reset(project, task, with_dependents=with_dependents))
