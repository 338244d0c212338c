"""`agent-runner status`: where every task stands."""

import typer

from agent_runner.cli.options import Json, StateDir, TasksOption


def status(tasks: TasksOption = None, state_dir: StateDir = None, json: Json = False) -> None:
    """Show every task's state, what holds it, and the use of limits. Works while a run is on."""
    from agent_runner.cli.reports import print_status

    raise typer.Exit(print_status(tasks, state_dir, as_json=json))
