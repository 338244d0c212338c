"""Fences without markers: whole files where a path stands right by them, else examples.

Nothing but a path makes a fence a file, so nothing but a path may stand there. A fence that names a
file in another way becomes a `StrayFence`: refused, unless it turns out to change nothing.
"""

import re
from itertools import islice, pairwise
from posixpath import basename

from attrs import evolve

from agent_runner.edits import naming
from agent_runner.edits.edit import Origin, StrayFence, Unreadable, Write
from agent_runner.edits.formats.fences import Fences
from agent_runner.edits.formats.scan import Fence, Found, Scan, dedented, indentation, joined
from agent_runner.edits.naming import Label

FORM = "Write the path alone on the line before the fence, then the whole file inside of it."
NAME = "whole file"
_DIFFS = frozenset({"diff", "patch"})
_CODE_INDENT, _LONGEST_CODE = 4, 400
_NO_CODE = re.compile(r"\s*(?:$|[-*+]|\d+[.)]|\$ |```|~~~)")
"""What else is indented below a line: a list, a command, a fence, a block with markers."""

_RULE = re.compile(r"\s*(?:-{3,}|={3,})\s*")
_CODE = re.compile(
    r"^(?!.*[.!?]$)(?:>\s|(?:def|class|import|from)\s|.*(?:\w\(|\s[-+*:]?=\s|[{};]$))"
)
"""Signs that a line is none of prose."""


def named_by(scan: Scan, at: int, fence: Fence) -> Label | None:
    """The file that the fence at this line names, if any; dressed, unless its name stands alone."""
    path = naming.info_path(fence.info)
    if path is not None:
        return Label(path, sure=True, says_so=True)
    if naming.is_citation(fence.info):
        return None
    named = _named_above(scan, at, fence)
    inside = scan.raw[at + 1] if at + 1 < len(scan) else ""
    if named is None or not named.sure:
        if path := naming.path_in_comment(inside, labelled=True):
            return Label(path, sure=True, says_so=True, inside=True)
        path = naming.path_in_comment(inside, labelled=False)
        if named is None and (path := path or scan.path_for(at) or scan.section):
            return Label(path, sure=False, dressed=True)
    return named


def _named_above(scan: Scan, at: int, fence: Fence) -> Label | None:
    """By the line right above; one blank line between does not count."""
    if scan.path_fence is not None:
        return Label(scan.path_fence, sure=True)
    above = at - 1 if scan.raw[at - 1].strip() else at - 2
    is_ruled = _RULE.fullmatch(scan.raw[above]) is not None  # a heading, underlined
    above -= is_ruled
    if above < scan.floor:
        return None
    line, label = scan.raw[above], naming.label_on(scan.raw[above])
    is_item = line.lstrip().startswith(("- ", "* ", "+ ")) and above < at - 1
    if label is None or (is_item and fence.indent <= indentation(line)):  # no part of the item
        paths = naming.mentioned(line)
        path = next((path for path in paths if path != scan.last_path), "".join(paths[:1]))
        return Label(path, sure=False, dressed=True) if path else None
    other = naming.label_on(scan.raw[above - 1]) if above > scan.floor else None
    is_one = other is None or not other.sure or other.path == label.path
    fits = label.says_so or naming.fits(fence.language, label.path)
    is_sure = label.sure and is_one and fits and not is_ruled
    return evolve(label, sure=is_sure, dressed=label.dressed or not is_one)


