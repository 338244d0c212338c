"""The tool `run_check`: one of the task's checks, run on a copy with the drafts in it.

What runs it is handed in: this room starts nothing of the user's.
"""

from agent_runner.looking.arguments import Argument, AskError, Given, Kind
from agent_runner.looking.tool import Said, Tool, ToolContext


def _answer(context: ToolContext, given: Given) -> Said:
    if context.check is None:
        raise AskError("no check can be run here.", "no checks")
    return context.check(given.text("hook"), context.files.drafts)


TOOL = Tool(
    "run_check",
    "Run one of the checks on a copy of the files with your drafts in it. The answer has its exit"
    " code and the head and tail of its output; hook_output does not show it.",
    (
        Argument(
            "hook",
            Kind.TEXT,
            "The check's id, as the task names it.",
            required=True,
            aliases=("check", "name", "id"),
        ),
    ),
    _answer,
    looks=False,
)
