"""The tool `list_files`: what there is, with sizes; deep folders as a count of their files."""

from collections import Counter
from collections.abc import Sequence

from agent_runner.ground.escaping import on_one_line
from agent_runner.ground.globs import is_plain
from agent_runner.looking.arguments import Argument, Given, Kind
from agent_runner.looking.files import Files, counted, shown
from agent_runner.looking.read_file import PATH_NAMES
from agent_runner.looking.tool import Said, Tool, ToolContext

MOST_LINES = 200
_DEEPEST = 64


def _answer(context: ToolContext, given: Given) -> Said:
    files, spelling = context.files, given.text("path", ".") or "."
    names = files.selected(spelling)
    if not names:
        return Said("The task's folder has no files yet.", "no files")
    base = files.plain(spelling)
    is_folder = base == "." or (is_plain(base) and not files.shows(base))
    depth = given.number("depth")
    wanted = max(1, min(2 if depth is None else depth, _DEEPEST))
    prefix = "" if base == "." or not is_folder else f"{base}/"
    lines, depth_shown = _lines(names, prefix, wanted if is_folder else _DEEPEST)
    fitting = _fitting(files, lines[:MOST_LINES], context.room)
    asked = shown(spelling)[1:-1]
    how = f", {counted(depth_shown, 'folder')} deep" if is_folder else ""
    title = f"{asked}: {counted(len(names), 'file')}{how} (sizes in bytes)"
    notes = []
    if is_folder and depth_shown < wanted:
        notes.append(f"[too many for depth {wanted}: ask with the path of a folder]")
    if len(fitting) < len(lines):
        more = counted(len(lines) - len(fitting), "line")
        rest = lines[len(fitting)][0].rstrip("/")
        glob = on_one_line(f"{prefix or './'}{rest[len(prefix) :][:2]}*")
        notes.append(
            f'[{more} not shown, from {shown(rest)} on: ask with a glob in path, such as "{glob}"]'
        )
    return Said("\n".join([title, *fitting, *notes]), counted(len(names), "file"))


def _lines(names: Sequence[str], prefix: str, depth: int) -> tuple[list[tuple[str, int]], int]:
    """Files and folders (ending in `/`) with how many files they stand for, and how deep they go.

    Where there are too many, folders are closed, the deepest first.
    """
    while True:
        counts: Counter[str] = Counter()
        for name in names:
            parts = name[len(prefix) :].split("/", depth)
            is_file = len(parts) <= depth
            counts[name if is_file else f"{prefix}{'/'.join(parts[:depth])}/"] += 1
        if len(counts) <= MOST_LINES or depth == 1:
            return list(counts.items()), depth
        depth = min(depth, max(n[len(prefix) :].rstrip("/").count("/") + 1 for n in counts)) - 1
        depth = max(1, depth)


def _fitting(files: Files, lines: Sequence[tuple[str, int]], room: int) -> list[str]:
    fitting: list[str] = []
    left = room - 600  # the title and the notes
    for path, count in lines:
        name = on_one_line(path)
        size = f"({counted(count, 'file')})" if path.endswith("/") else f" {files.size(path)}"
        line = f"{name} {size}" + " (drafted)" * (path in files.drafts)
        left -= len(line) + 1
        if left < 0 and fitting:
            break
        fitting.append(line)
    return fitting


TOOL = Tool(
    "list_files",
    "List the files of the task: a folder down to some depth, deeper folders with the number of"
    " their files, or all files that match a glob. At most 200 lines. Files that git ignores and"
    " files that may hold secrets are not there.",
    (
        Argument(
            "path",
            Kind.TEXT,
            'Folder or glob, for example "**/*_test.py"; "." for all.',
            aliases=("folder", "dir", "directory", "dir_path", "glob", "pattern", *PATH_NAMES),
        ),
        Argument(
            "depth",
            Kind.NUMBER,
            "How many folders deep, for example 3; 2 if not given.",
            aliases=("max_depth", "levels"),
        ),
    ),
    _answer,
)
