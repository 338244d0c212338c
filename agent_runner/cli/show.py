"""`agent-runner status`, `plan`, `usage`, `why` and `debug`: look without changing anything."""

import enum
import gc
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from agent_runner.cli.options import Json, OptionalTaskId, StateDir, TaskId, TasksOption
from agent_runner.cli.output import print_object, print_parts, say, warn

if TYPE_CHECKING:
    from agent_runner.app.conversation_log import ConversationLog


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
    ahead = forecast(project, state, SystemClock(), can_ask=_can_ask())
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


def why(task: TaskId, tasks: TasksOption = None, state_dir: StateDir = None) -> int:
    """Tell a task's story: what was tried, failed, changed and decided, and what it cost."""
    from agent_runner.app.overview import read_list
    from agent_runner.app.place import require_task
    from agent_runner.cli.project import surroundings
    from agent_runner.store.store import read_entries
    from agent_runner.ui.narration import why_lines

    known = read_list(tasks, state_dir, surroundings())
    require_task(task, known.tasks)
    entries = read_entries(known.place.state_dir)
    return print_parts(why_lines(task, known.tasks[task].title, entries))


def log(
    task: TaskId,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until the run ends.")
    ] = False,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
) -> int:
    """Show a task's conversation with its agent: prompts, looks, words, drafts and failures."""
    from agent_runner.app.conversation_log import ConversationLog
    from agent_runner.app.overview import read_list
    from agent_runner.app.place import require_task
    from agent_runner.cli.project import surroundings

    known = read_list(tasks, state_dir, surroundings())
    require_task(task, known.tasks)
    conversation = ConversationLog(known.place.state_dir, task)
    print_parts(conversation.news())
    if follow:
        _follow(conversation)
    return 0


def _follow(conversation: "ConversationLog") -> None:
    """Print what comes until nothing more does; Ctrl+C ends it."""
    import anyio

    from agent_runner.ground.clock import SystemClock

    async def news() -> None:
        while not conversation.ended:
            await SystemClock().sleep(_LOOKS_EVERY)
            print_parts(conversation.news())

    anyio.run(news)


_LOOKS_EVERY = 0.5
"""Seconds between two looks at a journal that is followed."""


def debug_state(
    task: OptionalTaskId = None,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
    json: Json = False,
) -> int:
    """Print the run, each task's state and counts, and the transitions taken with their times.

    With a TASK: that one's, with hook results and changed files.
    """
    from agent_runner.app.inspection import inspect, inspection_object, inspection_parts
    from agent_runner.app.overview import read_list
    from agent_runner.app.place import require_task
    from agent_runner.cli.project import surroundings

    known = read_list(tasks, state_dir, surroundings())
    if task is not None:
        require_task(task, known.tasks)
    seen = inspect(known)
    warn(seen.warnings)
    if json:
        print_object(inspection_object(seen, task))
    else:
        print_parts(inspection_parts(seen, task))
    if seen.damage is not None:
        raise seen.damage
    return 0


def debug_machine() -> int:
    """Print the state machine as a Mermaid diagram."""
    from agent_runner.engine.diagram import mermaid

    print(mermaid(), end="")  # noqa: T201  # ours alone: it quotes nobody
    return 0


def debug_prompt(task: TaskId, tasks: TasksOption = None, state_dir: StateDir = None) -> int:
    """Print what would be sent to the agent for a task now. Nothing is called or written."""
    from agent_runner.app.conversation_log import message_lines
    from agent_runner.app.forecast import next_prompt
    from agent_runner.cli.project import open_project
    from agent_runner.ground.clock import SystemClock

    project = open_project(tasks, state_dir)
    prompt = next_prompt(project, task, SystemClock(), can_ask=_can_ask())
    say(f"# system\n\n{prompt.system.strip()}")
    for message in prompt.messages:
        for line in message_lines(message):
            say(line)
    if prompt.tools:
        say(f"\n# tools\n\n{', '.join(tool.name for tool in prompt.tools)}")
    return 0


def _can_ask() -> bool:
    """Whether a run from here would have a person to ask.

    By stdin alone: what is shown here may well go through a pager or into a file.
    """
    return sys.stdin.isatty()
