"""`agent-runner config`: check and show the configuration."""

from typing import Annotated

import typer

from agent_runner.cli.options import TasksOption
from agent_runner.cli.output import located, note, say


def validate(tasks: TasksOption = None) -> int:
    """Check all configuration files, the environment and the task list; report every mistake."""
    from agent_runner.app.validation import check
    from agent_runner.cli.project import surroundings

    checked = check(tasks, surroundings())
    for warning in checked.warnings:
        note(f"warning: {located(warning)}")
    for missing in checked.not_ready:
        note(f"not ready: {located(missing)}")
    for problem in checked.problems:
        note(located(problem))
    if checked.problems:
        count = len(checked.problems)
        note(f"{count} mistake{'s' if count > 1 else ''}")
        return 2
    files = ", ".join(checked.files)
    if checked.not_ready:
        say(f"no mistake in {files}; but no run would begin here yet")
    else:
        say(f"good: {files}")
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
    say("\n".join((settings_lines_with_origins if origin else settings_lines)(loaded)))
    return 0
