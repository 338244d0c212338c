"""`agent-runner config`: check and show the configuration."""

from typing import Annotated

import typer

from agent_runner.cli.options import TasksOption

app = typer.Typer(help="Check and show the configuration.", no_args_is_help=True)


@app.command("validate", short_help="Check all of it and tell every mistake.")
def validate(tasks: TasksOption = None) -> None:
    """Check all configuration files, the environment and the task list; tell all mistakes."""
    from agent_runner.cli.around import surroundings
    from agent_runner.cli.configuring import validate_all

    raise typer.Exit(validate_all(tasks, surroundings()))


@app.command("show")
def show(
    origin: Annotated[
        bool, typer.Option("--origin", help="Say where each value came from.")
    ] = False,
    tasks: TasksOption = None,
) -> None:
    """Print the merged configuration; keys are left out."""
    from agent_runner.cli.around import surroundings
    from agent_runner.cli.configuring import show_all

    raise typer.Exit(show_all(tasks, surroundings(), origins=origin))
