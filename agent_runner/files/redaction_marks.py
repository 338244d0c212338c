"""Marks in place of keys: whether a reply would write one where a key stands or stood.

The agent is shown the mark where a file holds something like a key. What is behind it is in no
reply, so written back it would cost the key. A program that is about such marks may well write
them: only a mark that stands for something is refused.
"""

from collections.abc import Callable, Iterable

from attrs import frozen

from agent_runner.ground.redaction import MARK, Redactor


@frozen
class RedactionMarks:
    """What the agent sees of the task's files with marks in place of keys.

    Attributes:
        redact: Takes keys out of a text, as prompts do.
        texts: The texts of all files that it may have been shown; asked only if a mark is met.
    """

    redact: Callable[[str], str] = Redactor().text
    texts: Callable[[], Iterable[str]] = tuple

    def in_place_of_key(self, lines: Iterable[str], original: bytes) -> str | None:
        """The first of the new lines whose mark would stand for a key; None if there is none.

        In a file that holds a key every new mark may be that key's, however the line was changed.
        In another file it is one that stands so in what was shown of a third.
        """
        before = original.decode("utf-8", "replace")
        there = {_bare(line) for line in before.split("\n")}
        marked = [line for line in lines if MARK in line and _bare(line) not in there]
        if not marked:
            return None
        if self.redact(before) != before:
            return marked[0]
        seen = {line for text in self.texts() for line in self._blotted(text)}
        return next((line for line in marked if _bare(line) in seen), None)

    def _blotted(self, text: str) -> set[str]:
        """The lines with a mark that the text itself does not hold."""
        shown = self.redact(text)
        if shown == text:
            return set()
        own = set(map(_bare, text.split("\n")))
        return {_bare(line) for line in shown.split("\n") if MARK in line} - own


def _bare(line: str) -> str:
    """The line without what changes when it is moved: indentation, and a comma at its end."""
    return line.strip().rstrip(",;")
