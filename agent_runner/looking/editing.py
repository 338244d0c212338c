"""The tools that edit, in memory: what a draft fits is said at once, and nothing is written.

They match, jail and refuse as the edits in a reply's text do: it is the same code.
"""

import os

from agent_runner.edits.edit import Alter, Delete, Move, Write
from agent_runner.edits.parse import parse_reply
from agent_runner.ground.beneath import Refusal
from agent_runner.looking.arguments import Argument, AskError, Given, Kind
from agent_runner.looking.drafts import Fits, Misfit
from agent_runner.looking.files import shown
from agent_runner.looking.read_file import PATH_NAMES
from agent_runner.looking.tool import Said, Tool, ToolContext

_PATH = Argument(
    "path",
    Kind.TEXT,
    "Path relative to the task's folder.",
    required=True,
    aliases=(*PATH_NAMES, "old_path", "source", "from", "from_path"),
)
_MORE = "It is drafted, and written with all your other changes when you reply without any call."


def _edit(context: ToolContext, given: Given) -> Said:
    path, old = context.files.plain(given.text("path")), given.text("old_text")
    _check(context, path, is_new=not old)
    if context.files.shows(path):
        context.files.text(path)  # of a file that may not be read no line is quoted either
    return _said(context, context.drafts.replace(path, old, given.text("new_text")))


def _delete(context: ToolContext, given: Given) -> Said:
    path = context.files.plain(given.text("path"))
    _check(context, path)
    return _said(context, context.drafts.delete(path))


def _move(context: ToolContext, given: Given) -> Said:
    path, to = context.files.plain(given.text("path")), context.files.plain(given.text("to"))
    _check(context, path)
    _check(context, to, is_new=True)
    context.files.check_move(path)
    return _said(context, context.drafts.move(path, to))


def _patch(context: ToolContext, given: Given) -> Said:
    text, made = given.text("patch"), set[str]()
    for edit in parse_reply(text).edits:
        if not isinstance(edit, Alter | Delete | Move | Write) or edit.path in made:
            continue
        path = context.files.plain(edit.path)
        _check(context, path, is_new=isinstance(edit, Write))
        made.add(edit.path)
        if isinstance(edit, Alter | Write) and context.files.shows(path):
            context.files.text(path)
        if isinstance(edit, Move):
            _check(context, context.files.plain(edit.to), is_new=True)
            context.files.check_move(path)
            made.add(edit.to)
    return _said(context, context.drafts.patch(text))


def _check(context: ToolContext, path: str, *, is_new: bool = False) -> None:
    """Refuse what may not be changed, and what the agent may not see: a misfit quotes the file.

    `is_new`: there need not be anything.
    """
    passed = context.gate.passes(path)
    if isinstance(passed, Refusal):
        raise AskError(f"{shown(path)}: not allowed: {passed.reason}.", "not allowed")
    if context.files.shows(path):
        return
    try:
        is_there = os.path.lexists(context.files.root / path) and path not in context.files.drafts
    except ValueError:
        is_there = False
    if is_there or not is_new:
        raise context.files.missing(path)


def _said(context: ToolContext, outcome: Fits | Misfit) -> Said:
    if isinstance(outcome, Misfit):
        first = outcome.text.partition("\n")[0]
        return Said(f"does not fit: {outcome.text}", f"does not fit: {first}", is_error=True)
    context.files.changed()
    if not outcome.paths:
        return Said(f"nothing to do: {outcome.text}.", "stands already")
    return Said(f"fits: {outcome.text}.", outcome.text)


def _brief(given: Given) -> str:
    return given.text("path")


EDIT_FILE = Tool(
    "edit_file",
    "Put a text in place of another one in a file, or make a new file. The answer says at once"
    f" whether it fits, and if not, what stands there instead. {_MORE}",
    (
        _PATH,
        Argument(
            "old_text",
            Kind.PROSE,
            "The text to replace, copied from the file with its indentation; it must stand there"
            ' exactly once. "" for a new file.',
            required=True,
            aliases=("old_string", "old_str", "old", "search"),
        ),
        Argument(
            "new_text",
            Kind.PROSE,
            "The text that takes its place.",
            required=True,
            aliases=("new_string", "new_str", "new", "replace", "content", "file_text"),
        ),
    ),
    _edit,
    looks=False,
    drafts=True,
    brief=_brief,
)
DELETE_FILE = Tool(
    "delete_file",
    f"Delete a file. {_MORE}",
    (_PATH,),
    _delete,
    looks=False,
    drafts=True,
    brief=_brief,
)
MOVE_FILE = Tool(
    "move_file",
    f"Move or rename a file; nothing may stand at its new path. {_MORE}",
    (
        _PATH,
        Argument(
            "to",
            Kind.TEXT,
            "The new path, relative to the task's folder.",
            required=True,
            aliases=("new_path", "destination", "target", "to_path"),
        ),
    ),
    _move,
    looks=False,
    drafts=True,
)
APPLY_PATCH = Tool(
    "apply_patch",
    "Change files by a patch: `*** Begin Patch`, then for each file `*** Add File: PATH` with lines"
    " that begin with `+`, `*** Update File: PATH` (and `*** Move to: PATH`) with hunks (`@@`, then"
    " lines that begin with a space, `-` or `+`), or `*** Delete File: PATH`, and `*** End Patch`."
    " Paths are relative to the task's folder. All of it fits or nothing; the answer says at once"
    f" what does not, and what stands there instead. {_MORE}",
    (
        Argument(
            "patch",
            Kind.PROSE,
            "The patch, from `*** Begin Patch` to `*** End Patch`.",
            required=True,
            aliases=("input", "patch_text", "diff", "text"),
        ),
    ),
    _patch,
    looks=False,
    drafts=True,
    brief=lambda given: ", ".join(edit.path for edit in parse_reply(given.text("patch")).edits),
    grammar=r"""start: begin_patch hunk+ end_patch
begin_patch: "*** Begin Patch" LF
end_patch: "*** End Patch" LF?

hunk: add_hunk | delete_hunk | update_hunk
add_hunk: "*** Add File: " filename LF add_line+
delete_hunk: "*** Delete File: " filename LF
update_hunk: "*** Update File: " filename LF change_move? change?

filename: /(.+)/
add_line: "+" /(.*)/ LF -> line

change_move: "*** Move to: " filename LF
change: (change_context | change_line)+ eof_line?
change_context: ("@@" | "@@ " /(.+)/) LF
change_line: ("+" | "-" | " ") /(.*)/ LF
eof_line: "*** End of File" LF

%import common.LF
""",
)
