"""What every format shares.

The reply as lines with the place reached in it, fences, and the answer of a format.
"""

import re
from typing import Protocol

from attrs import define, field, frozen

from agent_runner.edits.edit import Complaint, Edit, Origin
from agent_runner.edits.spelling import name_on_line, path_in_info, path_on_line

_OPENER = re.compile(r"^([ \t]*)(`{3,}|~{3,})(.*)$")
_LOOK_BACK = 3
"""How many lines above a block its path may stand."""


@frozen
class Fence:
    """An opened code fence: its characters, how deep it is indented, and its info string."""

    marks: str
    indent: int
    info: str

    @property
    def language(self) -> str:
        """The first word of the info string, in lower case."""
        return (re.split(r"[\s{:,]", self.info.strip(), maxsplit=1)[0]).lower()

    def closed_by(self, line: str) -> bool:
        """Whether the line closes it: at least as many of the same marks, and nothing else."""
        text = line.strip()
        spaces = len(line) - len(line.lstrip())
        return (
            len(text) >= len(self.marks)
            and text == self.marks[0] * len(text)
            and spaces <= self.indent + 3
        )


def fence_on(line: str) -> Fence | None:
    """The fence that the line opens."""
    found = _OPENER.match(line)
    if found is None or (found[2][0] == "`" and "`" in found[3]):
        return None
    return Fence(found[2], len(found[1]), found[3].strip())


@frozen
class Found:
    """What a format made of the lines up to `end` (the first one that is not its own).

    `inside`: only a fence was opened, and what stands in it is for the other formats to read.
    """

    end: int
    edits: tuple[Edit, ...] = ()
    commands: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    problems: tuple[Complaint, ...] = ()
    inside: Fence | None = None


@define
class Scan:
    """The reply's lines and how far they are read. The parser moves it, formats only look."""

    raw: list[str]
    fence: Fence | None = None
    floor: int = 0
    blocks: int = 0
    last_path: str | None = None
    unclosed: dict[str, Fence] = field(init=False, factory=dict)

    def __len__(self) -> int:
        return len(self.raw)

    def line(self, at: int) -> str:
        """The line, without the indentation of the fence it stands in; "" beyond the end."""
        if at >= len(self.raw):
            return ""
        text = self.raw[at]
        return dedented(text, self.fence.indent) if self.fence else text

    def closes(self, at: int) -> bool:
        """Whether the fence that is open is closed by this line."""
        return self.fence is not None and self.fence.closed_by(self.raw[at])

    def known_unclosed(self, fence: Fence) -> bool:
        """Whether an earlier fence, easier to close, was found to be open to the end."""
        known = self.unclosed.get(fence.marks[0])
        return (
            known is not None
            and len(known.marks) <= len(fence.marks)
            and known.indent >= fence.indent
        )

    def next_block(self, at: int, form: str) -> Origin:
        """A new block that begins at this line."""
        self.blocks += 1
        return Origin(self.blocks, at + 1, form)

    def path_above(self, at: int) -> str | None:
        """The path on one of the lines above, or in the fence's info string.

        Never above another block.
        """
        seen = 0
        for above in range(at - 1, self.floor - 1, -1):
            line = self.raw[above]
            fence = fence_on(line)
            if fence is not None:
                path = path_in_info(fence.info)
            else:
                seen += 1
                path = path_on_line(line)
            if path:
                return path
            if seen == _LOOK_BACK:
                break
        return None

    def name_above(self, at: int) -> str | None:
        """The single word on the line right above, or above the fence: a file without extension.

        Only where a path has to stand: elsewhere it may as well be a word of prose.
        """
        above = at - 1
        if above >= self.floor and fence_on(self.raw[above]) is not None:
            above -= 1
        return name_on_line(self.raw[above]) if above >= self.floor else None


class Format(Protocol):
    """One way in which models write edits."""

    name: str

    def starts(self, scan: Scan, at: int) -> bool:
        """Whether a block of this format begins at this line. Cheap: asked of every line."""

    def read(self, scan: Scan, at: int) -> Found:
        """Read the block that begins here. Never raises: what cannot be read becomes a problem."""


def dedented(line: str, indent: int) -> str:
    """The line without up to `indent` leading blanks, as in a fence that stands in a list."""
    blanks = len(line) - len(line.lstrip(" \t"))
    return line[min(blanks, indent) :]


def complaint(origin: Origin, wrong: str, remedy: str) -> Complaint:
    """A complaint about the block of this origin."""
    return Complaint(origin.block, origin.line, origin.form, wrong, remedy)


def joined(lines: list[str]) -> str:
    """Lines as the text of a file."""
    return "".join(f"{line}\n" for line in lines)
