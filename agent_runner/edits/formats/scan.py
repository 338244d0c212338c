"""What every format shares: the reply as lines, the place reached in it, fences, and the answer."""

import re
from collections.abc import Iterator
from typing import Protocol

from attrs import define, frozen

from agent_runner.edits.edit import Edit, Origin
from agent_runner.edits.naming import info_path, label_on, mentioned

_OPENER = re.compile(r"^([ \t]*)(`{3,}|~{3,})(.*)$")
_TITLE = re.compile(r"\s*(?:#{1,6}\s|\*\*|\d+[.)]\s)")
_LOOK_BACK = 3
"""How many lines above a block with markers its path may stand, blank ones not counted."""


@frozen
class Fence:
    """An opened code fence: its characters, how deep it is indented, and its info string."""

    marks: str
    indent: int
    info: str

    @property
    def language(self) -> str:
        """The first word of the info string, in lower case."""
        return re.split(r"[\s{:,]", self.info, maxsplit=1)[0].lower()

    def closed_by(self, line: str) -> bool:
        """Whether the line closes it: at least as many of the same marks, and nothing else."""
        text = line.strip()
        is_long = len(text) >= len(self.marks) and text == self.marks[0] * len(text)
        return is_long and indentation(line) <= self.indent + 3


def fence_on(line: str) -> Fence | None:
    """The fence that the line opens."""
    found = _OPENER.match(line)
    if found is None or (found[2][0] == "`" and "`" in found[3]):
        return None
    return Fence(found[2], len(found[1]), found[3].strip())


def pairs_up(lines: list[str]) -> bool:
    """Whether each fence that opens in the lines holds something and surely is closed in them.

    Without a language the second one may open as well: then text stands right below it.
    """
    opened = 0
    inner: Fence | None = None
    for at, line in enumerate(lines):
        if inner is None:
            inner, opened = fence_on(line), at
        elif inner.closed_by(line):
            is_empty = not any(map(str.strip, lines[opened + 1 : at]))
            if is_empty or (not inner.info and any(map(str.strip, lines[at + 1 : at + 2]))):
                return False
            inner = None
    return inner is None


def outside_fences(lines: list[str]) -> Iterator[int]:
    """The places of lines outside of all fences; lines to come may be changed meanwhile."""
    fence: Fence | None = None
    for at in range(len(lines)):
        if fence is not None:
            fence = None if fence.closed_by(lines[at]) else fence
        elif (fence := fence_on(lines[at])) is None:
            yield at


Found = tuple[int, list[Edit]]
"""What a format made of a block: the first line that is not its own, and what it asks for."""


@define
class Scan:
    """The reply's lines and how far they are read. The reader moves it, formats only look.

    `fence`: the one that is open and only dresses what stands in it. `indent`: blanks that all
    lines of the block in hand begin with. `floor`: the first line below the block before.
    `section`: the path that is the heading above. `path_fence`: one that had a fence of its own
    right above.
    """

    raw: list[str]
    fence: Fence | None = None
    indent: int = 0
    floor: int = 0
    blocks: int = 0
    last_path: str | None = None
    section: str | None = None
    path_fence: str | None = None

    def __len__(self) -> int:
        return len(self.raw)

    def line(self, at: int) -> str:
        """The line without the indentation of its fence or block; "" beyond the end."""
        deep = self.indent or (self.fence.indent if self.fence else 0)
        return dedented(self.raw[at], deep) if at < len(self.raw) else ""

    def closes(self, at: int) -> bool:
        """Whether the fence that is open is closed by this line."""
        return self.fence is not None and at < len(self.raw) and self.fence.closed_by(self.raw[at])

    def next_block(self, at: int, form: str) -> Origin:
        """A new block that begins at this line."""
        self.blocks += 1
        return Origin(self.blocks, at + 1, form)

    def path_for(self, at: int) -> str | None:
        """The path of a block that has markers of its own, from the lines above it.

        Nothing but a path can be meant there, so it may stand up to three lines above, in any
        dressing, or in the fence's info string; a name that may be a word, right above; one that
        has a folder and no extension, next above.
        """
        lines = self._lines_above(at)
        for line in lines:
            fence, label = fence_on(line), label_on(line)
            if fence is not None and (path := info_path(fence.info)):
                return path
            if label is not None and label.sure:
                return label.path
        near = [line for line in lines if fence_on(line) is None]
        label = label_on(next(filter(str.strip, near), ""))
        if label is None or label.dressed or not (near[0].strip() or "/" in label.path):
            return None
        return label.path

    def mentioned_for(self, at: int) -> set[str]:
        """The paths that sentences above such a block name."""
        return {path for line in self._lines_above(at) for path in mentioned(line)}

    def title_for(self, at: int) -> str | None:
        """The only path in the heading, bold line or numbered item nearest above such a block."""
        line = next((line for line in self._lines_above(at) if _TITLE.match(line)), "")
        paths = mentioned(line)
        return paths[0] if len(paths) == 1 else None

    def _lines_above(self, at: int) -> list[str]:
        """The lines above down to the block before, the nearest first."""
        lines: list[str] = []
        seen = 0
        for above in range(at - 1, self.floor - 1, -1):
            lines.append(self.raw[above])
            seen += bool(self.raw[above].strip()) and fence_on(self.raw[above]) is None
            if seen == _LOOK_BACK:
                break
        return lines


class Format(Protocol):
    """One way in which models mark edits."""

    def starts(self, scan: Scan, at: int) -> bool:
        """Whether a block of this format begins at this line. Cheap: asked of every line."""

    def read(self, scan: Scan, at: int) -> Found:
        """Read the block that begins here. Never raises: what cannot be read is `Unreadable`."""


def indentation(line: str) -> int:
    """How many blanks the line begins with."""
    return len(line) - len(line.lstrip(" \t"))


def dedented(line: str, indent: int) -> str:
    """The line without up to `indent` leading blanks, as in a fence that stands in a list."""
    return line[min(indentation(line), indent) :]


def joined(lines: list[str]) -> str:
    """Lines as the text of a file."""
    return "".join(f"{line}\n" for line in lines)
