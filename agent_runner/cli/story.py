"""`agent-runner why` and `log`: what happened to one task, in short and word by word."""

from typing import TYPE_CHECKING, Annotated

import typer

from agent_runner.cli.options import Json, StateDir, TaskId, TasksOption
from agent_runner.cli.output import drawn, is_drawing, print_object, print_parts
from agent_runner.cli.paging import NoPager, page, page_parts

if TYPE_CHECKING:
    from agent_runner.app.conversation_log import ConversationLog


def why(
    task: TaskId,
    json: Json = False,
    no_pager: NoPager = False,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
) -> int:
    """Tell a task's story: what was tried, failed, changed and decided, and what it cost."""
    from agent_runner.app.overview import of_list, read_list
    from agent_runner.app.place import require_task
    from agent_runner.cli.project import surroundings
    from agent_runner.store.store import read_entries

    known = read_list(tasks, state_dir, surroundings())
    require_task(task, known.tasks)
    entries = read_entries(known.place.state_dir)
    if json:
        from agent_runner.ui.status import why_object

        return print_object(why_object(of_list(known).tally, task, entries))
    from agent_runner.ui.narration import why_lines, why_log

    title = known.tasks[task].title
    if is_drawing():
        return page(drawn(why_log(task, title, entries)), no_pager=no_pager)
    return print_parts(why_lines(task, title, entries))


def log(
    task: TaskId,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until the run ends.")
    ] = False,
    no_pager: NoPager = False,
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
    page_parts(conversation.news(), no_pager=no_pager or follow)
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
