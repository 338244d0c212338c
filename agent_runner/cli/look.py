"""`agent-runner diff` and `undo`: what a task changed, and taking it back."""

from typing import Annotated

import typer

from agent_runner.cli.options import StateDir, TaskId, TasksOption


def diff(
    task: TaskId,
    attempt: Annotated[
        int | None,
        typer.Option(
            "--attempt", metavar="N", min=1, help="Only this attempt.", show_default=False
        ),
    ] = None,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
) -> None:
    """Show what a task, or one attempt of it, changed; as a patch that git reads."""
    from agent_runner.cli.around import open_project
    from agent_runner.cli.undoing import print_diff

    raise typer.Exit(print_diff(open_project(tasks, state_dir), task, attempt))


def undo(
    task: TaskId,
    keep_edited: Annotated[
        bool,
        typer.Option("--keep-edited", help="Leave files that you edited since; undo the others."),
    ] = False,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
) -> None:
    """Put back what a task changed; refused, with their names, where files were edited since.

    What a hook such as a formatter did to those files is taken back with it.
    """
    from agent_runner.cli.around import open_project
    from agent_runner.cli.undoing import take_back

    raise typer.Exit(take_back(open_project(tasks, state_dir), task, keep_edited=keep_edited))
