"""`python -m agent_runner.cli.reference` brings the table of commands in the docs up to date.

For developers, at the top of the repository, after a change of a command or an option.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from agent_runner.cli.help import meaning, usage
from agent_runner.cli.parser import app

BEGIN, END = "<!-- commands: begin -->", "<!-- commands: end -->"
"""What stands around the generated part of `docs/commands.md`."""


def commands_reference() -> str:
    """Every command in Markdown: how it is called, what it does, its arguments and options."""
    root = typer.main.get_command(app)
    return "\n\n".join("\n".join(_section(path, one)) for path, one in _commands("", root)) + "\n"


def with_reference(text: str) -> str:
    """The page's text with the part between its marks brought up to date."""
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n\n{commands_reference()}\n{END}{after}"


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Each command that does something by itself, with the words that call it."""
    below = getattr(command, "commands", {})
    if path and (not below or command.invoke_without_command):
        yield path, command
    for name, one in below.items():
        yield from _commands(f"{path} {name}".strip(), one)


def _section(path: str, command: Any) -> Iterator[str]:
    yield f"## {path}"
    yield ""
    yield f"    {usage(f'agent-runner {path}', command)}"
    yield ""
    yield re.sub(r"[ \n]*\n *", "\n", command.help.strip())
    params = [one for one in command.params if one.name != "timings"]  # the page says it once
    if params:
        yield from ("", "| argument, option | meaning |", "|---|---|")
    for one in params:
        yield f"| {_called(one)} | {_cell(meaning(one))} |"
    example = command.entry.example
    if example:
        yield from ("", f"For example `agent-runner {example}`.")


def _called(one: Any) -> str:
    if one.param_type_name == "argument":
        return _cell(f"`{one.metavar or one.name.upper()}`")
    value = "" if one.is_flag else f" {one.metavar}"
    return _cell(f"`{', '.join(sorted(one.opts, key=len))}{value}`")


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def main() -> None:
    """Write the generated part of `docs/commands.md`."""
    page = Path("docs/commands.md")
    page.write_text(with_reference(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
