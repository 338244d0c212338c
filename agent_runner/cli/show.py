"""`agent-runner status`, `plan` and `usage`: where all tasks stand, without changing anything."""

import enum
import gc
from typing import Annotated

import typer

from agent_runner.cli.options import Json, StateDir, TasksOption
from agent_runner.cli.output import print_object, print_parts, warn
from agent_runner.cli.project import has_person


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
    from agent_runner.ui.tables import status_table

    gc.disable()  # all that is read is shown, and then the process ends
    here = surroundings()
    try:
        view = overview.read(tasks, state_dir, here)
    except UsageError:
        view = overview.without_list(tasks, state_dir, here)
        if json:
            print_object(overview.known_object(view))
        elif view.state.tasks:
            print_parts((status_table(view.tally), view.tally.closing_line()))
        raise
    warn(view.warnings)
    if json:
        return print_object(overview.status_object(view))
    return print_parts(overview.status_parts(view))


def plan(tasks: TasksOption = None, state_dir: StateDir = None, json: Json = False) -> int:
    """Show which of the remaining tasks fit into the limits now, and when the rest could run."""
    from agent_runner.app.forecast import forecast, plan_lines, plan_object
    from agent_runner.cli.project import open_project
    from agent_runner.ground.clock import SystemClock
    from agent_runner.store.store import read_state

    project = open_project(tasks, state_dir)
    state, warnings = read_state(project.place.state_dir, project.tasks.id)
    warn(warnings)
    ahead = forecast(project, state, SystemClock(), can_ask=has_person())
    if json:
        return print_object(plan_object(ahead))
    return print_parts(plan_lines(ahead, project.place.invocation))


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
    warn(view.warnings)
    if json:
        return print_object(overview.usage_object(view, by.value))
    return print_parts(overview.usage_parts(view, by.value))
