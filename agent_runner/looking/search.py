"""The tool `search`: a regular expression over the files, with a limit that can be enforced.

It is Python's own `re` everywhere. ripgrep would be at most two or three times as quick, takes no
list of files, follows links that it is handed, and reads other expressions, so that what a model
finds would depend on what is installed.
"""

import re
from functools import lru_cache

from agent_runner.ground.escaping import on_one_line
from agent_runner.looking.arguments import Argument, AskError, Given, Kind
from agent_runner.looking.files import Files, counted, shown
from agent_runner.looking.search_run import (
    FILES_OF_A_PART,
    MOST_FILES,
    MOST_LINES,
    Found,
    Request,
    searched,
)
from agent_runner.looking.tool import Said, Tool, ToolContext
from agent_runner.workspace.reading import MAX_BYTES
from agent_runner.workspace.secrets import PRIVATE_KEY, may_hold_token

MOST_IN_FILE = 20
LONGEST_LINE = 200
MOST_CONTEXT = 3
MOST_FILES_FOR_WORDS = FILES_OF_A_PART - 1
LIMIT_FOR_WORDS = 3.0

_WORD = re.compile(r"\w{3,60}")
_FOOTER = 700  # characters kept free for what is said below the matches


def _answer(context: ToolContext, given: Given) -> Said:
    pattern = given.text("pattern")
    if not pattern:
        raise AskError("`pattern` is empty; list_files lists files.", "no pattern")
    where = given.text("path", ".") or "."
    files = _readable(context.files, tuple(context.files.selected(where)))
    request = _request(context.files, files, given)
    found = searched(request, context.search_limit)
    if found.wrong:
        hint = "" if given.flag("literal") else "; set literal to search for the text as it stands"
        message = f"{_quoted(pattern)} is no regular expression of Python's: {found.wrong}{hint}."
        raise AskError(message, "bad pattern")
    asked = _quoted(pattern) + (f" in {shown(where)[1:-1]}" if where != "." else "")
    if not found.matches:
        return _none(asked, request, found, context.search_limit)
    total = f"{counted(found.matches, 'match')} in {counted(found.in_files, 'file')}"
    lines, notes = _lines(found, context.room - _FOOTER)
    lines = [f"{asked}: {total}", *lines, *notes, *_left_out(found, files, context.search_limit)]
    return Said("\n".join(lines), total if found.done else f"{total}, stopped")


def _none(asked: str, request: Request, found: Found, limit: float) -> Said:
    """Never an empty answer: a word that stands nowhere is perhaps misspelt."""
    files: list[str] = request["files"]
    near: tuple[str, ...] = ()
    if found.done and _WORD.fullmatch(request["pattern"]):
        few = {**request, "files": files[:MOST_FILES_FOR_WORDS], "near": True}
        near = tuple(searched(few, min(limit, LIMIT_FOR_WORDS)).near)
    hint = f"; did you mean {', '.join(map(shown, near))}?" if near else "."
    text = f"no match for {asked} in {counted(len(files), 'file')}{hint}"
    return Said("\n".join([text, *_left_out(found, files, limit)]), "no match")


def _readable(files: Files, names: tuple[str, ...]) -> list[str]:
    """The files without those where tools keep tokens and that hold one.

    Others are judged when something is found in them.
    """
    unreadable = set()
    for path in _with_tokens(names):
        try:
            files.text(path)
        except AskError:
            unreadable.add(path)
    return [path for path in names if path not in unreadable]


