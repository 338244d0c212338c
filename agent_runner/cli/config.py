"""`agent-runner config`: check and show the configuration."""

import sys
from typing import Annotated

import typer

from agent_runner.cli.options import TasksOption


def validate(tasks: TasksOption = None) -> int:
    """Check all configuration files, the environment and the task list; report every mistake."""
    from agent_runner.app.validation import check
    from agent_runner.cli.project import surroundings

    checked = check(tasks, surroundings())
    for warning in checked.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for missing in checked.not_ready:
        print(f"not ready: {missing}", file=sys.stderr)
    for problem in checked.problems:
        print(problem, file=sys.stderr)
    if checked.problems:
        count = len(checked.problems)
        print(f"{count} mistake{'s' if count > 1 else ''}", file=sys.stderr)
        return 2
    files = ", ".join(checked.files)
    if checked.not_ready:
        print(f"no mistake in {files}; but no run would begin here yet")
    else:
        print(f"good: {files}")
    return 0


def show(
    origin: Annotated[
        bool, typer.Option("--origin", help="Say where each value comes from.")
    ] = False,
    tasks: TasksOption = None,
) -> int:
    """Print the merged configuration. Keys are left out."""
    from agent_runner.app.configuration import load
    from agent_runner.cli.project import surroundings
    from agent_runner.config import settings_lines, settings_lines_with_origins

    loaded = load(tasks, surroundings())
    print("\n".join((settings_lines_with_origins if origin else settings_lines)(loaded)))
    return 0
