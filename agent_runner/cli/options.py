"""Options that several commands share, each written once."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

TasksArgument: TypeAlias = Annotated[
    Path | None,
    typer.Argument(
        metavar="TASKS",
        help="Task list, YAML or JSON; default: the list whose state is here, else tasks.yml.",
        show_default=False,
    ),
]
TasksOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--tasks",
        metavar="FILE",
        help="Task list; default: the list whose state is here, else tasks.yml.",
        show_default=False,
    ),
]
StateDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        metavar="DIR",
        help="State folder; default: .agent-runner beside the task list.",
        show_default=False,
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
TaskId: TypeAlias = Annotated[str, typer.Argument(metavar="TASK", help="Id of the task.")]
OptionalTaskId: TypeAlias = Annotated[
    str | None, typer.Argument(metavar="TASK", help="Id of one task.", show_default=False)
]
JsonLines: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON event a line.")]