@lru_cache(maxsize=4)
def _with_tokens(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(filter(may_hold_token, names))


def _request(files: Files, names: list[str], given: Given) -> Request:
    chosen = set(names) & files.drafts.keys()
    return {
        "root": str(files.root),
        "files": names,
        "drafts": {path: _drafted(files, path) for path in chosen},
        "pattern": given.text("pattern"),
        "literal": given.flag("literal"),
        "ignore_case": given.flag("ignore_case"),
        "context": max(0, min(given.number("context") or 0, MOST_CONTEXT)),
        "hidden": PRIVATE_KEY.pattern,
        "largest": MAX_BYTES,
        "most_lines": MOST_LINES,
        "most_in_file": MOST_LINES if len(names) == 1 else MOST_IN_FILE,
        "most_files": MOST_FILES,
        "longest": LONGEST_LINE,
    }


def _drafted(files: Files, path: str) -> str:
    try:
        return files.text(path)
    except AskError:
        return ""


def _lines(found: Found, room: int) -> tuple[list[str], list[str]]:
    """The matches by file, then files with counts; and what is left out of that."""
    lines: list[str] = []
    shown_matches = listed = 0
    for one in found.files:
        name = on_one_line(one["file"])
        rows = one.get("lines", ())
        matches = sum(is_match for _, _, is_match in rows)
        more = one["count"] - matches
        block = [f"{name} ({one['count']})"] if not rows else [name + _more(more, one["file"])]
        block += [f"{at:>5}{':' if hit else '-'} {_printable(row)}" for at, row, hit in rows]
        room -= sum(map(len, block)) + len(block)
        if room < 0 and lines:
            break
        lines += block
        shown_matches += matches if rows else one["count"]
        listed += 1
    more_files = found.in_files - listed
    if more_files <= 0:
        return lines, []
    left = counted(more_files, "more file")
    return lines, [f"[matches in {left} not shown: narrow it with path or a longer pattern]"]


def _more(count: int, path: str) -> str:
    return f'  [{count} more here: ask with path "{on_one_line(path)}"]' if count else ""


def _left_out(found: Found, files: list[str], limit: float) -> list[str]:
    notes = []
    if found.skipped:
        have = "it is" if found.skipped == 1 else "they are"
        what = counted(found.skipped, "file")
        notes.append(f"[{what} not searched: {have} no UTF-8 text, too large, or a link]")
    if not found.done:
        seen, total = found.searched, counted(len(files), "file")
        notes.append(
            f"[stopped after {limit:g} s, with {seen:,} of {total} searched: narrow it with path,"
            " or simplify the pattern]"
        )
    return notes


def _printable(row: str) -> str:
    return row if row.replace("\t", "").isprintable() else on_one_line(row.replace("\t", "    "))


def _quoted(pattern: str) -> str:
    return f'"{on_one_line(pattern[:200])}"'


def _brief(given: Given) -> str:
    return f"{_quoted(given.text('pattern'))} {given.text('path')}".strip()


TOOL = Tool(
    "search",
    "Search the files of the task, line by line, for a regular expression (Python's). Shows at most"
    " 50 lines with their numbers, then the counts of 30 more files. Your drafts are searched, too."
    " Search before you read: for the definition, for its callers, for its tests.",
    (
        Argument(
            "pattern",
            Kind.TEXT,
            'A regular expression, for example "def parse_\\\\w+" or "class Config\\\\b".',
            required=True,
            aliases=("query", "regex", "q", "search_term", "text"),
        ),
        Argument(
            "path",
            Kind.TEXT,
            'File, folder or glob to search in, for example "**/*.py"; all if not given.',
            aliases=(
                *("file_path", "file", "dir", "directory", "folder", "dir_path"),
                *("glob", "include", "include_pattern", "file_pattern"),
            ),
        ),
        Argument(
            "ignore_case",
            Kind.FLAG,
            "true: upper and lower case are the same.",
            aliases=("case_insensitive", "i"),
        ),
        Argument(
            "literal",
            Kind.FLAG,
            "true: the pattern is the text itself.",
            aliases=("fixed_strings", "is_literal", "literal_text"),
        ),
        Argument(
            "context",
            Kind.NUMBER,
            "Lines shown above and below each match, 0 to 3.",
            aliases=("context_lines", "lines_of_context", "c"),
        ),
    ),
    _answer,
    brief=_brief,
)
