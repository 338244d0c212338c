"""Where a fence ends that holds a whole file: surely, or not at all.

By the rules of Markdown the first line of as many marks ends it. Models also put files with fences
of their own into fences that are no longer. Then words tell which of those inside open, or the end
has to stand apart from what is below; all else is unclear.
"""

from bisect import bisect_left

from attrs import define, field

from agent_runner.edits.formats.scan import Fence, fence_on
from agent_runner.edits.formats.search_replace import CLOSE, DIVIDE, OPEN
from agent_runner.edits.naming import is_prose, label_on


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
            if OPEN.match(line):
                first, is_divided = at, False
            elif first is not None and DIVIDE.match(line):
                is_divided = True
            elif first is not None and CLOSE.match(line):
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
        first, end = self.end(start, fence), self._end_by_words(start, fence)
        if end != first and (
            end == len(self.raw) or not is_prose(path) or self._below(first + 1)[1]
        ):
            return None  # no line of code begins so: perhaps it is one of the reply
        inner = self._lines.get(start)
        if inner is not None and inner.info and inner.marks.startswith(fence.marks):
            return None  # perhaps the fence was begun twice
        opener, is_balanced = self._below(end + 1)
        if opener is None or self.end(end + 1, fence) == len(self.raw):
            return end
        return end if is_balanced and self._is_apart(start, end, opener, path) else None

    def _end_by_words(self, start: int, fence: Fence) -> int:
        """The same, if each fence inside that is as long and has a word has an end of its own."""
        depth = 0
        for at, inner in self._lines.items():
            closes = fence.closed_by(self.raw[at])
            if at >= start and closes and not depth:
                return at
            if at >= start:
                depth += -1 if closes else bool(inner.info) and inner.marks.startswith(fence.marks)
        return len(self.raw)

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

    def _is_apart(self, start: int, end: int, opener: int, path: str) -> bool:
        """Whether a fence below that opens without a word is surely one of its own.

        Else `end` may begin one inside of the file, whose end would be at `opener`. Code has some
        in comments only, and there a text may have any.
        """
        above, below = self.raw[opener - 1].strip(), self.raw[end + 1].strip()
        if is_prose(path):
            return _is_path(above) and (not below or _is_path(below))
        return _captions(above) and _captions(below) and not _ends_inside(self.raw[start:end])


def _captions(line: str) -> bool:
    """Whether the line may stand between two fences of a reply, rather than in a file."""
    return not line or line.endswith((":", "**")) or line.startswith("#") or _is_path(line)


def _is_path(line: str) -> bool:
    label = label_on(line)
    return label is not None and label.sure


def _ends_inside(lines: list[str]) -> bool:
    """Whether the text ends within a comment or a string of several lines."""
    text = "".join(f"\n{line.strip()}" for line in lines)
    if text.count('"""') % 2 or text.count("'''") % 2:
        return True
    pairs = (("/*", "*/"), ("<!--", "-->"), ("{-", "-}"), ("=begin", "=end"))
    return any(text.rfind(f"\n{opening}") > text.rfind(closing) for opening, closing in pairs)
