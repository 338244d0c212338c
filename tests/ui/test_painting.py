"""Tables in colour, made to fit."""

import io
from pathlib import Path

import pytest
from rich.ansi import re_ansi

from agent_runner.model.record import Counts, Spent, TaskRecord
from agent_runner.model.states import TaskState as S
from agent_runner.model.task import Task, TaskList
from agent_runner.model.usage import Usage
from agent_runner.ui.live import painted_width
from agent_runner.ui.output import Output
from agent_runner.ui.painting import STATE_STYLES, Painter
from agent_runner.ui.tables import Column, TextTable, status_table
from agent_runner.ui.tally import Tally

LONG = "A title that goes on and on, much further than any screen of eighty columns would like to"


def painted(width: int, environ: dict[str, str]) -> list[str]:
    root = Path("/project")
    tasks = tuple(
        Task(f"T{n}", f"{LONG} 世界", "", root, depends_on=("T1",) if n > 1 else ())
        for n in range(1, 4)
    )
    record = TaskRecord(
        "T1",
        S.ESCALATED,
        counts=Counts(attempts=3),
        spent=Spent(usage=Usage(123_456), cost=1.5, seconds=7000),
    )
    tally = Tally(TaskList("l", root / "tasks.yml", root, tasks), {"T1": record})
    painter = Painter(Output(io.StringIO()), environ, width=width)
    return list(painter.table(status_table(tally)))


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_table_fits_and_keeps_its_figures(width: int) -> None:
    lines = painted(width, {"TERM": "xterm-256color"})
    assert len(lines) == 4, "no row is broken"
    assert all(painted_width(line) < width for line in lines)
    for figure in ("failed", "1h56m", "123k", "$1.50"):
        assert figure in lines[1]
    assert ("T1 (failed)" if width > 80 else "  T1  ") in lines[2]


def test_states_have_colours_unless_none_are_wanted() -> None:
    assert "\x1b[1;31mx failed" in painted(80, {"TERM": "xterm-256color"})[1]
    assert "31m" not in "".join(painted(80, {"TERM": "xterm-256color", "NO_COLOR": "1"}))


def test_a_paragraph_is_broken_at_words_and_keeps_its_indent() -> None:
    painter = Painter(Output(io.StringIO()), {}, width=30)
    assert painter.paragraph("  evidence: the failure is the same") == [
        "  evidence: the failure is",
        "  the same",
    ]
    assert painter.paragraph("") == [""]
    assert painter.paragraph(" " * 40 + "deep") != [""]


class Utf8(io.StringIO):
    """A stream that can take all characters."""

    encoding = "utf-8"


def test_states_have_shapes_that_need_no_colour() -> None:
    table = TextTable((Column("state"),), tuple((word,) for word in STATE_STYLES))
    for stream in (io.StringIO(), Utf8()):
        lines = list(Painter(Output(stream), {"NO_COLOR": "1"}, width=80).table(table))[1:]
        shapes = {word: plain(line)[0] for word, line in zip(STATE_STYLES, lines, strict=True)}
        assert len({shapes[word] for word in ("passed", "failed", "skipped", "running")}) == 4


def plain(line: str) -> str:
    return re_ansi.sub("", line)


def test_a_line_goes_on_under_its_own_text() -> None:
    painter = Painter(Output(io.StringIO()), {}, width=31)
    assert painter.paragraph("12:00:01  asked claude and waited for it") == [
        "12:00:01  asked claude and",
        "          waited for it",
    ]
    assert painter.paragraph("          | E AssertionError: it is not so") == [
        "          | E AssertionError:",
        "          | it is not so",
    ]


def test_a_row_without_room_becomes_a_list() -> None:
    columns = (Column("name"), Column("address", shrinks=True, least=30), Column("trouble"))
    address, trouble = "https://example.org/a/long/path/v1", "there is no key; set SOME_KEY"
    painter = Painter(Output(io.StringIO()), {"NO_COLOR": "1"}, width=50)
    rows = (("one", address, trouble), ("two", "", ""))
    lines = list(painter.table(TextTable(columns, rows)))
    assert list(map(plain, lines)) == [
        "one",
        f"  address  {address}",
        f"  trouble  {trouble}",
        "two",
    ]
