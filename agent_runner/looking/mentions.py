"""Files of the tree that a text names: a task's description, a traceback, a check's output."""

import re
from collections.abc import Iterator

from attrs import frozen

from agent_runner.looking.arguments import AskError
from agent_runner.looking.files import Files

MOST = 30
_MOST_LINES = 8
_LONGEST = 200_000  # characters that are looked through
_PYTHON = re.compile(r'File "([^"\n]{1,400})", line (\d{1,9})')
_PLACED = re.compile(
    r"(?<![\w./@+-])([\w./@+-]++)(?:(?::|\()(\d{1,9})|::)"  # a.py:12, a.ts(12,5), test_a.py::test
)
_NAMED = re.compile(r"(?<![\w./@+-])([\w./@+-]++)")


@frozen
class Mention:
    """A file of the task that a text names; `lines`: those that it names there, in its order."""

    path: str
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        if not self.lines:
            return self.path
        word = "line" if len(self.lines) == 1 else "lines"
        return f"{self.path} ({word} {', '.join(map(str, self.lines[:_MOST_LINES]))})"


def mentioned(text: str, files: Files, *, with_lines: bool = True) -> tuple[Mention, ...]:
    """The files that the text names, in its order, at most 30; only ones that may be seen.

    `with_lines`: only where a line is named with them, or a test, as in output. Paths may be
    absolute, or those of another machine whose last parts are the same.
    """
    text = text[:_LONGEST]
    found: dict[str, list[int]] = {}
    for spelling, line in _places(text) if with_lines else _words(text):
        path = _in_tree(spelling, files)
        if path is not None and (path in found or len(found) < MOST):
            lines = found.setdefault(path, [])
            if line and line not in lines:
                lines.append(line)
    return tuple(Mention(path, tuple(lines)) for path, lines in found.items())


def _places(text: str) -> Iterator[tuple[str, int]]:
    places = [(m.start(), m[1], int(m[2])) for m in _PYTHON.finditer(text)]
    places += [(m.start(), m[1], int(m[2] or 0)) for m in _PLACED.finditer(text)]
    return ((spelling, line) for _, spelling, line in sorted(places))


def _words(text: str) -> Iterator[tuple[str, int]]:
    return ((match[1].rstrip("."), 0) for match in _NAMED.finditer(text))


def _in_tree(spelling: str, files: Files) -> str | None:
    """The file that is meant; of a path of another machine its last two parts at least count."""
    if len(spelling) > 400 or "." not in spelling:
        return None
    try:
        path = files.plain(spelling)
    except AskError:
        path = spelling.lstrip("/")
    parts = path.split("/")
    for at in range(max(1, len(parts) - 1)):
        rest = "/".join(parts[at:])
        if files.shows(rest):
            return rest
    return None
