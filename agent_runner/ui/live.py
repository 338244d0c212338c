"""The few lines at the bottom of a terminal that change, below lines that stay.

Lines that stay are ordinary output: they scroll up into the scrollback. Each redraw is one write:
the cursor goes up, lines are written over, and only the rest of each is erased. Nothing is cleared
before something stands in its place, so nothing flickers, even where a terminal does not know the
synchronised update.
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
"""Synchronised update: terminals that know it show a redraw in one go, the others ignore it."""


class LivePart:
    """Draws a few lines, each painted and narrower than the terminal, under all other output."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._drawn: tuple[str, ...] = ()
        self._hidden = 0

    def draw(self, lines: Sequence[str], *, above: Iterable[str] = ()) -> None:
        """Write `above` for good, then the live lines; while `hidden` only the former."""
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
        """Take the live lines away and leave the cursor where they began."""
        if self._drawn:
            self.draw(())

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Show no live lines for a while, so that somebody else can write."""
        self.erase()
        self._hidden += 1
        try:
            yield
        finally:
            self._hidden -= 1

    def _to_top(self) -> str:
        """The way back to the first live line.

        In columns of now, not of when they were drawn: a terminal that was made narrower since has
        broken them into more rows, and going up by their number would leave some of them behind.
        """
        if not self._drawn:
            return "\r"
        columns = self._out.size.columns
        rows = sum(max(1, -(-painted_width(line) // columns)) for line in self._drawn)
        return f"\r\x1b[{rows - 1}A" if rows > 1 else "\r"


def painted_width(line: str) -> int:
    """The columns that a line takes, its colours left out."""
    return words.columns(re_ansi.sub("", line))
