"""How results reach stdout: lines, tables that fit the screen, JSON for programs."""

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent_runner.app.overview import Part
    from agent_runner.model.errors import Problem
    from agent_runner.ui.event_lines import LogLine


def say(text: str) -> None:
    """Print what was asked for, whoever is quoted in it."""
    print(safe(text))


def note(text: str) -> None:
    """Say on stderr what goes beside it, or what is wrong."""
    print(safe(text), file=sys.stderr)


def located(problem: "Problem") -> str:
    """A mistake with its place as one would type it: a file below the current folder from there."""
    from pathlib import Path

    with contextlib.suppress(OSError, ValueError):  # no folder any more, or the file is elsewhere
        below = Path(problem.file).relative_to(Path.cwd())
        if below.parts:
            problem = problem._replace(file=str(below))
    return str(problem)


def print_parts(parts: "Iterable[Part]") -> int:
    """Print lines and tables: fitted to a terminal, tables in colour; in full to a pipe."""
    if is_drawing():
        print_drawn(drawn(parts))
        return 0
    for part in parts:
        if isinstance(part, str):
            say(part)
        else:
            say("\n".join(part.lines()))
    return 0


def is_drawing() -> bool:
    """Whether stdout is a terminal that lines are fitted to and painted for."""
    from agent_runner.ui.output import can_draw

    return can_draw(sys.stdout, os.environ)


def drawn(parts: "Iterable[Part | LogLine]") -> Iterator[str]:
    """Lines and tables as they are drawn on the terminal; a line of a log in its colour."""
    from agent_runner.ui.event_lines import LogLine
    from agent_runner.ui.output import Output
    from agent_runner.ui.painting import TONE_STYLES, Painter  # lazy: rich is slow to import
    from agent_runner.ui.words import shown

    painter = Painter(Output(sys.stdout), os.environ)
    for part in parts:
        if isinstance(part, str):
            for line in part.split("\n"):
                yield from painter.paragraph(shown(line))
        elif isinstance(part, LogLine):
            yield from painter.paragraph(shown(part.text), TONE_STYLES[part.tone])
        else:
            yield from painter.table(part)


def print_drawn(lines: Iterable[str]) -> None:
    """Print lines that `drawn` or a painter made: nobody else's text is raw in them."""
    for line in lines:
        print(line)


def safe(text: str) -> str:
    """Text that may quote a model, a hook or a file: no terminal or build server obeys it."""
    from agent_runner.ui.words import harmless, no_command

    return "\n".join(map(no_command, harmless(text).split("\n")))


def print_object(content: dict[str, Any]) -> int:
    """Print one JSON object."""
    import json

    from agent_runner.ui.words import json_without_commands

    text = json.dumps(content, ensure_ascii=False, indent=2, default=str)
    print(json_without_commands(text))
    return 0


def warn(warnings: Iterable[str]) -> None:
    """Say on stderr what is odd but hinders nothing."""
    for warning in warnings:
        note(f"warning: {warning}")
