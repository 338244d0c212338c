"""What each command says of itself, for the pages that are made of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import typer.main

from agent_runner.cli.help import usage
from agent_runner.cli.parser import app


class Described(NamedTuple):
    """A command that does something by itself.

    Attributes:
        path: The words that call it, such as `debug state`.
        usage: How it is called, its arguments by name.
        help: Its help text, as the docstring has it.
        params: Its arguments and options, but for `--timings`, which all of them have.
        example: What stands after `agent-runner` in an example of its use, if there is one.
    """

    path: str
    usage: str
    help: str
    params: tuple[Any, ...]
    example: str


def commands() -> Iterator[Described]:
    """All commands in the order of `--help`, those of a group after it."""
    return _below("", typer.main.get_command(app))


def _below(path: str, command: Any) -> Iterator[Described]:
    below = getattr(command, "commands", {})
    if path and (not below or command.invoke_without_command):
        params = tuple(one for one in command.params if one.name != "timings")
        called = usage(f"agent-runner {path}", command)
        yield Described(path, called, command.help, params, command.entry.example)
    for name, one in below.items():
        yield from _below(f"{path} {name}".strip(), one)
