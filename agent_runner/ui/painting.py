"""Colours, and the way from rich's objects to lines for the terminal."""

import io
from collections.abc import Mapping

from rich.console import Console as RichConsole, RenderableType
from rich.rule import Rule
from rich.table import Table as RichTable
from rich.text import Text

from agent_runner.ui.event_lines import Tone
from agent_runner.ui.output import Output
from agent_runner.ui.tables import GAP, TextTable

STATE_STYLES = {
    "pending": "dim",
    "running": "cyan",
    "passed": "green",
    "passed (unchecked)": "yellow",
    "failed": "bold red",
    "skipped": "yellow",
}
"""A colour per state word, beside the word itself: nothing is said by colour alone."""

TONE_STYLES = {
    Tone.DIM: "dim",
    Tone.PLAIN: "",
    Tone.GOOD: "green",
    Tone.WARN: "yellow",
    Tone.BAD: "bold red",
}


class Painter:
    """Paints for one output, as wide as it is now; with `NO_COLOR` in `environ` without colours."""

    def __init__(
        self, out: Output, environ: Mapping[str, str], *, width: int | None = None
    ) -> None:
        self._out = out
        self._width = width
        self._rich = RichConsole(
            file=_Encoded(out.encoding),
            force_terminal=True,
            legacy_windows=False,
            highlight=False,
            no_color=bool(environ.get("NO_COLOR")),
            _environ={**environ, "COLUMNS": "", "LINES": ""},
        )

    @property
    def width(self) -> int:
        """Columns that may be written; one is left free, since some terminals break full lines."""
        return max(20, (self._width or self._out.size.columns) - 1)

    def lines(self, what: RenderableType) -> list[str]:
        """The painted lines, at most `width` columns each."""
        self._rich.width = self.width
        with self._rich.capture() as captured:
            self._rich.print(what, soft_wrap=False)
        return captured.get().rstrip("\n").split("\n")

    def wrapped(self, text: Text, *, indent: int = 0) -> list[str]:
        """The text broken at words, each line indented, without spaces at its end."""
        parts = text.wrap(self._rich, self.width - indent)
        for part in parts:
            part.rstrip()
            part.pad_left(indent)
        return [self.one_line(part) for part in parts]

    def paragraph(self, line: str) -> list[str]:
        """A ready line broken at words; what follows is indented as the line itself."""
        text = line.lstrip(" ")
        indent = min(len(line) - len(text), self.width // 2)
        return self.wrapped(Text(line[indent:]), indent=indent) if text else [""]

    def one_line(self, text: Text) -> str:
        """The text cut to one line."""
        text.truncate(self.width, overflow="ellipsis" if self._out.unicode else "crop")
        text.no_wrap = True
        return self.lines(text)[0]

    def table(self, table: TextTable) -> list[str]:
        """The table in colour, fitted."""
        return self.lines(_rich_table(table.fitted(self.width)))

    def rule(self, title: Text) -> list[str]:
        """A line across the screen with a title at its left."""
        title.truncate(self.width - 6, overflow="ellipsis" if self._out.unicode else "crop")
        return self.lines(Rule(title, align="left", style="dim"))


def _rich_table(table: TextTable) -> RichTable:
    painted = RichTable(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for column in table.columns:
        painted.add_column(column.name, justify="right" if column.number else "left", no_wrap=True)
    for row in table.rows:
        painted.add_row(*(Text(cell, style=STATE_STYLES.get(cell, "")) for cell in row))
    return painted


class _Encoded(io.StringIO):
    """A buffer with the encoding of the stream it stands for: rich draws its lines by that."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]  # StringIO's own is an attribute
        return self._encoding
