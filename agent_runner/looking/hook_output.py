"""The tool `hook_output`: pages of what a check said last, of which prompts have an excerpt."""

import re
from collections.abc import Sequence

from agent_runner.ground.redaction import Redactor
from agent_runner.hooks.excerpt import printable
from agent_runner.looking.arguments import Argument, AskError, Given, Kind
from agent_runner.looking.files import Files, counted, shown
from agent_runner.looking.pages import MOST_LINES, page_of, paged, rows_of
from agent_runner.looking.read_file import LINES
from agent_runner.looking.tool import Said, Tool, ToolContext
from agent_runner.workspace.names import walked
from agent_runner.workspace.secrets import looks_secret

LONGEST = 8 << 20
"""Bytes of a log that are read, the last ones."""

_LONGEST_SECRET_FILE = 1 << 16
_MOST_SECRET_FILES = 200
_VALUE = re.compile(r"^[^=:]{1,80}[=:]\s*(.+)$")
_QUOTES = "\"' \t,;"


def _answer(context: ToolContext, given: Given) -> Said:
    hook = given.text("hook")
    read = context.hook_logs.get(hook)
    if read is None:
        known = ", ".join(context.hook_logs) or "none"
        raise AskError(
            f"{shown(hook)} has no output in this task; hooks that have: {known}.", "none"
        )
    try:
        raw = read()
    except OSError as error:  # a power cut, or somebody cleaned up: no reason to stop the run
        message = f"the output of {shown(hook)} is lost; what you were shown of it is all there is."
        raise AskError(message, "lost") from error
    cut = f"[its first {len(raw) - LONGEST:,} bytes are left out]" if len(raw) > LONGEST else ""
    text = Redactor(hidden_values(context.files)).text(printable(raw[-LONGEST:]))
    title = f"output of {shown(hook)[1:-1]}"
    rows = rows_of(text)
    if not rows:
        return Said(f"{title}: it printed nothing.", "nothing printed")
    if given.text("pattern"):
        return _matching(rows, given, title, cut)
    page = page_of(rows, given, context.room, title)
    return Said(paged(title, page, (cut,)), f"{page.last - page.first + 1} of {page.total} lines")


def _matching(rows: Sequence[str], given: Given, title: str, cut: str) -> Said:
    """Lines that hold a text: plain, for a regular expression could keep us for ever."""
    wanted = given.text("pattern").casefold()
    found = [(at, row.rstrip("\n")) for at, row in enumerate(rows, 1) if wanted in row.casefold()]
    if not found:
        where = counted(len(rows), "line")
        text = f"no line of the {title} holds {shown(given.text('pattern'))} ({where} in all)."
        return Said(text, "no match")
    lines = [f"{at:>5}: {row[:200]}" for at, row in found[: MOST_LINES // 4]]
    more = len(found) - len(lines)
    if more:
        lines.append(f"[{counted(more, 'more line')} not shown: ask with a longer text]")
    total = counted(len(found), "line")
    head = f"{title}: {total} with {shown(given.text('pattern'))} (read on with start_line)"
    return Said("\n".join([head, *lines, *filter(None, [cut])]), total)


def hidden_values(files: Files) -> tuple[str, ...]:
    """What stands in the files that are hidden: a check may print it.

    Each line, and what stands behind its `=` or `:`.
    """
    names = [name for name in walked(files.scope) if looks_secret(name) or files.hides(name)]
    values: set[str] = set()
    for name in names[:_MOST_SECRET_FILES]:
        try:
            path = files.root / name
            if (
                path.is_symlink()
                or not path.is_file()
                or path.stat().st_size > _LONGEST_SECRET_FILE
            ):
                continue
            text = path.read_text(encoding="utf-8", errors="strict")
        except (OSError, ValueError):
            continue
        for line in text.splitlines():
            value = _VALUE.match(line)
            values |= {line.strip(), value[1].strip(_QUOTES) if value else ""}
    return tuple(values - {""})


TOOL = Tool(
    "hook_output",
    "Read what a check printed when it ran last in this task, page by page. The messages show its"
    " beginning and its end only.",
    (
        Argument(
            "hook",
            Kind.TEXT,
            "The hook's id, as the messages name it.",
            required=True,
            aliases=("id", "name", "hook_id", "check"),
        ),
        *LINES,
        Argument(
            "pattern",
            Kind.TEXT,
            'Only lines that hold this text, for example "Error".',
            aliases=("query", "text", "grep", "search"),
        ),
    ),
    _answer,
)
