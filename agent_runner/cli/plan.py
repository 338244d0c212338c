"""`agent-runner plan`: what fits into the limits now, and when the rest could run."""

import typer

from agent_runner.cli.options import Json, StateDir, TasksOption


def plan(tasks: TasksOption = None, state_dir: StateDir = None, json: Json = False) -> None:
    """Say which of the remaining tasks fit into the limits now and when the rest could run."""
    from agent_runner.cli.around import open_project
    from agent_runner.cli.planning import print_plan

    raise typer.Exit(print_plan(open_project(tasks, state_dir), as_json=json))
