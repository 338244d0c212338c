"""All commands, in the order in which `--help` shows them. Each is imported when it is called.

Importing and building all twenty takes longer than most of them run.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple, cast

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup, TyperOption

from agent_runner import __version__
from agent_runner.cli.output import note

SUMMARY = (
    "Drive an LLM coding agent through a list of tasks. Hooks judge the work; every step is saved."
)


class Entry(NamedTuple):
    """A command or a group of commands.

    Attributes:
        summary: The line in the list of commands.
        body: `file:function` below `cli/` that parses and carries out; "" for a mere group.
        below: The commands of a group.
    """

    summary: str
    body: str = ""
    below: "dict[str, Entry]" = {}  # noqa: RUF012  # a default that nobody changes


COMMANDS = {
    "run": Entry("Work through the task list.", "run:run"),
    "resume": Entry("Go on where the last run stopped.", "run:resume"),
    "status": Entry("Show the state of every task.", "show:status"),
    "plan": Entry("Show what fits into the limits now, and when the rest could run.", "show:plan"),
    "usage": Entry("Show calls, tokens and cost.", "show:usage"),
    "why": Entry("Tell the story of a task.", "show:why"),
    "log": Entry("Show a task's conversation with its agent.", "show:log"),
    "report": Entry("Write a page with all that happened, or Markdown.", "report:report"),
    "diff": Entry("Show what a task changed, as a patch.", "look:diff"),
    "undo": Entry("Revert what a task changed.", "look:undo"),
    "retry": Entry("Try a failed task again, with a hint if you have one.", "decide:retry"),
    "skip": Entry("Skip a task.", "decide:skip"),
    "check": Entry("Have the post-hooks judge what you changed yourself.", "decide:check"),
    "reset": Entry("Start a task over.", "decide:reset"),
    "init": Entry("Write a task list and a configuration to start from.", "init:init"),
    "import": Entry("Make a task list of a checklist or of issues.", "importing:import_"),
    "demo": Entry("Take a small project from red to green; no key needed.", "init:demo"),
    "config": Entry(
        "Check and show the configuration.",
        below={
            "validate": Entry("Check everything and report every mistake.", "config:validate"),
            "show": Entry("Print the merged configuration.", "config:show"),
        },
    ),
    "providers": Entry(
        "List the providers; check whether they answer.",
        "providers:providers",
        {"check": Entry("Make the cheapest real call.", "providers:check")},
    ),
    "schema": Entry("Print a JSON Schema of list, configuration or events.", "schema:schema"),
    "trust": Entry("Agree that this project's files decide where your keys go.", "trust:trust"),
    "doctor": Entry("Check the state and what a run stands on; mend it.", "doctor:doctor"),
    "debug": Entry(
        "Inspect the state, the state machine and the prompts.",
        below={
            "state": Entry("Print the run, the tasks and their transitions.", "show:debug_state"),
            "machine": Entry("Print the state machine as a Mermaid diagram.", "show:debug_machine"),
            "prompt": Entry("Print what would be sent to the agent now.", "show:debug_prompt"),
        },
    ),
}


class Command(TyperCommand):
    """A command that can be timed, and whose options the error boundary knows."""

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


class _Commands(Mapping[str, Any]):
    """The commands of a group by name, each built when it is asked for."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries

    def __getitem__(self, name: str) -> Any:
        return _built(name, self._entries[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class Group(TyperGroup):
    """Commands of which the help needs only the summaries."""

    entries: ClassVar[dict[str, Entry]]

    def __init__(self, **given: Any) -> None:
        super().__init__(**{**given, "commands": {}})
        self.commands = cast("Any", _Commands(self.entries))
        if self.invoke_without_command:
            self.params.append(_timings_option())

    def invoke(self, ctx: Any) -> Any:
        """Run the group's own body, or the command that is named."""
        timed = ctx.params.pop("timings", False)
        return _timed(super().invoke, ctx) if timed else super().invoke(ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # as it is called
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.entries.items()])


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
        app.command(name, cls=Command)(_body(entry))
    return typer.main.get_command(app)


def _typer(entry: Entry, **more: Any) -> typer.Typer:
    cls = type("Commands", (Group,), {"entries": entry.below})
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
    Entry(SUMMARY, below=COMMANDS),
    name="agent-runner",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
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
