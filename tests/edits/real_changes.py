"""Random changes of real files, written down in every format as by a model that makes no slips."""

import difflib
import random
import re
from collections.abc import Callable
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
_PLACES = ("agent_runner", "tests", "docs", "examples", ".ci")
_SUFFIXES = {".py", ".md", ".yml", ".sh", ".json", ".toml", ""}


@frozen
class Case:
    """A reply, and the file that it means; `impossible`: nothing can be read from it."""

    path: str
    before: str
    after: str
    reply: str
    slips: tuple[str, ...] = ()
    impossible: bool = False


def real_files() -> list[tuple[str, str]]:
    """The repository's own texts of a fair size, by path."""
    found = []
    for place in _PLACES:
        for file in sorted((ROOT / place).rglob("*")):
            if file.suffix in _SUFFIXES and file.is_file() and 200 < file.stat().st_size < 30_000:
                text = file.read_text(errors="replace")
                if "\r" not in text and "\0" not in text and "\ufffd" not in text:
                    found.append((f"src/{file.name}", text))
    return found


def changed(rng: random.Random, lines: list[str]) -> list[str] | None:
    """The lines after one to three changes; None if they came out the same."""
    made = list(lines)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(made))
        rng.choice((_reworded, _reworded, _inserted, _deleted, _wrapped, _replaced))(rng, made, at)
    return None if made == lines or not any(map(str.strip, made)) else made


def indent_of(line: str) -> str:
    """The blanks that the line begins with."""
    return line[: len(line) - len(line.lstrip())]


def _reworded(rng: random.Random, lines: list[str], at: int) -> None:
    words = list(re.finditer(r"\w+", lines[at]))
    if words:
        word = rng.choice(words)
        lines[at] = f"{lines[at][: word.start()]}new_{rng.randrange(99)}{lines[at][word.end() :]}"


def _inserted(rng: random.Random, lines: list[str], at: int) -> None:
    indent = indent_of(lines[at])
    new = [f"{indent}added_{rng.randrange(999)}({n})" for n in range(rng.randint(1, 3))]
    if rng.random() < 0.3:
        new = [f"{indent}if added_{rng.randrange(999)}:", f"{indent}    go({rng.randrange(999)})"]
    lines[at:at] = new


def _deleted(rng: random.Random, lines: list[str], at: int) -> None:
    if len(lines) > 6:
        del lines[at : at + rng.randint(1, 4)]


def _wrapped(rng: random.Random, lines: list[str], at: int) -> None:
    body = lines[at : at + rng.randint(1, 3)]
    if body and all(map(str.strip, body)):
        head = f"{indent_of(body[0])}if wrapped_{rng.randrange(999)}:"
        lines[at : at + len(body)] = [head, *(f"    {line}" for line in body)]


def _replaced(rng: random.Random, lines: list[str], at: int) -> None:
    other = rng.randrange(len(lines))
    lines[at] = indent_of(lines[at]) + lines[other].strip()


Render = Callable[[random.Random, str, list[str], list[str]], str]


def _groups(before: list[str], after: list[str], context: int) -> list[list[tuple[str, str]]]:
    """Hunks of signed lines, with so many lines of context."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    hunks = []
    for group in matcher.get_grouped_opcodes(context):
        lines: list[tuple[str, str]] = []
        for tag, low, high, new_low, new_high in group:
            if tag == "equal":
                lines += [(" ", line) for line in before[low:high]]
            else:
                lines += [("-", line) for line in before[low:high]]
                lines += [("+", line) for line in after[new_low:new_high]]
        hunks.append(lines)
    return hunks


def as_blocks(rng: random.Random, path: str, before: list[str], after: list[str]) -> str:
    """SEARCH/REPLACE blocks with little context."""
    hunks = _groups(before, after, rng.choice((0, 1, 1, 2, 3)))
    blocks = []
    for hunk in hunks:
        search = [text for sign, text in hunk if sign != "+"]
        replace = [text for sign, text in hunk if sign != "-"]
        blocks += ["<<<<<<< SEARCH", *search, "=======", *replace, ">>>>>>> REPLACE"]
    return _fenced(rng, path, blocks)


def as_diff(rng: random.Random, path: str, before: list[str], after: list[str]) -> str:
    """A unified diff, numbered, with git's heading: the last line above that begins so."""
    context = rng.choice((0, 1, 3, 3, 3))
    lines = [f"--- a/{path}", f"+++ b/{path}"]
    for line in list(difflib.unified_diff(before, after, n=context, lineterm=""))[2:]:
        found = re.match(r"@@ -(\d+)", line)
        if found and not line.startswith((" ", "+", "-")):
            above = (
                text for text in before[: int(found[1]) - 1][::-1] if re.match(r"[A-Za-z_$]", text)
            )
            heading = next(above, "")[:60].rstrip()
            lines.append(f"{line} {heading}".rstrip() if rng.random() < 0.7 else line)
        else:
            lines.append(line)
    return "\n".join(["```diff", *lines, "```"] if rng.random() < 0.7 else lines) + "\n"


def as_envelope(rng: random.Random, path: str, before: list[str], after: list[str]) -> str:
    """A `*** Begin Patch` envelope, sometimes with the lines that stand around the place."""
    lines = ["*** Begin Patch", f"*** Update File: {path}"]
    context = rng.choice((1, 1, 2, 3))
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    starts = [group[0][1] for group in matcher.get_grouped_opcodes(context)]
    for start, hunk in zip(starts, _groups(before, after, context), strict=True):
        anchors = _enclosing(before, start) if rng.random() < 0.6 else []
        lines += [f"@@ {anchor}" for anchor in anchors] or ["@@"]
        lines += [sign + text for sign, text in hunk]
    return "\n".join([*lines, "*** End Patch", ""])


def _enclosing(lines: list[str], at: int) -> list[str]:
    """The lines above that are indented less and less, outermost first."""
    found: list[str] = []
    depth = len(indent_of(lines[at])) if at < len(lines) and lines[at].strip() else 99
    for line in lines[:at][::-1]:
        if (
            line.strip()
            and len(indent_of(line)) < depth
            and re.match(r"\s*(def|class|async|[a-z_]+:)", line)
        ):
            depth = len(indent_of(line))
            found.insert(0, line)
    return found[-2:]


def as_whole_file(rng: random.Random, path: str, _before: list[str], after: list[str]) -> str:
    """The whole file in a fence, which may be as short as one inside."""
    marks = rng.choice(("```", "```", "````", "~~~"))
    label = rng.choice((path, f"**{path}**", f"### `{path}`", f"File: {path}", f"`{path}`:"))
    return "\n".join([label, marks + rng.choice(("", "text")), *after, marks, ""])


def _fenced(rng: random.Random, path: str, blocks: list[str]) -> str:
    label = rng.choice((path, f"**{path}**", f"### `{path}`", f"File: {path}", f"1. `{path}`:"))
    if rng.random() < 0.3:
        return "\n".join([label, *blocks, ""])
    return "\n".join([label, "", "```python", *blocks, "```", ""])


RENDERS: tuple[Render, ...] = (
    as_blocks,
    as_blocks,
    as_diff,
    as_diff,
    as_envelope,
    as_envelope,
    as_whole_file,
)
