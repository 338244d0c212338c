"""`agent-runner usage`: calls, tokens and cost so far."""

import enum
from typing import Annotated

import typer

from agent_runner.cli.options import Json, StateDir, TasksOption


class By(enum.StrEnum):
    """What the rows are."""

    TASK = "task"
    MODEL = "model"
    DAY = "day"


def usage(
    by: Annotated[
        By, typer.Option("--by", metavar="task|model|day", help="What the rows are.")
    ] = By.TASK,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Show calls, tokens and cost by task, model or day, and how full each limit is."""
    from agent_runner.cli.around import open_project
    from agent_runner.cli.reports import print_usage

    raise typer.Exit(print_usage(open_project(tasks, state_dir), by.value, as_json=json))
