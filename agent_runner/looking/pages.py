"""Pages of a text: whole lines, as many as there is room for, and the words for the rest."""

from attrs import frozen

from agent_runner.looking.arguments import AskError, Given
from agent_runner.looking.files import counted

MOST_LINES = 400
MOST_CHARACTERS = 24_000
LONGEST_LINE = 2_000
_FOOTER = 200  # characters kept free for what is said below a page


@frozen
class Page:
    """Lines `first` to `last` of `total`, from 1, as text; `wanted`: the last line asked for."""

    text: str
    first: int
    last: int
    total: int
    wanted: int

    @property
    def range(self) -> str:
        """Which lines these are: `lines 1-400 of 912`."""
        return f"lines {self.first}-{self.last} of {self.total}"

    @property
    def rest(self) -> str:
        """What of the lines asked for is left out, and the next call; "" if nothing is."""
        if self.last >= self.wanted:
            return ""
        left = f"{self.last + 1}-{self.wanted}"
        return f"[lines {left} not shown: ask with start_line {self.last + 1}]"


def rows_of(text: str) -> list[str]:
    """The lines with their ends; only a newline ends a line."""
    rows = text.split("\n")
    last = rows.pop()
    return [f"{row}\n" for row in rows] + ([last] if last else [])


def page_of(rows: list[str], given: Given, room: int, what: str) -> Page:
    """The lines that `start_line` and `end_line` name; negative ones count from the end.

    Raises AskError for a first line that is not there.
    """
    total = len(rows)
    first = _line(given.number("start_line"), 1, total)
    wanted = min(_line(given.number("end_line"), total, total), total)
    if first > total:
        have = counted(total, "line")
        raise AskError(f"{what} has {have}; start_line {first} is past its end.", "past the end")
    if wanted < first:
        raise AskError(f"end_line {wanted} stands above start_line {first}.", "no lines")
    taken: list[str] = []
    left = min(room, MOST_CHARACTERS) - _FOOTER
    for row in rows[first - 1 : min(wanted, first - 1 + MOST_LINES)]:
        line = _cut(row)
        left -= len(line)
        if left < 0 and taken:
            break
        taken.append(line)
    return Page("".join(taken), first, first - 1 + len(taken), total, wanted)


def paged(title: str, page: Page, notes: tuple[str, ...] = ()) -> str:
    """A page with its title above and what is left out below."""
    text = page.text
    if not text.endswith("\n"):
        text += "\n"
        if page.last == page.total:
            notes = ("[no newline at its end]", *notes)
    return "\n".join([f"{title} {page.range}", text + "\n".join(filter(None, [*notes, page.rest]))])


def _line(number: int | None, default: int, total: int) -> int:
    if number is None:
        return default
    return max(1, total + 1 + number) if number < 0 else max(1, number)


def _cut(row: str) -> str:
    if len(row) <= LONGEST_LINE + 1:
        return row
    more = len(row.removesuffix("\n")) - LONGEST_LINE
    end = "\n" if row.endswith("\n") else ""
    return f"{row[:LONGEST_LINE]} [... {more:,} more characters on this line]{end}"
