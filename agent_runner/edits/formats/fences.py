"""Where a fence ends that holds a whole file: surely, or not at all.

By the rules of Markdown the first line of as many marks ends it. Models also put files with fences
of their own into fences that are no longer; then the end is sure only if no other reading of all
fences below works out, or nothing speaks for it.
"""

import re
from bisect import bisect_left

from attrs import define, field

from agent_runner.edits.formats.scan import Fence, fence_on
from agent_runner.edits.naming import is_prose, label_on

_SEARCH = re.compile(r"^[ \t]*<{5,9} ?(?:SEARCH|ORIGINAL)\b")
_DIVIDE = re.compile(r"^[ \t]*={5,9}\s*$")
_REPLACE = re.compile(r"^[ \t]*>{5,9} ?(?:REPLACE|UPDATED)\s*$")
_MARKED = re.compile(r"^\s*(?:\*\*\* Begin Patch|<{5,9} ?SEARCH|diff --git |--- \S)")
_SENTENCE = re.compile(r"^(?:[A-Z*#`>\[-]|\d+\.).*[.:!?)*`]$")


@define
class Fences:
    """All lines of a reply that open or close fences, outside of SEARCH/REPLACE blocks."""

    raw: list[str]
    _lines: dict[int, Fence] = field(init=False, factory=dict)
    _closing: dict[str, list[int]] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        first: int | None = None
        is_divided = False  # one file may hold the first marker of a block, and another the last
        for at, line in enumerate(self.raw):
            if _SEARCH.match(line):
                first, is_divided = at, False
            elif first is not None and _DIVIDE.match(line):
                is_divided = True
            elif first is not None and _REPLACE.match(line):
                if is_divided:
                    self._lines = {known: f for known, f in self._lines.items() if known < first}
                first = None
            elif (fence := fence_on(line)) is not None:
                self._lines[at] = fence

    def end(self, start: int, fence: Fence) -> int:
        """The first line from `start` on that closes the fence; the reply's length if none does."""
        if fence.marks not in self._closing:
            bare = [at for at, other in self._lines.items() if not other.info]
            self._closing[fence.marks] = [at for at in bare if fence.marks in self.raw[at]]
        closing = self._closing[fence.marks]
        for index in range(bisect_left(closing, start), len(closing)):
            if fence.closed_by(self.raw[closing[index]]):
                return closing[index]
        return len(self.raw)

    def end_of_file(self, start: int, fence: Fence, path: str) -> int | None:
        """The line that closes the fence of a whole file; None where it is unclear.

        The reply's length if no line closes it.
        """
        first = end = self.end(start, fence)
        depth = 0
        for at, inner in self._lines.items():  # inner fences told by their words
            if at < start:
                continue
            closes = fence.closed_by(self.raw[at])
            if closes and not depth:
                end = at
                break
            is_as_long = inner.marks[0] == fence.marks[0] and len(inner.marks) >= len(fence.marks)
            opens = bool(inner.info and is_as_long) and not closes
            if opens and not (depth or is_prose(path) or _within_comment(self.raw[start:at])):
                return None  # no line of code begins so: perhaps it is one of the reply
            depth += -1 if closes else opens
        else:
            end = len(self.raw)
        if end != first and (end == len(self.raw) or self._below(first + 1)[1]):
            return None
        opener, is_balanced = self._below(end + 1)
        if opener is None or self.end(end + 1, fence) == len(self.raw):
            return end
        return end if is_balanced and self._is_sure(start, end, opener, path) else None

    def _below(self, at: int) -> tuple[int | None, bool]:
        """The first fence from here on that opens without a word, and whether all are closed.

        One that holds nothing is no example: its marks belong to others.
        """
        opener: int | None = None
        for line, fence in self._lines.items():
            if line >= at:
                opener = line if opener is None and not fence.info else opener
                at = self.end(line + 1, fence) + 1
                if at > len(self.raw):
                    return opener, False
                if self._is_empty(line, at - 1):
                    return line, False
        return opener, True

    def _is_empty(self, at: int, end: int) -> bool:
        """Whether the fence between these lines holds nothing, and is no empty file."""
        above = next((line for line in reversed(self.raw[max(0, at - 2) : at]) if line.strip()), "")
        return not any(map(str.strip, self.raw[at + 1 : end])) and not _is_path(above)

    def _is_sure(self, start: int, end: int, opener: int, path: str) -> bool:
        """Whether a fence below that opens without a word is one of its own.

        Rather than the end of one inside of the file, whose beginning would be at `end`.
        """
        before, above = self.raw[end - 1].rstrip(), self.raw[opener - 1].rstrip()
        after, within = (self.raw[at + 1 : at + 2] or [""] for at in (end, opener))
        label = label_on(above)
        if _MARKED.match(within[0]) or (label is not None and label.whole):
            return True
        if before.endswith(":") or _is_path(before):
            return False  # it captions an example
        if _is_path(above) or is_prose(path):
            return _is_path(above)
        is_apart = not after[0].strip() or _SENTENCE.match(after[0].strip()) is not None
        is_captioned = not above or above.endswith((":", "**")) or above.startswith("#")
        return is_apart and is_captioned and not _within_comment(self.raw[start:end])


def _is_path(line: str) -> bool:
    label = label_on(line)
    return label is not None and label.sure


def _within_comment(lines: list[str]) -> bool:
    """Whether the text ends within a comment or a string of several lines."""
    text = "".join(f"\n{line.strip()}" for line in lines)
    if text.count('"""') % 2 or text.count("'''") % 2:
        return True
    pairs = (("/*", "*/"), ("<!--", "-->"), ("{-", "-}"), ("=begin", "=end"))
    return any(text.rfind(f"\n{opening}") > text.rfind(closing) for opening, closing in pairs)
