"""The commands as typer parses them. Each is imported and built when it is called.

Importing and building all of them takes longer than most of them run.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, cast

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup, TyperOption

from agent_runner import __version__
from agent_runner.cli.commands import ALIASES, COMMANDS, SUMMARY, Entry
from agent_runner.cli.output import note

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Command(TyperCommand):
    """A command that can be timed, and whose options the error boundary knows."""

    entry: ClassVar[Entry]

    def __init__(self, name: str | None, **given: Any) -> None:
        super().__init__(name, **given)
        self.params.append(_timings_option())

    def invoke(self, ctx: Any) -> Any:
        """Run the command's body.

        Its options are left in the context's `obj`: an error may suggest a command, which has to
        name the task list as this one did.
        """
        timed = ctx.params.pop("timings")
        ctx.obj.update(ctx.params)
        return _timed(super().invoke, ctx) if timed else super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help in our own form."""
        _write_help(ctx, formatter, self.entry)


class _Commands(Mapping[str, Any]):
    """The commands of a group by name, each built when it is asked for; other names lead there."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries

    def __getitem__(self, name: str) -> Any:
        if self._entries is COMMANDS:
            name = ALIASES.get(name, name)
        return _built(name, self._entries[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class Group(TyperGroup):
    """Commands of which the help needs only the summaries."""

    entry: ClassVar[Entry]

    def __init__(self, **given: Any) -> None:
        super().__init__(**{**given, "commands": {}})
        self.commands = cast("Any", _Commands(self.entry.below))
        if self.invoke_without_command:
            self.params.append(_timings_option())

    def invoke(self, ctx: Any) -> Any:
        """Run the group's own body, or the command that is named."""
        timed = ctx.params.pop("timings", False)
        return _timed(super().invoke, ctx) if timed else super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help in our own form."""
        _write_help(ctx, formatter, self.entry)


def _write_help(ctx: Any, formatter: Any, entry: Entry) -> None:
    from agent_runner.cli.help import HelpPage

    HelpPage(ctx, formatter).write(entry)


def _timings_option() -> TyperOption:
    help_ = "Say on stderr where the time went."
    return TyperOption(param_decls=["--timings"], is_flag=True, help=help_)


def _timed(invoke: Callable[[Any], Any], ctx: Any) -> Any:
    """Run a command's body and say on stderr how long its parts took, also after an error."""
    from agent_runner.ground.clock import SystemClock, process_seconds
    from agent_runner.ground.timings import Timings, recording

    timings = Timings(SystemClock().monotonic)
    timings.add("start", process_seconds())
    try:
        with recording(timings):
            return invoke(ctx)
    finally:
        note("\n".join(timings.lines()))


def _built(name: str, entry: Entry) -> Any:
    app = _typer(entry)
    if entry.below:
        app.callback(help=entry.summary)(_body(entry))
    else:
        app.command(name, cls=type("OneCommand", (Command,), {"entry": entry}))(_body(entry))
    return typer.main.get_command(app)


def _typer(entry: Entry, **more: Any) -> typer.Typer:
    cls = type("Commands", (Group,), {"entry": entry})
    return typer.Typer(
        cls=cls,
        no_args_is_help=not entry.body,
        invoke_without_command=bool(entry.body),
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        **more,
    )


def _body(entry: Entry) -> Callable[..., Any]:
    if not entry.body:
        return lambda: None
    file, _, function = entry.body.partition(":")
    body: Callable[..., Any] = getattr(import_module(f"agent_runner.cli.{file}"), function)
    return body


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"agent-runner {__version__}")
        raise typer.Exit


app = _typer(
    Entry(SUMMARY, example="run --dry-run", below=COMMANDS),
    name="agent-runner",
    context_settings=_CONTEXT,
)


@app.callback(help=SUMMARY)
def _root(
    folder: Annotated[
        Path | None,
        typer.Option("-C", metavar="DIR", help="Begin in this folder.", show_default=False),
    ] = None,
    version: Annotated[  # noqa: ARG001  # its callback has acted by now
        bool,
        typer.Option(
            "--version", "-V", callback=_show_version, is_eager=True, help="Show the version, exit."
        ),
    ] = False,
) -> None:
    """What may stand before a command."""
    if folder is not None:
        from agent_runner.cli.project import enter

        enter(folder)
