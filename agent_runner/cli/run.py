"""`agent-runner run`: work through the task list, or go on where it stopped."""

from typing import Annotated

import typer

from agent_runner.cli.flags import RunFlags, with_run_flags
from agent_runner.cli.options import TasksArgument, TasksOption


@with_run_flags
def run(
    flags: RunFlags,
    tasks: TasksArgument = None,
    named: TasksOption = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show tasks, hooks and expected calls; do nothing at all."),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Archive the old state and begin anew.")
    ] = False,
) -> int:
    """Work through the task list; an unfinished one goes on where it stopped.

    Exit codes: 0 nothing is left to do; 1 a person is needed; 2 wrong usage, configuration or
    task list; 3 the state cannot be used; 75 a limit, safe to re-run after the printed time;
    129, 130, 141, 143 hang-up, Ctrl+C or q, broken pipe, terminated; 70 a bug.
    """
    from agent_runner.cli.going import go, look_ahead
    from agent_runner.model.errors import UsageError

    if tasks and named:
        raise UsageError("the task list is named twice", fix="give TASKS or --tasks, not both")
    if dry_run:
        return look_ahead(tasks or named, flags)
    return go(tasks or named, flags, fresh=fresh)
