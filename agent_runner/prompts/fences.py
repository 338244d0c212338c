"""Puts text that others wrote between fences it cannot break out of."""

import re

_TICKS = re.compile("`+")


def fenced(text: str) -> str:
    """The text in a fence longer than any run of backticks in it, so that nothing in it ends it."""
    longest = max(map(len, _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    newline = "" if not text or text.endswith("\n") else "\n"
    return f"{fence}\n{text}{newline}{fence}"


def inline(text: str) -> str:
    """One line of text between backticks; what is no plain line is escaped or fenced."""
    if "\n" in text:
        return f"\n{fenced(text)}"
    longest = max(map(len, _TICKS.findall(text)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"
