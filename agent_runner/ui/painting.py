"""Colours: texts and tables as lines for a terminal."""

import io
from collections.abc import Iterator, Mapping

from rich.console import Console as RichConsole
from rich.text import Text

from agent_runner.ui import words
from agent_runner.ui.event_lines import Tone
from agent_runner.ui.output import Output
from agent_runner.ui.tables import GAP, TextTable

STATE_STYLES = {
    "pending": "dim",
    "running": "cyan",
    "stopped": "yellow",
    "passed": "green",
    "passed (tests changed)": "yellow",
    "passed (nothing changed)": "yellow",
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
    """Paints for one output, as wide as it is now; without colours if `environ` has `NO_COLOR`."""

    def __init__(
        self, out: Output, environ: Mapping[str, str], *, width: int | None = None
    ) -> None:
        self._out = out
        self._width = width
        self._rich = RichConsole(
            file=io.StringIO(),
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

    def wrapped(self, text: Text, *, indent: int = 0, hanging: int = 0) -> list[str]:
        """The text broken at words, each line indented, those after the first by `hanging` more."""
        parts = text.divide(words.broken(text.plain, self.width - indent - hanging))
        for number, part in enumerate(parts):
            part.rstrip()
            part.pad_left(indent + hanging if number else indent)
        return [self._painted(part) for part in parts]

    def paragraph(self, line: str) -> list[str]:
        """A ready line broken at words, whose further lines are indented as the first."""
        text = line.lstrip(" ")
        indent = min(len(line) - len(text), self.width // 2)
        return self.wrapped(Text(line[indent:]), indent=indent) if text else [""]

    def one_line(self, text: Text) -> str:
        """The text cut to one line."""
        return self._painted(self._cut(text, self.width))

    def table(self, table: TextTable) -> Iterator[str]:
        """The table in colour, fitted, line by line."""
        gap = " " * GAP
        for number, cells in enumerate(table.fitted(self.width).padded()):
            styles = (STATE_STYLES.get(cell.strip(), "") if number else "bold" for cell in cells)
            painted = (Text(cell, style) for cell, style in zip(cells, styles, strict=True))
            row = Text(gap).join(painted)
            row.rstrip()
            yield self.one_line(row)

    def rule(self, title: Text) -> str:
        """A line across the screen with a title at its left."""
        title = self._cut(title, self.width - 6)
        free = self.width - words.columns(title.plain) - 1
        line = ("\u2500" if self._out.unicode else "-") * free
        return self._painted(Text.assemble(title, (f" {line}", "dim")))

    def _cut(self, text: Text, width: int) -> Text:
        if words.columns(text.plain) <= width:
            return text
        ellipsis = "\u2026" if self._out.unicode else ""
        return text[: words.fitting(text.plain, width - len(ellipsis))].append(ellipsis)

    def _painted(self, text: Text) -> str:
        """The text with colours.

        It fits already. Rich would break or cut it by a measure of its own: `soft_wrap` keeps it
        from doing so.
        """
        with self._rich.capture() as captured:
            self._rich.print(text, soft_wrap=True, end="")
        return captured.get()
