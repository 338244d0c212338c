"""How full the limits are, as small bars, and what was used, as a table."""

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from agent_runner.ground.clock import local
from agent_runner.limits.report import Counter, UsageRow
from agent_runner.ui import words
from agent_runner.ui.tables import Column, Table

_BAR = 10
"""Characters of a full bar."""


def counter_lines(counters: Iterable[Counter], zone: ZoneInfo | None = None) -> Iterator[str]:
    """One line a limit: `claude  tokens a week  [####......] 412.0k of 1.0M  resets TIME`.

    Times are those of `zone` (None: the machine's), as in the line that tells when to come back.
    """
    for counter in counters:
        who = counter.provider + (f" {counter.model}" if counter.model else "")
        told = "" if counter.read_at is None else f"  (told {local(counter.read_at, zone=zone)})"
        resets = (
            "" if counter.resets_at is None else f"  resets {local(counter.resets_at, zone=zone)}"
        )
        named = (counter.measure, counter.window)
        window = " ".join(dict.fromkeys(one for one in named if one))  # a provider's are the same
        yield f"{who}  {window}  {_bar(counter.fraction)} {_amount(counter)}{resets}{told}"


def usage_table(by: str, rows: Iterable[UsageRow]) -> Table:
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
    return Table(columns, tuple(_row(row) for row in rows))


def _row(row: UsageRow) -> tuple[str, ...]:
    counts = (row.input, row.cached, row.output, row.reserved)
    return (
        words.clean(row.name),
        str(row.calls),
        str(row.unanswered),
        *map(words.count, counts),
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
