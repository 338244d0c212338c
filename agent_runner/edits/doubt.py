"""Whether the text of a fence is the whole of a file: what speaks against it.

A path above a fence is all that makes it a file, and models put paths above much else: fragments,
edits in other dialects, output, the source of a notebook. What is doubtful is refused; who means it
says so (`Whole file: PATH`).
"""

import json
import re
from collections.abc import Sequence
from itertools import pairwise

from agent_runner.edits.linediff import same_runs
from agent_runner.edits.naming import extension, is_prose

_SHRINKS_TO, _LOST = 2 / 3, 1 / 4
"""A text with at most such a share of the file's lines, or without so many of those at its ends, is
as likely a part of the file."""

_MARKER = re.compile(
    r"^(?:<{5,9}(?:\s.*)?|[-+=*#~]{3,9} ?(?:SEARCH|REPLACE)\b.*|@@(?: .*)?"
    r"|\*\*\* .* (?:Patch|File\b.*))$"
)
_WORD = r"(search|replace|find|original|updated|old|new|before|after)(?:[ _]\w+)?"
_SAID = re.compile(
    rf"^(?:<{_WORD}>|\[{_WORD}\]|(?:#|[-=+*#~<>/]{{2,9}})\s?\**{_WORD}\**:?\s?[-=+*#~<>]{{0,9}}"
    rf"|(?=(?-i:[A-Z]{{3,}})){_WORD}:)$",
    re.IGNORECASE,
)
_PAIRS = (
    *(("search", "replace"), ("find", "replace"), ("original", "updated")),
    *(("original", "new"), ("old", "new"), ("before", "after")),
)
_NUMBERED = re.compile(r"^\s*(\d{1,6})(?:\s*[:|\u2502\u2192]|\s|[.)] |$)")
_PROMPT = re.compile(r"^(?:\$ \S|>>> |C:\\.*>|PS .*> |\w+@[\w.-]+[:~].*[$#] |In \[\d+\]:)")
_REPORT = re.compile(
    r"^(?:Traceback \(most recent|=+ .*(?:passed|failed|error|session).*=+$|\d+ (?:passed|failed)\b"
    r"|(?:FAILED|PASSED|ERROR) \S|Ran \d+ tests?\b|BUILD (?:SUCCESS|FAIL)|npm (?:ERR!|WARN))"
)


def doubt(text: str, path: str, old: Sequence[str]) -> str:
    """Why the text is perhaps not the whole of the file; "" if nothing speaks against it.

    `old`: the lines of the file that it would replace.
    """
    filled = [line for line in text.split("\n") if line.strip()]
    there = [line for line in old if line.strip()]
    if not filled:
        return ""
    wrong = _edit(filled, path, set(there)) or _no_source(filled, path, there)
    return wrong or (_fragment(filled, there, path) if there else "")


def is_output(filled: Sequence[str]) -> bool:
    """Whether the lines look like what a terminal shows."""
    return _PROMPT.match(filled[0]) is not None or any(map(_REPORT.match, filled))


def _edit(filled: list[str], path: str, there: set[str]) -> str:
    """Signs of an edit in some dialect, written down as a file."""
    if is_prose(path):  # examples are left aside
        marks = [at for at, line in enumerate(filled) if line.lstrip().startswith(("```", "~~~"))]
        for low, high in reversed(list(zip(marks[::2], marks[1::2], strict=False))):
            filled = filled[:low] + filled[high + 1 :]
    new = [line for line in filled if line not in there]
    marker = next(filter(_MARKER.match, new), None)
    if marker is not None:
        return f"`{marker[:40]}` is a mark of an edit, or of a merge conflict"
    said = {
        next(filter(None, f.groups())).lower(): f[0]
        for s in new[::-1]
        if (f := _SAID.match(s.strip()))
    }
    pair = next((pair for pair in _PAIRS if said.keys() >= set(pair)), None)
    if pair is not None:
        return f"it has `{said[pair[0]][:40]}` and `{said[pair[1]][:40]}`, as an edit has"
    plus, minus = (sum(line.startswith(sign) for line in new) for sign in "+-")
    turns = any(a[0] == "-" and b[0] == "+" and {a, b} - there for a, b in pairwise(filled))
    is_list = is_prose(path) or extension(path) in {"yml", "yaml", ""}
    if (
        plus * 2 > len(filled)
        or (turns and not is_prose(path))
        or minus * 2 > len(filled) * (1 + is_list)
    ):
        return "its lines begin with `-` and `+`, as those of a diff do"
    return ""


def _no_source(filled: list[str], path: str, there: list[str]) -> str:
    """Signs of something that is shown, and is no file: numbers, output, the source of a cell."""
    numbers = [int(found[1]) for line in filled if (found := _NUMBERED.match(line))]
    is_listing = numbers == list(range(numbers[0], numbers[0] + len(filled))) if numbers else False
    was_listing = bool(there) and _NUMBERED.match(there[0]) is not None
    if is_listing and len(filled) > 1 and not is_prose(path) and not was_listing:
        return "each of its lines begins with a number, as in a listing"
    if not is_prose(path) and is_output(filled):
        return "it looks like the output of a command"
    if extension(path) == "ipynb" and not _parses(filled):
        return "a notebook is a JSON file, and this looks like the source of a cell"
    if extension(path) == "json" and there and _parses(there) and not _parses(filled):
        return "the file is JSON, and the text is not"
    return ""


def _fragment(filled: list[str], there: list[str], path: str) -> str:
    """Signs of a part of the file."""
    if filled[0][:1].isspace() and not there[0][:1].isspace() and not is_prose(path):
        return "its first line is indented, and that of the file is not: perhaps a part of it"
    if there[0].startswith("#!") and not filled[0].startswith("#!"):
        return f"it lacks the file's first line, `{there[0][:60]}`: perhaps a part of it"
    if len(there) - len(filled) > 1 and len(filled) <= len(there) * _SHRINKS_TO:
        counts = (
            f"the file has {len(there)} lines that are not blank and the text has {len(filled)}"
        )
        return f"{counts}: perhaps a part of it"
    runs = same_runs(there, filled)
    if not runs:
        return ""
    head = max(0, runs[0][0] - runs[0][1])
    tail = max(0, len(there) - runs[-1][0] - (len(filled) - runs[-1][1]))
    if head + tail > max(1, len(there) * _LOST):
        return f"{head + tail} lines at the file's ends are missing: perhaps a part of it"
    return ""


def _parses(lines: Sequence[str]) -> bool:
    try:
        json.loads("\n".join(lines))
    except (ValueError, RecursionError):
        return False
    return True
