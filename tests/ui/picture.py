"""Draws docs/screen.svg, a run in its middle: `python -m tests.ui.picture > docs/screen.svg`."""

import io
import re
import sys
from collections.abc import Iterable
from itertools import dropwhile, islice

from rich.console import Console as RichConsole
from rich.text import Text

from agent_runner.ui.console import Console
from agent_runner.ui.output import Output
from agent_runner.ui.tally import Tally
from tests.support.clocks import FakeClock
from tests.ui.scenario import Script, small_run, task_list
from tests.ui.screen import Screen

_COLUMNS = 80
"""What an `Output` takes a stream for that is no terminal."""

_STEPS = 46
"""Steps of the small run until its second task is being judged."""


def painted_lines() -> list[str]:
    """The screen as it stands then, from its first rule on."""
    written, clock = io.BytesIO(), FakeClock()
    stream = io.TextIOWrapper(written, encoding="utf-8", newline="\r\n")  # a terminal's line ends
    console = Console(Output(stream), Tally(task_list()), clock, {"TERM": "xterm-256color"})
    script = Script((console,))
    for _ in islice(small_run(script), _STEPS):
        clock.at = script.at
    screen = Screen(_COLUMNS)
    screen.feed(written.getvalue().decode())
    return list(dropwhile(lambda line: not line, screen.painted))


def picture() -> str:
    """The screen as SVG."""
    return svg(painted_lines(), _COLUMNS, "agent-runner run", "screen")


def svg(lines: Iterable[str], columns: int, title: str, name: str) -> str:
    """Painted lines as SVG, in fonts that its reader has: nothing is fetched to show it."""
    canvas = RichConsole(file=io.StringIO(), record=True, width=columns, force_terminal=True)
    for line in lines:
        canvas.print(Text.from_ansi(line), soft_wrap=True)
    drawn = canvas.export_svg(title=title, unique_id=name)
    drawn = re.sub(r" *@font-face \{.*?\n    \}\n", "", drawn, flags=re.DOTALL)
    return drawn.replace("Fira Code", "ui-monospace, Menlo, DejaVu Sans Mono")


if __name__ == "__main__":
    sys.stdout.write(picture())
