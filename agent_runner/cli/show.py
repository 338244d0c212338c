"""`agent-runner status`, `plan` and `usage`: where all tasks stand, without changing anything."""

import enum
import gc
from typing import TYPE_CHECKING, Annotated

import typer

from agent_runner.cli.options import Json, StateDir, TasksOption
from agent_runner.cli.output import is_drawing, print_object, print_parts, warn
from agent_runner.cli.project import has_person

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_runner.app.overview import Overview


class By(enum.StrEnum):
    """What the rows of `usage` stand for."""

    TASK = "task"
    MODEL = "model"
    DAY = "day"


class Shown(enum.StrEnum):
    """The states that `status` can be asked for, in the words of the screen or of the list."""

    PENDING = "pending"
    RUNNING = "running"
    STOPPED = "stopped"
    PASSED = "passed"
    FAILED = "failed"
    ESCALATED = "escalated"
    SKIPPED = "skipped"


def status(
    state: Annotated[
        list[Shown] | None,
        typer.Option(
            "--state",
            metavar="|".join(Shown),
            help="Only tasks in this state; may be given again. escalated is failed.",
            show_default=False,
        ),
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only tasks that need a person.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Draw it anew until the run that is on ends.")
    ] = False,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
    json: Json = False,
) -> int:
    """Show every task's state, what holds it up, and how full the limits are.

    Works while a run is going on.
    """
    from agent_runner.app import overview
    from agent_runner.cli.project import surroundings
    from agent_runner.model.errors import UsageError

    here = surroundings()
    wanted = frozenset([*(state or ()), *([Shown.FAILED] if failed else [])])
    wanted = frozenset("failed" if one is Shown.ESCALATED else one.value for one in wanted)
    if watch:
        return _watch(lambda: overview.read(tasks, state_dir, here), wanted, json=json)
    gc.disable()  # all that is read is shown, and then the process ends
    try:
        view = overview.read(tasks, state_dir, here)
    except UsageError:
        _show_without_list(overview.without_list(tasks, state_dir, here), json=json)
        raise
    warn(view.warnings)
    if json:
        return print_object(overview.status_object(view, wanted))
    return print_parts(overview.status_parts(view, wanted))


def _watch(read: "Callable[[], Overview]", wanted: frozenset[str], *, json: bool) -> int:
    from agent_runner.app.overview import status_parts
    from agent_runner.model.errors import UsageError

    if json or not is_drawing():
        fix = "to follow a run from a program, use run --json, or status --json again and again"
        raise UsageError("--watch draws on a terminal", fix=fix)
    from agent_runner.cli.watching import watch

    return watch(read, lambda view: status_parts(view, wanted))


def _show_without_list(view: "Overview", *, json: bool) -> None:
    from agent_runner.app.overview import known_object
    from agent_runner.ui.tables import status_table

    if json:
        print_object(known_object(view))
    elif view.state.tasks:
        print_parts((status_table(view.tally), view.tally.closing_line()))


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
