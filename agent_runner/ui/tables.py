"""Tables as text: of `status`, `usage` and the end of a run; painting.py adds the colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from agent_runner.ground.clock import local
from agent_runner.ui import words
from agent_runner.ui.tally import Tally

if TYPE_CHECKING:  # `status` shows outlines and often no limits
    from agent_runner.limits.report import Counter, UsageRow
    from agent_runner.model.standing import TaskOutline
    from agent_runner.model.task import Task

GAP = 2
"""Spaces between two columns."""

_READABLE = 16
"""Columns of the screen below which a title says so little that a column of figures gives way."""

_LONG = 50
"""Rows that a person would still read at the end of a run."""

_UNREMARKABLE = frozenset({"passed", "pending"})
"""State words that the end of a long run leaves to its closing line."""

_BAR = 10
"""Characters of a full bar."""


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: Its heading.
        number: Whether its cells stand at the right.
        shrinks: Whether its cells are cut where the screen is too narrow.
        short: Its heading there; "": the same.
        least: Columns of the screen that its cells keep when they are cut.
    """

    name: str
    number: bool = False
    shrinks: bool = False
    short: str = ""
    least: int = 8


class TextTable(NamedTuple):
    """Rows of cells, all text. `narrow`: makes the table for a screen that is too narrow for it."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    narrow: Callable[[], TextTable] | None = None

    @property
    def widths(self) -> list[int]:
        """How many columns of the screen the longest cell of each column takes."""
        return [max(map(_measure(cells), cells)) for cells in self._by_column()]

    def lines(self) -> Iterator[str]:
        """The table for a pipe, line by line: nothing is cut and nothing coloured."""
        return ((" " * GAP).join(cells).rstrip() for cells in self.padded())

    def padded(self) -> Iterator[tuple[str, ...]]:
        """The headings, then the rows, each cell filled up to the width of its column."""
        return zip(*map(_padded, self._by_column(), self.columns), strict=True)

    def fitted(self, width: int) -> TextTable | None:
        """The table for a screen of `width` columns: short headings first, then texts are cut.

        None where that does not do: no figure is ever cut, since a number without its last digit
        would be another number, and of every text enough has to stay to be of use.
        """
        if self._too_wide(width) <= 0:
            return self
        table = TextTable(
            tuple(c._replace(name=c.short or c.name) for c in self.columns), self.rows
        )
        widths = table.widths
        over = table._too_wide(width)
        # The first column that shrinks gives way first.
        places = [place for place, column in enumerate(table.columns) if column.shrinks]
        if self.narrow is not None and places and widths[places[0]] - over < _READABLE:
            return self.narrow().fitted(width)
        for place in places:
            taken = max(0, min(over, widths[place] - table.columns[place].least))
            widths[place] -= taken
            over -= taken
        if over > 0:
            return None
        rows = tuple(
            tuple(
                words.cut(cell, widths[place]) if place in places else cell
                for place, cell in enumerate(row)
            )
            for row in table.rows
        )
        return TextTable(table.columns, rows)

    def _by_column(self) -> Iterator[tuple[str, ...]]:
        """The cells of each column, from its heading down."""
        return zip((column.name for column in self.columns), *self.rows, strict=True)

    def _too_wide(self, width: int) -> int:
        return sum(self.widths) + GAP * (len(self.columns) - 1) - width


def _measure(cells: Iterable[str]) -> Callable[[str], int]:
    """What measures these cells: one look at all spares ten thousand looks at each."""
    return len if "".join(cells).isascii() else words.columns


def _padded(cells: tuple[str, ...], column: Column) -> list[str]:
    measure = _measure(cells)
    width = max(map(measure, cells))
    spaces = [" " * (width - measure(cell)) for cell in cells]
    if column.number:
        return [space + cell for space, cell in zip(spaces, cells, strict=True)]
    return [cell + space for space, cell in zip(spaces, cells, strict=True)]


def status_table(tally: Tally, wanted: frozenset[str] = frozenset()) -> TextTable:
    """Tasks with state, attempts, failures, time, what holds them, calls, tokens and cost.

    `wanted`: the states of those that are shown (`Tally.in_words`).
    """
    return _table(tally, tally.in_words(wanted))


def final_table(tally: Tally) -> TextTable:
    """The table at the end of a run: task, state, attempts, time, calls, tokens, cost.

    Of a long list it has only what did not simply pass or wait; the closing line counts the rest.
    """
    tasks = tally.listed
    if len(tasks) > _LONG:
        remarkable = (t for t in tasks if tally.word(t.id) not in _UNREMARKABLE)
        tasks = tuple(islice(remarkable, _LONG))
    return _table(tally, tasks, "failures", "held by")


def counter_lines(counters: Iterable[Counter], zone: tzinfo | None = None) -> Iterator[str]:
    """One line a limit: `claude  tokens a week  [####......] 412.0k of 1.0M  resets TIME`.

    Times are those of `zone` (None: the machine's), as in the line that says when to run again.
    """
    for counter in counters:
        who = counter.provider + (f" {counter.model}" if counter.model else "")
        as_of = "" if counter.read_at is None else f"  (as of {local(counter.read_at, zone=zone)})"
        resets = (
            "" if counter.resets_at is None else f"  resets {local(counter.resets_at, zone=zone)}"
        )
        named = (counter.measure, counter.window)
        window = " ".join(dict.fromkeys(one for one in named if one))  # a provider's are the same
        yield f"{who}  {window}  {_bar(counter.fraction)} {_amount(counter)}{resets}{as_of}"


MORE = "+"
"""Behind a count that is the least there was."""


def usage_table(by: str, rows: Iterable[UsageRow]) -> TextTable:
    """Calls, tokens and cost by task, model or day; the last row is the total."""
    columns = (
        Column(by, shrinks=True),
        Column("calls", number=True),
        Column("unanswered", number=True),
        Column("input", number=True),
        Column("cached", number=True),
        Column("output", number=True),
        Column("reserved", number=True),
        Column("cost", number=True),
    )
    return TextTable(columns, tuple(_usage_row(row) for row in rows))


def _table(tally: Tally, tasks: Sequence[Task | TaskOutline], *leave_out: str) -> TextTable:
    """The table of these tasks, without the columns `leave_out`.

    Where it is narrow, a title says more than the number of calls, and the id of a task that holds
    another more than its state, which stands in a row of its own.
    """
    wide = _whole_table(tally, tasks, short=False)
    gone = {*_empty(wide, ("held by", "cost")), *leave_out}

    def narrow(level: int = 0) -> TextTable:
        table = _without(_whole_table(tally, tasks, short=True), gone | _SPARED[level])
        if level + 1 == len(_SPARED):
            return table
        return table._replace(narrow=lambda: narrow(level + 1))

    return _without(wide, gone)._replace(narrow=narrow)


_SPARED = (
    {"calls"},
    {"calls", "failures", "time", "tokens"},
    {"calls", "failures", "time", "tokens", "attempts", "cost", "held by"},
)
"""The columns that go first as the screen gets narrower: what a person looks for last."""


def _whole_table(tally: Tally, tasks: Sequence[Task | TaskOutline], *, short: bool) -> TextTable:
    columns = (
        Column("task"),
        Column("title", shrinks=True),
        Column("state", shrinks=True, least=10),
        Column("attempts", number=True, short="att"),
        Column("failures", number=True, short="fail"),
        Column("time", number=True),
        Column("held by", shrinks=True),
        Column("calls", number=True),
        Column("tokens", number=True),
        Column("cost", number=True),
    )
    return TextTable(columns, tuple(_status_row(tally, task, short=short) for task in tasks))


def _status_row(tally: Tally, task: Task | TaskOutline, *, short: bool) -> tuple[str, ...]:
    record = tally.record(task.id)
    held = ", ".join(one if short else f"{one} ({tally.word(one)})" for one in tally.held_by(task))
    title = words.clean(task.title)
    if tally.is_stale(task):
        title += " [text changed since]"
    if built_on := tally.built_on(task):
        title += f" [built on {words.listed(built_on)}, which has not passed]"
    return (
        task.id,
        title,
        tally.word(task.id),
        str(record.counts.attempts),
        str(record.counts.failures),
        words.duration(record.spent.seconds) if record.spent.seconds else "-",
        held,
        str(record.calls),
        words.count(record.spent.usage.total),
        words.money(record.spent.cost),
    )


def _empty(table: TextTable, names: tuple[str, ...]) -> set[str]:
    """Those of `names` whose column says nothing in any row."""
    places = {column.name: place for place, column in enumerate(table.columns)}
    return {n for n in names if all(row[places[n]] in {"", "-"} for row in table.rows)}


def _without(table: TextTable, names: set[str]) -> TextTable:
    kept = [place for place, column in enumerate(table.columns) if column.name not in names]
    return TextTable(
        tuple(table.columns[place] for place in kept),
        tuple(tuple(row[place] for place in kept) for row in table.rows),
    )


def _usage_row(row: UsageRow) -> tuple[str, ...]:
    share = f" ({row.cached_share:.0%})" if row.cached_share else ""
    more = MORE if row.at_least else ""
    return (
        words.clean(row.name),
        str(row.calls),
        str(row.unanswered),
        words.count(row.input) + more,
        f"{words.count(row.cached)}{share}",
        words.count(row.output) + more,
        words.count(row.reserved),
        words.money(row.cost),
    )


def _bar(fraction: float | None) -> str:
    if fraction is None:
        return f"[{'?' * _BAR}]"
    full = min(_BAR, round(fraction * _BAR))
    return f"[{'#' * full}{'.' * (_BAR - full)}]"


def _amount(counter: Counter) -> str:
    if counter.limit is None and counter.status:
        return words.clean(counter.status)
    if counter.limit is None:
        return f"{counter.used:.0%}" if counter.used <= 2 else words.count(int(counter.used))
    if counter.measure == "cost":
        return f"{words.money(counter.used)} of {words.money(counter.limit)}"
    if counter.measure in {"requests", "tokens"}:
        return f"{words.count(int(counter.used))} of {words.count(int(counter.limit))}"
    return f"{counter.used:.0%}"
