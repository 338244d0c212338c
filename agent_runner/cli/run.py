"""`agent-runner run` and `resume`: work through the task list, or go on with what is left of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from agent_runner.cli.options import RunFlags, TasksOption, TaskWords, with_run_flags, words_of
from agent_runner.cli.output import note, print_parts, say

if TYPE_CHECKING:
    from agent_runner.app.run import RunRequest
    from agent_runner.engine.schedule import Selection


@with_run_flags
def run(
    flags: RunFlags,
    words: TaskWords = None,
    named: TasksOption = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show tasks, hooks and expected calls; change nothing."),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Archive the old state and start over.")
    ] = False,
) -> int:
    """Work through the task list; unfinished tasks go on where they stopped.

    Exit codes: 0 nothing is left to do; 1 a person is needed; 2 wrong usage, configuration or
    task list; 3 the state cannot be used; 75 a limit or an outage, safe to run again after the
    printed time; 129, 130, 141, 143 hang-up, Ctrl+C or q, broken pipe, terminated;
    70 a bug; 74 the output could not be written.
    """
    from agent_runner.app.run import run as run_list
    from agent_runner.app.selection import select
    from agent_runner.app.trust import demand_trust, reachable_providers
    from agent_runner.cli.project import open_project
    from agent_runner.ground.clock import SystemClock

    file, ids = words_of(words, named)
    project = open_project(file, flags.state_dir, flags.settings())
    chosen = select(project.tasks, ids, flags.until, flags.max_tasks)
    if dry_run:
        from agent_runner.app.dry_run import dry_run as lines_of

        ignoring = flags.ignore_config_limits
        return print_parts(lines_of(project, SystemClock(), chosen, ignore_limits=ignoring))
    demand_trust(project.loaded, reachable_providers(project), project.surroundings)
    return run_list(project, _request(flags, chosen, fresh=fresh), SystemClock())


@with_run_flags
def resume(flags: RunFlags, words: TaskWords = None, named: TasksOption = None) -> int:
    """Go on where the last run stopped, however it stopped. Needs no arguments.

    Where nothing is left to resume it says so and exits with 0. The exit codes are those of run.
    """
    from agent_runner.app.place import is_untouched
    from agent_runner.app.run import nothing_to_resume, run as run_list
    from agent_runner.app.selection import select
    from agent_runner.app.trust import demand_trust, reachable_providers
    from agent_runner.cli.project import open_project, surroundings
    from agent_runner.ground.clock import SystemClock

    tell = note if flags.json else say  # no line of text among the JSON
    file, ids = words_of(words, named)
    if file is None and is_untouched(flags.state_dir, surroundings()):
        tell("Nothing to resume: there is no task list and no saved state here.")
        return 0
    project = open_project(file, flags.state_dir, flags.settings())
    chosen = select(project.tasks, ids, flags.until, flags.max_tasks)
    reason = nothing_to_resume(project, chosen, rerun_changed=flags.rerun_changed)
    if reason:
        tell(f"Nothing to resume: {reason}")
        return 0
    demand_trust(project.loaded, reachable_providers(project), project.surroundings)
    return run_list(project, _request(flags, chosen), SystemClock())


def _request(flags: RunFlags, chosen: "Selection", *, fresh: bool = False) -> "RunRequest":
    from agent_runner.app.outputs import refuse_other_files
    from agent_runner.app.run import RunRequest
    from agent_runner.app.screens import ScreenOptions
    from agent_runner.model.errors import UsageError

    if flags.junit is not None:
        refuse_other_files("--junit", flags.junit, "<testsuite")
    if flags.record is not None and flags.record.exists() and not flags.record.is_dir():
        raise UsageError(f"--record {flags.record} is a file", fix="name a folder")
    return RunRequest(
        screen=ScreenOptions(flags.quiet, flags.json, flags.junit),
        fresh=fresh,
        preview=flags.preview,
        ignore_limits=flags.ignore_config_limits,
        rerun_changed=flags.rerun_changed,
        wait=flags.wait or flags.wait_max is not None,
        wait_max=_seconds(flags.wait_max),
        record=flags.record,
        selection=chosen,
    )


def _seconds(text: str | None) -> float | None:
    from agent_runner.config.writing import seconds
    from agent_runner.model.errors import UsageError

    if text is None:
        return None
    value = seconds(text)
    if value is None:
        raise UsageError(f"--wait-max {text} is not a duration", fix="write 90s, 15m or 2h")
    return value
