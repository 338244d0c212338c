"""The few lines at the bottom of a terminal that change, below lines that stay.

Each redraw is one write.

Lines that stay scroll up into the scrollback as ordinary output. Nothing is ever cleared before
something is written in its place, so nothing flickers: the cursor goes up, lines are written over,
each one's rest is erased.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.ansi import re_ansi

from agent_runner.ui import words
from agent_runner.ui.output import Output

_REST_OF_LINE = "\x1b[K"
_REST_OF_SCREEN = "\x1b[J"
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""Synchronised update: terminals that know it show a redraw at once, the others ignore it."""


class LivePart:
    """Draws lines (painted, each narrower than the terminal) under what is written above them."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._drawn: tuple[str, ...] = ()
        self._hidden = 0

    def draw(self, lines: Sequence[str], *, above: Iterable[str] = ()) -> None:
        """Write `above` for good, then the live lines.

        While `hidden`, only what is above is written.
        """
        above = tuple(above)
        if self._hidden:
            self._out.write("".join(f"{line}\n" for line in above))
            return
        shown = tuple(lines)
        if shown == self._drawn and not above:
            return
        kept = "".join(f"{line}{_REST_OF_LINE}\n" for line in above)
        live = "\n".join(f"{line}{_REST_OF_LINE}" for line in shown)
        hide = _HIDE if shown else _SHOW
        self._out.write(f"{_BEGIN}{hide}{self._to_top()}{kept}{live}{_REST_OF_SCREEN}{_END}")
        self._drawn = shown

    def erase(self) -> None:
        """Take the live lines away; the cursor stands where they began."""
        if self._drawn:
            self.draw(())

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """No live lines meanwhile, so that somebody else can write."""
        self.erase()
        self._hidden += 1
        try:
            yield
        finally:
            self._hidden -= 1

    def _to_top(self) -> str:
        """Back to the first live line.

        A terminal made narrower has broken the lines drawn before into more rows.
        """
        if not self._drawn:
            return "\r"
        columns = self._out.size.columns
        rows = sum(max(1, -(-painted_width(line) // columns)) for line in self._drawn)
        return f"\r\x1b[{rows - 1}A" if rows > 1 else "\r"


def painted_width(line: str) -> int:
    """The columns that a line with colours takes."""
    return words.columns(re_ansi.sub("", line))
