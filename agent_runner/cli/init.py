"""`agent-runner init`: a commented task list and configuration to begin with."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Where to write them; default: here.", show_default=False
        ),
    ] = Path(),
) -> None:
    """Write a commented tasks.yml and agent-runner.yml; never over existing files."""
    from agent_runner.cli.beginning import write_beginning

    raise typer.Exit(write_beginning(folder))
