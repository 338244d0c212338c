"""What `--help` and `agent-runner help` show: usage, options under headings, an example."""

import inspect
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import typer

from agent_runner.cli.commands import SECTIONS, Entry
from agent_runner.cli.output import note

_OPTIONS = "Options"
_WIDEST = 34
"""Columns of the longest option that has its meaning beside it."""

_EVERYWHERE = frozenset({"tasks", "named", "state_dir", "timings", "help"})
"""Options that nearly every command has: the last of its list."""


def help_(
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND]...", help="Default: the list of commands.", show_default=False
        ),
    ] = None,
) -> int:
    """Show the help of a command, or the list of all commands."""
    from typer.main import get_command

    from agent_runner.cli.parser import app

    root = get_command(app)
    context: Any = root.make_context("agent-runner", [], resilient_parsing=True)
    for word in command or ():
        below = getattr(context.command, "commands", {})
        if word not in below:
            raise _unknown(word, _path(context), below)
        one = below[word]
        context = one.make_context(one.name, [], parent=context, resilient_parsing=True)
    typer.echo(context.get_help())
    return 0


def _unknown(word: str, path: str, below: Iterable[str]) -> Exception:
    from agent_runner.ground.suggestions import did_you_mean
    from agent_runner.model.errors import UsageError

    hint = did_you_mean(word, below)
    return UsageError(f"there is no command {path} {word}", fix=hint, command=("--help",))


def usage(path: str, command: Any) -> str:
    """`agent-runner why TASK [OPTIONS]`: how a command is called, `path` being its words."""
    words = [_called(one) for one in command.params if one.param_type_name == "argument"]
    if getattr(command, "commands", {}):
        words.append("[COMMAND]" if command.invoke_without_command else "COMMAND")
    return " ".join([path, *words, "[OPTIONS]"])


def _called(argument: Any) -> str:
    name = str(argument.metavar or argument.name.upper())
    return name if argument.required or name.startswith("[") else f"[{name}]"


class HelpPage:
    """Writes one help page with a formatter of typer's, in colour where that is allowed."""

    def __init__(self, ctx: Any, formatter: Any) -> None:
        self._ctx = ctx
        self._formatter = formatter
        self._colour = _may_colour()

    def write(self, entry: Entry) -> None:
        """Write all of it; `entry` is what the table of commands says of the command."""
        command, formatter = self._ctx.command, self._formatter
        path = _path(self._ctx)
        text = inspect.cleandoc(command.help or entry.summary)
        formatter.write_text(text)
        formatter.write_paragraph()
        formatter.write(f"{self._bold('Usage:')} {usage(path, command)}\n")
        for heading, entries in self._commands(entry):
            self._list(heading, [(name, one.summary) for name, one in entries.items()])
        params = command.get_params(self._ctx)
        arguments = [one for one in params if one.param_type_name == "argument"]
        self._list("Arguments", list(map(self._row, arguments)))
        for heading, options in _by_heading(p for p in params if p not in arguments):
            self._list(heading, list(map(self._row, options)))
        if entry.example:
            formatter.write_paragraph()
            formatter.write(f"{self._bold('Example:')} agent-runner {entry.example}\n")

    def _commands(self, entry: Entry) -> Iterator[tuple[str, dict[str, Entry]]]:
        """The commands below this one, under their headings."""
        if self._ctx.parent is None:
            yield from SECTIONS.items()
        elif entry.below:
            yield "Commands", entry.below

    def _list(self, heading: str, rows: Sequence[tuple[str, str]]) -> None:
        if rows:
            with self._formatter.section(self._bold(heading)):
                self._formatter.write_dl(
                    [(self._name(name), text) for name, text in rows], col_max=_WIDEST
                )

    def _row(self, param: Any) -> tuple[str, str]:
        """Name and meaning of an argument or option."""
        return names(param), meaning(param)

    def _bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self._colour else text

    def _name(self, text: str) -> str:
        return f"\x1b[36m{text}\x1b[0m" if self._colour else text


def names(param: Any) -> str:
    """An argument's name, or all names of an option with the name of its value."""
    if param.param_type_name == "argument":
        return str(param.metavar or param.name.upper())
    value = "" if param.is_flag else f" {param.metavar}"
    return f"{', '.join([*sorted(param.opts, key=len), *param.secondary_opts])}{value}"


def meaning(param: Any) -> str:
    """What an argument or option does, with its default where it has one that says something."""
    text = str(param.help)
    shown = param.param_type_name == "option" and not param.is_flag and param.show_default
    if shown is True and param.default:
        return f"{text} Default: {param.default}."
    return f"{text} Default: {shown}." if isinstance(shown, str) and shown else text


def _by_heading(options: Iterable[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Options under their headings; those that every command has come last."""
    found: dict[str, list[Any]] = {}
    last = []
    for one in options:
        if one.name in _EVERYWHERE:
            last.append(one)
        else:
            found.setdefault(one.rich_help_panel or _OPTIONS, []).append(one)
    found.setdefault(_OPTIONS, []).extend(last)
    general = found.pop(_OPTIONS)
    yield from found.items()
    yield _OPTIONS, general


def _path(ctx: Any) -> str:
    """The words that call a command, without the options that stand between them."""
    return f"{_path(ctx.parent)} {ctx.info_name}" if ctx.parent else str(ctx.info_name)


def _may_colour() -> bool:
    """Whether stdout is a terminal that shows colours, and nobody said that it should not."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return False
    from agent_runner.ui.output import can_draw

    return can_draw(sys.stdout, os.environ)


def show_usage_error(error: Any) -> None:
    """Say on stderr what is wrong about a command line (an exception of typer's), and what helps.

    Where nothing was typed but a group of commands, its help is the answer.
    """
    ctx = getattr(error, "ctx", None)
    if ctx is not None and error.message == ctx.get_help():
        error.show()
        return
    text = error.format_message().rstrip(".")
    note(f"error: {text[:1].lower()}{text[1:]}")
    if ctx is None:  # typer does not say where an option was left without its value
        note("  type: agent-runner -h")
        return
    note(f"  usage: {usage(_path(ctx), ctx.command)}")
    note(f"  type: {_path(ctx)} -h")
