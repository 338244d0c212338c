"""`agent-runner demo`: the main job in a folder of its own, without key or network."""

from pathlib import Path
from typing import Annotated

import typer

from agent_runner.cli.options import JsonLines


def demo(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER",
            help="New folder for it; default: agent-runner-demo.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Silence but for failures and one closing line.")
    ] = False,
    json: JsonLines = False,
) -> None:
    """Copy a small Python project and take it from red to green, with recorded answers.

    Needs neither key nor network, but for the package index where pytest is not installed.
    """
    from agent_runner.app.screens import ScreenOptions
    from agent_runner.cli.around import surroundings
    from agent_runner.cli.showing import demonstrate

    raise typer.Exit(demonstrate(folder, ScreenOptions(quiet, json), surroundings()))