def read_fence(scan: Scan, fences: Fences, at: int, fence: Fence, named: Label | None) -> Found:
    """The fence up to its end: a file, a stray fence, or prose."""
    end = fences.end(at + 1, fence)
    if named is not None and naming.is_shell(fence.language) and not named.says_so:
        is_script = naming.fits(fence.language, named.path) or named.path.startswith(".")
        named = named if is_script else None  # commands to read
    if named is None or not named.sure:
        if end == len(scan):  # prose; of many such openings, each would hold all that follows
            return at + 1, []
        path, alone = (named.path, not named.dressed) if named else ("", False)
        text = joined([dedented(line, fence.indent) for line in scan.raw[at + 1 : end]])
        origin = scan.next_block(at, NAME) if named else Origin(0, at + 1, "fence")
        return end + 1, [StrayFence(path, origin, text, fence.language, alone)]
    origin, sure = scan.next_block(at, NAME), fences.end_of_file(at + 1, fence, named.path)
    if sure is None or sure == len(scan):
        wrong = (
            f"the fence of `{named.path}` is not closed."
            if sure is not None
            else f"it is unclear where `{named.path}` ends: more than one line of {fence.marks}"
            " below may close its fence. What follows was not read."
        )
        longer = f"Use a fence that is longer than any in the file: {fence.marks}{fence.marks[0]}."
        return len(scan), [Unreadable(named.path, origin, wrong, longer)]
    lines = [dedented(line, fence.indent) for line in scan.raw[at + 1 + named.inside : sure]]
    other = None if named.whole else _other_file(lines, named.path)
    wrong = remedy = ""
    if not named.path.strip():
        wrong, remedy = "`path=` is empty.", FORM
    elif other is not None:
        wrong = f"it is to be `{named.path}`, and a line in it names another file (`{other}`)."
        remedy = "Use one fence for each file."
    elif fence.language in naming.DIFF_LANGUAGES and naming.extension(named.path) not in _DIFFS:
        wrong = f"it is a `{fence.language}` of `{named.path}`, and has no hunks."
        remedy = "Write `@@` above each hunk."
    if wrong:
        return sure + 1, [Unreadable(named.path.strip(), origin, wrong, remedy)]
    return sure + 1, [Write(named.path, origin, joined(lines), whole=named.whole)]


def unfenced_below(scan: Scan, at: int) -> StrayFence | None:
    """The code below a line that names a file, without a fence.

    It is indented, as Markdown has it, or stands right below a line that holds only the name.
    """
    line, below = scan.raw[at], at + 1
    label = naming.label_on(line)
    named = naming.mentioned(line) if label or line.rstrip().endswith(":") else ()
    path = label.path if label and label.sure else next(iter(named), "")
    if not path:
        return None
    is_next = label is not None and any(map(_CODE.search, scan.raw[below : below + 1]))
    below += below < len(scan) and not scan.raw[below].strip()
    depth = indentation(line) + _CODE_INDENT * (not is_next)
    lines: list[str] = []
    for text in islice(scan.raw, below, below + _LONGEST_CODE):
        if (is_next and not text.strip()) or not _is_within(text, depth):
            break
        lines.append(text)
    if not lines or _NO_CODE.match(lines[0]):
        return None
    if path in lines[0] and naming.path_in_comment(lines[0], labelled=False) is None:
        return None  # a command that is given the file
    text = joined([dedented(one, depth) for one in lines])
    return StrayFence(path, Origin(0, below + 1, "indented text"), text, "")


def _is_within(line: str, depth: int) -> bool:
    return not line.strip() or line.startswith("\t") or indentation(line) >= depth


def _other_file(lines: list[str], path: str) -> str | None:
    """Another path that a comment in the text gives as the file that begins there."""
    first = naming.path_in_comment(lines[0], labelled=False) if lines else None
    name = next((n for n in (path, basename(path)) if lines and n in lines[0]), "")
    before, _, behind = lines[0].partition(name) if name else ("", "", "")
    for above, line in pairwise(lines):
        if name and line.startswith(before) and line.endswith(behind):  # as the first line does
            twin = line[len(before) : len(line) - len(behind)]
            if twin not in {name, path} and naming.is_path(twin):
                return twin
        is_new = first is None or bool(above.strip())  # a bare name divides only where one began
        other = naming.path_in_comment(line, labelled=is_new)
        if other not in {None, path, first}:
            return other
    return None


def path_alone(lines: list[str]) -> str | None:
    """The path, if a fence holds one and nothing else: the name of what the next fence holds."""
    filled = list(islice((line for line in lines if line.strip()), 2))  # not all of a long text
    label = naming.label_on(filled[0]) if len(filled) == 1 else None
    return label.path if label is not None and label.sure else None
