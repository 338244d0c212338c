"""Long results at a terminal, through the pager that the user has chosen."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from agent_runner.cli.output import drawn, is_drawing, print_drawn, print_parts

if TYPE_CHECKING:
    from agent_runner.app.overview import Part

NoPager: TypeAlias = Annotated[
    bool, typer.Option("--no-pager", help="Print at once, whatever PAGER says.")
]

_LESS = "FRX"
"""What less is told where the user tells it nothing, as git has it: quit if all fits on the screen,
pass colours on, leave the text on the screen.
"""


def page_parts(parts: "Iterable[Part]", *, no_pager: bool) -> int:
    """Print lines and tables as `print_parts` does; at a terminal through the pager."""
    if no_pager or not is_drawing():
        return print_parts(parts)
    return page(drawn(parts), no_pager=no_pager)


def page(lines: Iterable[str], *, no_pager: bool) -> int:
    """Show lines that are ready for the terminal: those that fit on it at once, more in the pager.

    `PAGER` is a command for the shell; where it is empty, `cat` or not there, all is printed.
    """
    rest = iter(lines)
    first = list(_most(rest, shutil.get_terminal_size().lines - 1))
    pager = "" if no_pager else _pager()
    at_once = not pager or len(first) < shutil.get_terminal_size().lines - 1
    if at_once or not _shown(pager, [*first, *rest]):
        print_drawn([*first, *rest])
    return 0


def _most(lines: Iterator[str], number: int) -> Iterator[str]:
    for _, line in zip(range(number), lines, strict=False):
        yield line


def _pager() -> str:
    wanted = os.environ.get("PAGER", "less")
    return "" if wanted in {"", "cat"} or shutil.which(wanted.split()[0]) is None else wanted


def _shown(pager: str, lines: list[str]) -> bool:
    """Whether the pager could be started and has been left."""
    env = {"LESS": _LESS, "LV": "-c", **os.environ}
    text = "".join(f"{line}\n" for line in lines)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the pager's
    try:
        sys.stdout.flush()
        with subprocess.Popen(pager, shell=True, env=env, stdin=subprocess.PIPE) as child:  # noqa: S602  # the user's own words
            child.communicate(text.encode("utf-8", "backslashreplace"))
        return child.returncode != _NOT_FOUND
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGINT, before)


_NOT_FOUND = 127
"""What a shell ends with where there is no such command."""
