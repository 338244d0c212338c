"""What speaks against lines of a reply: that they are marks of an edit, or no whole file.

A path above a fence is all that makes it a file, and models put paths above much else: fragments,
edits in other dialects, output, the source of a notebook. What is doubtful is refused; who means it
says so (`Whole file: PATH`).
"""

import json
import re
from collections.abc import Collection, Sequence
from posixpath import basename

from agent_runner.edits.formats.foreign import is_mark
from agent_runner.edits.naming import BUILD_FILES, extension, is_prose, is_settings, is_title
from agent_runner.ground.linediff import same_runs
from agent_runner.ground.lookalikes import plain

_SHRINKS_TO, _SHARED, _LOST = 2 / 3, 1 / 10, 1 / 8
"""A text with at most such a share of the file's lines, or that has fewer of them, or none for so
many at the file's ends, is as likely a part of it, or an example."""

_FEW = 3
"""Lines of a file of which any part may be meant as the whole."""

_MARKER = re.compile(
    r"^(?:@@(?: .*)?|\*\*\* .* (?:Patch|File\b.*)"
    r"|</(?:search|replace|old|new|file|edit|content|patch)\w*>|edit \d+:\d+|.*\[-.*-\]\{\+.*\+\}.*"
    r"|\d+(?:,\d+)?[acd]\d+(?:,\d+)?)$"
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
_BRACKETS = " \t" + "<[({\"'#.*/@$-"
_PLUS, _MINUS = re.compile(r"\+"), re.compile(r"-(?:[^\s-]|\s{2,}\S)")
_FENCES = ("```", "~~~")
_NUMBERED = re.compile(r"^\s*(\d{1,6})(?:\s*[:|\u2502\u2192]|\s|[.)] |$)")
_PROMPT = re.compile(r"^(?:\$ \S|>>> |C:\\.*>|PS .*> |\w+@[\w.-]+[:~].*[$#] |In \[\d+\]:)")
_REPORT = re.compile(
    r"^(?:Traceback \(most recent|=+ .*(?:passed|failed|error|session).*=+$|\d+ (?:passed|failed)\b"
    r"|(?:FAILED|PASSED|ERROR) \S|Ran \d+ tests?\b|BUILD (?:SUCCESS|FAIL)|npm (?:ERR!|WARN))"
)


def strange(new: Sequence[str], path: str, there: Collection[str]) -> str:
    """Why lines that come are perhaps no lines of the file, but of an edit or a listing; "" if not.

    `there`: the lines that the file has; what it has already, it may have more of.
    """
    lines = [line for line in new if line.strip() and line not in there]
    wrong = marked(lines, path, there)
    return wrong or ("" if is_prose(path) or len(lines) < 2 else _listed(lines, there))


def marked(new: Sequence[str], path: str, there: Collection[str]) -> str:
    """The same, by the marks of an edit alone."""
    new = [line for line in new if line.strip() and line not in there]
    said = {"".join(f.groups("")).lower(): f[0] for s in new[::-1] if (f := _SAID.match(s.strip()))}
    pair = next((pair for pair in _PAIRS if said.keys() >= set(pair)), None)
    if pair is not None:
        return f"it has `{said[pair[0]][:40]}` and `{said[pair[1]][:40]}`, as an edit has"
    marker = next((line for line in new if is_mark(line) or _MARKER.match(line)), None)
    if marker is not None and not any(is_mark(s) or _MARKER.match(s) for s in there):
        return f"`{marker[:40]}` is a mark of an edit, or of a merge conflict"
    is_text = is_prose(path)
    plus, minus = (sum(map(bool, map(sign.match, new))) for sign in (_PLUS, _MINUS))
    if (plus * 2 > len(new) * is_text and not any(map(_PLUS.match, there))) or (
        minus * 2 > len(new) and not is_text
    ):
        return "its lines begin with `-` and `+`, as those of a diff do"
    is_fenced = len(new) > 1 and all(new[at].startswith(_FENCES) for at in (0, -1))
    return "it stands in a fence of its own" if is_fenced and not is_text else ""


def _listed(new: list[str], there: Collection[str]) -> str:
    first, *_ = numbers = [int(f[1]) if (f := _NUMBERED.match(line)) else -1 for line in new]
    is_listing = first >= 0 and numbers == list(range(first, first + len(new)))
    if is_listing and not any(map(_NUMBERED.match, there)):
        return "each of its lines begins with a number, as in a listing"
    return ""


def doubt(text: str, path: str, old: Sequence[str]) -> str:
    """Why the text is perhaps not the whole of the file; "" if nothing speaks against it.

    `old`: the lines of the file that it would replace.
    """
    filled = [line for line in text.split("\n") if line.strip()]
    there = [line for line in old if line.strip()]
    if not filled:
        return ""
    wrong = strange(_written(filled, path), path, set(there)) or _no_source(filled, path, there)
    return wrong or (_fragment(filled, there, path) or _respelled(filled, there) if there else "")


def is_output(filled: Sequence[str]) -> bool:
    """Whether the lines look like what a terminal shows."""
    return _PROMPT.match(filled[0]) is not None or any(map(_REPORT.match, filled))


def _no_source(filled: list[str], path: str, there: list[str]) -> str:
    """Signs of something that is shown, and is no file: output, the source of a cell."""
    if not is_prose(path) and is_output(filled):
        return "it looks like the output of a command"
    if extension(path) not in {"ipynb", "json"}:
        return ""
    keys, known = _keys(filled), _keys(there)
    if keys is None and (known is not None or extension(path) == "ipynb"):
        return "the file is JSON, and the text is not: perhaps the source of a cell"
    if known and keys is not None and not known & keys:
        return "it is JSON and has none of the file's keys: perhaps a part of it"
    return ""


def _fragment(filled: list[str], there: list[str], path: str) -> str:
    """Signs of a part of the file, or of an example."""
    if filled[0][:1].isspace() and not there[0][:1].isspace() and not is_prose(path):
        return "its first line is indented, and that of the file is not: perhaps a part of it"
    if there[0].startswith("#!") and not filled[0].startswith("#!"):
        return f"it lacks the file's first line, `{there[0][:60]}`: perhaps a part of it"
    if len(there) - len(filled) > 1 and len(filled) <= len(there) * _SHRINKS_TO:
        counts = (
            f"the file has {len(there)} lines that are not blank and the text has {len(filled)}"
        )
        return f"{counts}: perhaps a part of it"
    fences = [sum(line.lstrip().startswith(_FENCES) for line in lines) for lines in (there, filled)]
    if is_prose(path) and (fences[0] > fences[1] or (fences[0] - fences[1]) % 2):
        return "a line of a fence is gone or added: perhaps it is one of the reply's own"
    return _other_names(filled, there, path) or _lost_ends(filled, there)


def _other_names(filled: list[str], there: list[str], path: str) -> str:
    """Signs by what the lines are about: a file of its own, or some of the settings of this one."""
    heads, others = (set(map(_head, lines)) - {""} for lines in (there, filled))
    least = 0 if is_title(path) or basename(path) in BUILD_FILES else 2
    if len(heads) > least and len(heads & others) < max(1, len(heads) * _SHARED):
        return "it has next to nothing of what the file has: perhaps an example, or a part of it"
    if is_settings(path) and others < heads:
        return f"it lacks `{min(heads - others)[:60]}` and has nothing new: perhaps a part of it"
    return ""


def _lost_ends(filled: list[str], there: list[str]) -> str:
    """Signs by what is missing at the file's beginning and end."""
    runs = same_runs(there, filled)
    lost = max(0, runs[0][0] - runs[0][1]) if runs else 0
    lost += max(0, len(there) - runs[-1][0] - (len(filled) - runs[-1][1])) if runs else 0
    is_cut = len(there) > _FEW and len(there) - lost == len(filled) == sum(run[2] for run in runs)
    if lost > max(2, len(there) * _LOST) or (lost and is_cut):
        lines = f"{lost} line{'s are' if lost > 1 else ' is'}"
        return f"{lines} missing at the file's ends: perhaps a part of it"
    return ""


def _respelled(filled: list[str], there: list[str]) -> str:
    """A line that differs from the file's only in characters that look alike: a slip, or meant."""
    known, made = set(there), set(filled)
    lost = {plain(line) for line in known - made}
    line = next((s for s in filled if s not in known and plain(s) in lost), None)
    wrong = "has other dashes, quotes or spaces in the file"
    return "" if line is None else f"`{line.strip()[:80]}` {wrong}"


def _head(line: str) -> str:
    """What a line is about: its first words, up to the first bracket, sign or dot."""
    return re.split(r"[^\w\s-]", line.lstrip(_BRACKETS), maxsplit=1)[0].strip()


def _written(filled: list[str], path: str) -> list[str]:
    """The lines without the examples that a text may hold."""
    marks = [at for at, line in enumerate(filled) if line.lstrip().startswith(_FENCES)]
    for low, high in reversed(list(zip(marks[::2], marks[1::2], strict=False))):
        filled = filled[:low] + filled[high + 1 :] if is_prose(path) else filled
    return filled


def _keys(lines: Sequence[str]) -> set[str] | None:
    """The outermost keys of the lines as JSON, if any; None if they are not JSON."""
    try:
        made = json.loads("\n".join(lines))
    except (ValueError, RecursionError):
        return None
    return set(made) if isinstance(made, dict) else set()
