"""Tables in colour, made to fit."""

import io
from pathlib import Path

import pytest

from agent_runner.model.record import Counts, Spent, TaskRecord
from agent_runner.model.states import TaskState as S
from agent_runner.model.task import Task, TaskList
from agent_runner.model.usage import Usage
from agent_runner.ui.live import painted_width
from agent_runner.ui.output import Output
from agent_runner.ui.painting import Painter
from agent_runner.ui.tables import status_table
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
    assert "T1 (failed)" in lines[2]


def test_states_have_colours_unless_none_are_wanted() -> None:
    assert "\x1b[1;31mfailed" in painted(80, {"TERM": "xterm-256color"})[1]
    assert "31m" not in "".join(painted(80, {"TERM": "xterm-256color", "NO_COLOR": "1"}))


def test_a_paragraph_is_broken_at_words_and_keeps_its_indent() -> None:
    painter = Painter(Output(io.StringIO()), {}, width=30)
    assert painter.paragraph("  evidence: the failure is the same") == [
        "  evidence: the failure is",
        "  the same",
    ]
    assert painter.paragraph("") == [""]
    assert painter.paragraph(" " * 40 + "deep") != [""]
