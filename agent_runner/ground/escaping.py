"""Text that others chose (paths, keys, output), made safe to stand in a line or in a fence."""

import re

_TICKS = re.compile("`+")


def on_one_line(text: str) -> str:
    r"""The text with everything unprintable escaped as in Python: a newline becomes `\n`.

    Control characters, escape sequences, line separators and lone surrogates are unprintable;
    letters of every script are not. A file name may hold all of these, and a terminal or a model
    that reads them raw could be shown a line that nobody wrote.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


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
