"""Colours: texts and tables as lines for a terminal."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from rich.console import Console as RichConsole
from rich.text import Text

from agent_runner.ui import words
from agent_runner.ui.event_lines import Tone
from agent_runner.ui.output import Output
from agent_runner.ui.patches import LineKind, classified
from agent_runner.ui.tables import GAP, TextTable

STATE_STYLES = {
    "pending": "dim",
    "running": "cyan",
    "stopped": "yellow",
    **dict.fromkeys(words.PASSED, "yellow"),
    "passed": "green",
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


_PATCH_STYLES = {
    LineKind.HEAD: "bold",
    LineKind.HUNK: "cyan",
    LineKind.ADDED: "green",
    LineKind.REMOVED: "red",
    LineKind.CONTEXT: "",
}

_FRONT = re.compile(r"^( *)(\S+ {2,})?(\| )?")
"""What may stand before the text of a line."""

_LEAST = 4
"""Columns that a text keeps however narrow the screen is."""


class Part(NamedTuple):
    """A piece of a line. `shrinks`: whether it may be cut where the screen is narrow."""

    text: str
    style: str = ""
    shrinks: bool = False


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
        marked = {f"{self.mark(word)} {word}": style for word, style in STATE_STYLES.items()}
        self._styles = {**STATE_STYLES, **marked}

    @property
    def width(self) -> int:
        """Columns that may be written; one is left free, since some terminals break full lines."""
        return max(20, (self._width or self._out.size.columns) - 1)

    def wrapped(
        self, text: Text, *, indent: int = 0, hanging: int = 0, mark: str = ""
    ) -> list[str]:
        """The text broken at words, each line indented, those after the first by `hanging` more.

        `mark` stands in the indent of the first line.
        """
        parts = text.divide(words.broken(text.plain, self.width - indent - hanging))
        for number, part in enumerate(parts):
            part.rstrip()
            part.pad_left(indent + hanging if number else indent - len(mark))
        if mark:
            parts[0] = Text.assemble((mark, text.style), parts[0])
        return [self._painted(part) for part in parts]

    def paragraph(self, line: str, style: str = "") -> list[str]:
        """A ready line broken at words; further lines go on under its text.

        That is under what comes after its indent, the bar of a quotation (which is repeated), or
        the word that stands apart at its beginning, such as a time.
        """
        front = "".join(_FRONT.findall(line)[0])
        if len(front) > self.width // 2:
            front = line[: len(line) - len(line.lstrip(" "))][: self.width // 2]
        under = "".join(one if one in " |" else " " for one in front)
        first, *more = _broken(line[len(front) :], self.width - words.columns(front))
        lines = [(front + first).rstrip(), *(under + one for one in more)]
        return [self._painted(Text(one, style)) for one in lines] if style else lines

    def squeezed(self, *parts: Part) -> str:
        """Texts side by side on one line; where it is too narrow, those that shrink are cut.

        So a figure behind a long title stays.
        """
        over = sum(words.columns(part.text) for part in parts) - self.width
        whole = Text()
        for part in parts:
            text = Text(part.text, part.style)
            if part.shrinks and over > 0:
                wide = words.columns(part.text)
                text = self._cut(text, max(_LEAST, wide - over))
                over -= wide - words.columns(text.plain)
            whole.append_text(text)
        return self.one_line(whole)

    def one_line(self, text: Text) -> str:
        """The text cut to one line."""
        return self._painted(self._cut(text, self.width))

    def table(self, table: TextTable) -> Iterator[str]:
        """The table in colour, fitted, line by line; as a list where a row has no room.

        Its cells may quote others: here they are made safe, whoever forgot to.
        """
        table = self._marked(table)
        fitted = table.fitted(self.width)
        if fitted is None:
            yield from self._list(table)
            return
        gap = " " * GAP
        for number, cells in enumerate(fitted.padded()):
            styles = (self._styles.get(cell.strip(), "") if number else "bold" for cell in cells)
            painted = (Text(cell, style) for cell, style in zip(cells, styles, strict=True))
            row = Text(gap).join(painted)
            row.rstrip()
            yield self.one_line(row)

    def rule(self, *title: Part) -> str:
        """A line across the screen with a title at its left."""
        line = ("\u2500" if self._out.unicode else "-") * self.width
        taken = sum(words.columns(part.text) for part in title) + 1
        shown = line[: max(_LEAST, self.width - taken)]
        return self.squeezed(*title, Part(f" {shown}", "dim"))

    def patch(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines of a patch in colour, none of them cut."""
        for kind, line in classified(lines):
            yield self._painted(Text(words.shown(line), _PATCH_STYLES[kind]))

    def mark(self, word: str) -> str:
        """The shape of a state."""
        return words.mark(word, unicode=self._out.unicode)

    def _marked(self, table: TextTable) -> TextTable:
        """The table with safe cells and the shape of each state beside its word."""
        rows = tuple(tuple(map(words.clean, row)) for row in table.rows)
        names = [column.name for column in table.columns]
        if "state" in names:
            at = names.index("state")
            rows = tuple(
                (*row[:at], f"{self.mark(row[at])} {row[at]}", *row[at + 1 :]) for row in rows
            )
        narrow = table.narrow
        return TextTable(table.columns, rows, narrow and (lambda: self._marked(narrow())))

    def _list(self, table: TextTable) -> Iterator[str]:
        """Each row as a paragraph: its first cell, then the others by their names."""
        names = [
            f"{column.name:{max(len(c.name) for c in table.columns)}}" for column in table.columns
        ]
        for row in table.rows:
            yield self.one_line(Text(row[0], "bold"))
            for name, cell in zip(names[1:], row[1:], strict=True):
                if cell:
                    yield from self.paragraph(f"  {name}  {cell}")

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


def _broken(text: str, width: int) -> list[str]:
    """The lines of a text that is broken at words."""
    at = [0, *words.broken(text, width), len(text)]
    return [text[start:end].rstrip() for start, end in pairwise(at)]
