"""All tools there are, and which of them are offered."""

from attrs import frozen

from agent_runner.looking import (
    editing,
    git_diff,
    git_log,
    hook_output,
    list_files,
    read_file,
    run_check,
    search,
)
from agent_runner.looking.tool import Tool
from agent_runner.model.agent import ToolSpec
from agent_runner.model.settings import EditFormat

TOOLS = {
    tool.name: tool
    for tool in (
        *(list_files.TOOL, read_file.TOOL, search.TOOL, run_check.TOOL),
        *(git_diff.TOOL, git_log.TOOL, hook_output.TOOL),
        *(editing.EDIT_FILE, editing.DELETE_FILE, editing.MOVE_FILE, editing.APPLY_PATCH),
    )
}
"""By name. A new tool is a file with its `TOOL`, and a word here."""


_EDITING = {
    EditFormat.REPLACE: ("delete_file", "edit_file", "move_file"),
    EditFormat.PATCH: ("apply_patch",),
}
"""The tools by which a model edits; in the other formats it does so in the text of its reply."""


@frozen
class Offer:
    """What is offered in a conversation; the same for all of its turns, for the caches' sake.

    `git`: there is a repository. `hooks`: there is a hook whose log can be read. `checks`: there is
    one that the model may run itself.
    """

    edits: EditFormat = EditFormat.BLOCKS
    git: bool = False
    hooks: bool = False
    checks: bool = False

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools, sorted by name."""
        names = {"list_files", "read_file", "search", *_EDITING.get(self.edits, ())}
        names |= {"git_diff", "git_log"} if self.git else set()
        names |= {"hook_output"} if self.hooks else set()
        names |= {"run_check"} if self.checks else set()
        return tuple(TOOLS[name] for name in sorted(names & TOOLS.keys()))


def specs(offer: Offer) -> tuple[ToolSpec, ...]:
    """The tools as they are offered to a model, sorted by name; their texts never vary."""
    return tuple(tool.spec for tool in offer.tools)
