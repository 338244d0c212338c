"""Whole files: a fenced block whose path stands above it or in its info string.

Also what other fences are.
"""

import re
from collections.abc import Sequence

from attrs import define

from agent_runner.edits.edit import Complaint, Origin, Write
from agent_runner.edits.formats.requests import SHELLS
from agent_runner.edits.formats.scan import (
    Fence,
    Format,
    Found,
    Scan,
    complaint,
    dedented,
    fence_on,
    joined,
)
from agent_runner.edits.formats.unified import in_diff_fence
from agent_runner.edits.spelling import labelled_path, path_in_info, path_on_line

_FORM = "Write the path alone on the line before the fence, then the whole file inside of it."
_MARKDOWN = re.compile(r"\.(?:md|mdx|markdown|rst|txt)$", re.IGNORECASE)
_SHELL_FILE = re.compile(r"\.(?:sh|bash|zsh|bats|ksh|env)$|(?:^|/)[^./]+$", re.IGNORECASE)
_PEEK = 4
"""How many lines into a fence its other format must have begun, if a path is given."""


@define
class WholeFile:
    """Reads a fence: as a whole file, as prose, or as dressing of what the `inner` formats read."""

    inner: Sequence[Format]
    name: str = "whole file"

    def starts(self, scan: Scan, at: int) -> bool:
        """At every opening fence."""
        return scan.fence is None and fence_on(scan.line(at)) is not None

    def read(self, scan: Scan, at: int) -> Found:
        """The fence up to its end, or only its first line if other formats stand in it."""
        fence = fence_on(scan.line(at))
        if fence is None:
            return Found(at + 1)
        plain_end = _plain_end(scan, at + 1, fence)
        in_info = path_in_info(fence.info)
        path = in_info if in_info is not None else scan.path_above(at)
        body = Scan(scan.raw, fence, at + 1)
        if plain_end == len(scan) and path is None and not in_diff_fence(body):
            return Found(at + 1)  # what follows is read as if the stray line were not there
        if self._dresses(body, at + 1, plain_end, path):
            return Found(at + 1, inside=fence)
        start = at + 1
        if path is None and (inside := labelled_path(body.line(start))):
            path, start = inside, start + 1
        if path is None or _is_transcript(fence, path, in_info):
            return Found(plain_end + 1 if plain_end < len(scan) else at + 1)
        return self._file(scan, at, start, fence, path)

    def _dresses(self, body: Scan, start: int, end: int, path: str | None) -> bool:
        """Whether the fence only dresses a block of another format."""
        if in_diff_fence(body):
            return any(
                form.starts(body, at) for at in range(start, end) for form in self.inner
            ) or (path is not None and any(body.line(at)[:1] in "+-" for at in range(start, end)))
        near = end
        if path is not None:
            near = start
            while near < min(end, start + _PEEK) and (
                not body.line(near).strip() or path_on_line(body.line(near))
            ):
                near += 1
            start, near = near, min(near + 1, end)
        return any(form.starts(body, at) for at in range(start, near) for form in self.inner)

    def _file(self, scan: Scan, at: int, start: int, fence: Fence, path: str) -> Found:
        origin = scan.next_block(at, self.name)
        end = _nested_end(scan, start, fence)
        if not path.strip():
            return Found(end + 1, problems=(complaint(origin, "`path=` is empty.", _FORM),))
        if end >= len(scan):
            wrong = f"the fence of {path} is not closed (or a fence inside of the file is as long)."
            return Found(
                _plain_end(scan, start, fence) + 1, problems=(_longer(origin, wrong, fence),)
            )
        if _MARKDOWN.search(path) and _may_go_on(scan, end + 1, fence):
            wrong = f"it is unclear where {path} ends: text follows its closing fence at once."
            return Found(end + 1, problems=(_longer(origin, wrong, fence),))
        lines = [dedented(scan.raw[index], fence.indent) for index in range(start, end)]
        return Found(end + 1, (Write(path, origin, joined(lines)),))


def _longer(origin: Origin, wrong: str, fence: Fence) -> Complaint:
    return complaint(
        origin,
        wrong,
        f"Use a fence that is longer than any inside of the file: {fence.marks}{fence.marks[0]}.",
    )


def _plain_end(scan: Scan, start: int, fence: Fence) -> int:
    """The first line that closes the fence; the reply's length if none does."""
    if scan.known_unclosed(fence):
        return len(scan)
    at = start
    while at < len(scan) and not fence.closed_by(scan.raw[at]):
        at += 1
    if at == len(scan):
        scan.unclosed[fence.marks[0]] = fence
    return at


def _may_go_on(scan: Scan, at: int, fence: Fence) -> bool:
    """Whether what was taken for the closing fence may open another one inside of the file.

    So it looks where text follows at once, and the next fence below is a bare one too.
    """
    if not scan.line(at).strip():
        return False
    for below in range(at, len(scan)):
        if fence.closed_by(scan.raw[below]):
            return True
        if fence_on(scan.raw[below]) is not None:
            return False
    return False


def _nested_end(scan: Scan, start: int, fence: Fence) -> int:
    """The line that closes the fence of a file that may hold fences as long itself.

    Those are told by the word after their first marks.
    """
    depth = 0
    for at in range(start, len(scan)):
        line = scan.raw[at]
        if fence.closed_by(line):
            if depth == 0:
                return at
            depth -= 1
            continue
        opened = fence_on(line)
        if (
            opened is not None
            and opened.info
            and opened.marks[0] == fence.marks[0]
            and len(opened.marks) >= len(fence.marks)
            and opened.indent <= fence.indent + 3
        ):
            depth += 1
    return len(scan)


def _is_transcript(fence: Fence, path: str, in_info: str | None) -> bool:
    """Whether a shell fence merely stands below a path that is not a script's.

    Commands to read, no file.
    """
    return in_info is None and fence.language in SHELLS and _SHELL_FILE.search(path) is None
