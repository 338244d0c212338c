"""`agent-runner status`, `plan`, `usage`, `why` and `debug`: look without changing anything."""

import enum
import json as json_text
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_runner.cli.options import Json, OptionalTaskId, StateDir, TaskId, TasksOption

if TYPE_CHECKING:
    from agent_runner.app.overview import Part


class By(enum.StrEnum):
    """What the rows of `usage` stand for."""

    TASK = "task"
    MODEL = "model"
    DAY = "day"


def status(tasks: TasksOption = None, state_dir: StateDir = None, json: Json = False) -> int:
    """Show every task's state, what holds it up, and how full the limits are.

    Works while a run is going on.
    """
    from agent_runner.app import overview
    from agent_runner.cli.project import surroundings
    from agent_runner.model.errors import UsageError
    from agent_runner.ui import inspection
    from agent_runner.ui.tables import status_table

    here = surroundings()
    try:
        view = overview.read(tasks, state_dir, here)
    except UsageError:
        tally, state = overview.without_list(tasks, state_dir, here)
        if json:
            _print_object(inspection.status_object(tally, state))
        elif state.tasks:
            _print_parts((status_table(tally), tally.closing_line()))
        raise
    _warn(view.warnings)
    if json:
        return _print_object(overview.status_object(view))
    return _print_parts(overview.status_parts(view))


def plan(tasks: TasksOption = None, state_dir: StateDir = None, json: Json = False) -> int:
    """Show which of the remaining tasks fit into the limits now, and when the rest could run."""
    from agent_runner.app import overview
    from agent_runner.app.forecast import forecast, plan_lines, plan_object
    from agent_runner.cli.project import surroundings
    from agent_runner.ground.clock import SystemClock

    view = overview.read(tasks, state_dir, surroundings())
    _warn(view.warnings)
    ahead = forecast(view.project, view.state, SystemClock(), can_ask=_can_ask())
    if json:
        return _print_object(plan_object(ahead))
    return _print_parts(plan_lines(ahead, view.project.place.invocation))


def usage(
    by: Annotated[
        By, typer.Option("--by", metavar="task|model|day", help="What each row stands for.")
    ] = By.TASK,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
    json: Json = False,
) -> int:
    """Show calls, tokens and cost by task, model or day, and how full each limit is."""
    from agent_runner.app import overview
    from agent_runner.cli.project import surroundings

    view = overview.read(tasks, state_dir, surroundings())
    _warn(view.warnings)
    if json:
        return _print_object(overview.usage_object(view, by.value))
    return _print_parts(overview.usage_parts(view, by.value))


def why(task: TaskId, tasks: TasksOption = None, state_dir: StateDir = None) -> int:
    """Tell a task's story: what was tried, failed, changed and decided, and what it cost."""
    from agent_runner.cli.project import open_project
    from agent_runner.store.store import read_entries
    from agent_runner.ui.narration import why_lines

    project = open_project(tasks, state_dir)
    title = project.task(task).title
    return _print_parts(why_lines(task, title, read_entries(project.place.state_dir)))


def debug_state(
    task: OptionalTaskId = None,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
    json: Json = False,
) -> int:
    """Print the run, each task's state and counts, and the transitions taken with their times.

    With a TASK: that one's, with hook results and changed files.
    """
    from agent_runner.app import overview
    from agent_runner.cli.project import open_project
    from agent_runner.model.errors import JournalDamagedError

    project, damage = open_project(tasks, state_dir), None
    if task is not None:
        project.task(task)
    try:
        view = overview.of_project(project)
    except JournalDamagedError as error:
        view, damage = overview.before_damage(project), error
    _warn(view.warnings)
    if json:
        _print_object(overview.inspection_object(view, task))
    else:
        _print_parts(overview.inspection_parts(view, task))
    if damage is not None:
        raise damage
    return 0


def debug_machine() -> int:
    """Print the state machine as a Mermaid diagram."""
    from agent_runner.engine.diagram import mermaid

    print(mermaid(), end="")
    return 0


def debug_prompt(task: TaskId, tasks: TasksOption = None, state_dir: StateDir = None) -> int:
    """Print what would be sent to the agent for a task now. Nothing is called or written."""
    from agent_runner.app.forecast import next_prompt
    from agent_runner.cli.project import open_project
    from agent_runner.ground.clock import SystemClock

    project = open_project(tasks, state_dir)
    prompt = next_prompt(project, task, SystemClock(), can_ask=_can_ask())
    print(f"# system\n\n{prompt.system.strip()}")
    for message in prompt.messages:
        print(f"\n# {message.role}\n\n{message.text.strip()}")
    return 0


def _can_ask() -> bool:
    """Whether a run from here would have a person to ask.

    By stdin alone: what is shown here may well go through a pager or into a file.
    """
    return sys.stdin.isatty()


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)


def _print_object(content: dict[str, Any]) -> int:
    print(json_text.dumps(content, ensure_ascii=False, indent=2, default=str))
    return 0


def _print_parts(parts: "Iterable[Part]") -> int:
    """Print lines as they are; tables coloured and fitted to a terminal, in full to a pipe."""
    from agent_runner.ui.output import Output, can_draw

    drawing = can_draw(sys.stdout, os.environ)
    for part in parts:
        if isinstance(part, str):
            print(part)
        elif drawing:
            from agent_runner.ui.painting import Painter

            print("\n".join(Painter(Output(sys.stdout), os.environ).table(part)))
        else:
            print("\n".join(part.lines()))
    return 0
