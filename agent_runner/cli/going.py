"""From the command line of `run` and `resume` to a run."""

import sys
from pathlib import Path

from agent_runner.app.dry_run import dry_run
from agent_runner.app.project import is_untouched
from agent_runner.app.running import RunRequest, run
from agent_runner.app.screens import ScreenOptions
from agent_runner.cli.around import open_project, surroundings
from agent_runner.cli.flags import RunFlags
from agent_runner.config.writing import seconds
from agent_runner.ground.clock import SystemClock
from agent_runner.model.errors import UsageError
from agent_runner.model.states import FINAL
from agent_runner.store.store import read_state


def go(tasks: Path | None, flags: RunFlags, *, fresh: bool) -> int:
    """Run the list; the exit code."""
    project = open_project(tasks, flags.state_dir, flags.settings())
    return run(project, _request(flags, fresh=fresh), SystemClock())


def go_on(tasks: Path | None, flags: RunFlags) -> int:
    """Run what is left of the list, or say that nothing is."""
    told = sys.stderr if flags.json else sys.stdout  # no line of text among the events
    if tasks is None and is_untouched(flags.state_dir, surroundings()):
        print("Nothing to resume: here is neither a task list nor a state.", file=told)
        return 0
    project = open_project(tasks, flags.state_dir, flags.settings())
    state, _ = read_state(project.place.state_dir, project.tasks.id)
    if not state.seq:
        begin = project.place.invocation.command("run")
        print(f"Nothing to resume: no run has begun here. Begin one with: {begin}", file=told)
        return 0
    open_tasks = [t for t in project.tasks.tasks if state.record(t.id).state not in FINAL]
    if not open_tasks and not flags.rerun_changed:
        print("Nothing to resume: every task has passed or was skipped.", file=told)
        return 0
    return run(project, _request(flags, fresh=False), SystemClock())


def look_ahead(tasks: Path | None, flags: RunFlags) -> int:
    """Print what a run would do; nothing is called, run or written."""
    project = open_project(tasks, flags.state_dir, flags.settings())
    for line in dry_run(project, SystemClock(), ignore_limits=flags.ignore_config_limits):
        print(line)
    return 0


def _request(flags: RunFlags, *, fresh: bool) -> RunRequest:
    if flags.junit is not None and flags.junit.is_dir():
        raise UsageError(f"--junit {flags.junit} is a folder", fix="name a file in it")
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
    )


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    value = seconds(text)
    if value is None:
        raise UsageError(f"--wait-max {text} is no time", fix="write it like 90s, 15m or 2h")
    return value
