"""The tool `read_file`: a file's lines, raw and without numbers, so that they can be copied."""

import re

from agent_runner.looking.arguments import Argument, Given, Kind
from agent_runner.looking.files import Files, shown
from agent_runner.looking.pages import page_of, paged, rows_of
from agent_runner.looking.tool import Said, Tool, ToolContext

_LINES = re.compile(r"(?P<path>.+?)(?::|#L)(?P<first>\d{1,9})(?:-L?(?P<last>\d{1,9}))?", re.DOTALL)

PATH_NAMES = ("file_path", "file", "filename", "file_name", "target_file", "absolute_path", "name")
"""What other harnesses call the path of a file."""

LINES = (
    Argument(
        "start_line",
        Kind.NUMBER,
        "First line, from 1, for example 401.",
        aliases=("offset", "line_start", "start", "from_line", "line"),
    ),
    Argument(
        "end_line",
        Kind.NUMBER,
        "Last line, for example 800.",
        aliases=("line_end", "end", "to_line"),
    ),
)


def _answer(context: ToolContext, given: Given) -> Said:
    path, given = _place(context.files, given)
    rows = rows_of(context.files.text(path))
    drafted = " (with your drafts)" if path in context.files.drafts else ""
    if not rows:
        return Said(f"{shown(path)} is empty (0 bytes){drafted}.", "empty")
    page = page_of(rows, given, context.room, shown(path))
    title = f"{shown(path)[1:-1]}{drafted}"
    lines = f"{page.last - page.first + 1} of {page.total} lines"
    return Said(paged(title, page), lines)


def _place(files: Files, given: Given) -> tuple[str, Given]:
    """The file that is meant, and the lines, which may stand behind its path: `a.py:10-80`."""
    path = files.plain(given.text("path"))
    if files.shows(path):
        return path, given
    found = _LINES.fullmatch(path)
    if found and files.shows(found["path"]):
        lines = {"start_line": int(found["first"])}
        if found["last"]:
            lines["end_line"] = int(found["last"])
        return found["path"], Given({**lines, **given.values}, given.ignored)
    raise files.missing(path)


def _brief(given: Given) -> str:
    lines = [given.text("start_line"), given.text("end_line")]
    return f"{given.text('path')} {'-'.join(lines)}".removesuffix(" -")


TOOL = Tool(
    "read_file",
    "Read a text file of the task, or some of its lines. At most 400 lines or 24,000 characters at"
    " a time; the answer says how to go on. The text is shown as it stands, without line numbers,"
    " with the changes that you have drafted so far. Search first where you do not know the place,"
    " and ask for several files in one reply.",
    (
        Argument(
            "path",
            Kind.TEXT,
            "Path relative to the task's folder, as list_files and search show it.",
            required=True,
            aliases=PATH_NAMES,
        ),
        *LINES,
    ),
    _answer,
    brief=_brief,
)
