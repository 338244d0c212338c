"""How long texts are in tokens, on the safe side, and how they are cut to fit. Pure."""

import math

CHARACTERS_PER_TOKEN = 2.5
"""Of ASCII text; tokenizers in use need fewer tokens. Other characters count as a token each."""


_MARK = 20  # tokens that the line about what is left out takes


def tokens_of(text: str) -> int:
    """At most about how many tokens `text` is."""
    return math.ceil(_weight(text))


def characters(tokens: int) -> int:
    """How many characters of ASCII text so many tokens hold."""
    return max(0, int(tokens * CHARACTERS_PER_TOKEN))


def middle_cut(text: str, tokens: int) -> str:
    """The text, or its head and tail with a line between them that says how much is left out.

    A third of the room goes to the head: what matters in the output of a tool stands at its end.
    """
    size = tokens_of(text)
    if size <= tokens:
        return text
    allowed = len(text) * max(0, tokens - _MARK) // size
    while True:
        head = _whole_lines(text[: allowed // 3])
        tail = text[len(text) - (allowed - allowed // 3) :]
        tail = tail if allowed else ""
        left_out = text.count("\n", len(head), len(text) - len(tail)) or 1
        cut = f"{head}[... {left_out} lines left out ...]\n{tail.partition(chr(10))[2] or tail}"
        if tokens_of(cut) <= tokens or not allowed:
            return cut
        allowed = allowed * 9 // 10


def head_cut(text: str, tokens: int) -> str:
    """The text's first whole lines, as many as fit."""
    if tokens_of(text) <= tokens:
        return text
    taken, used = 0, 0.0
    for line in text.split("\n"):
        used += _weight(f"{line}\n")
        if used > tokens:
            break
        taken += len(line) + 1
    return text[:taken]


def _weight(text: str) -> float:
    """Tokens, not rounded, so that they can be added up."""
    ascii_only = len(text) if text.isascii() else len(text.encode("ascii", "ignore"))
    return ascii_only / CHARACTERS_PER_TOKEN + len(text) - ascii_only


def _whole_lines(text: str) -> str:
    """The text up to its last newline, or all of it if it has none."""
    return text[: text.rfind("\n") + 1] or text
