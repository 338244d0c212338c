"""All commands, registered in the order in which `--help` shows them."""

from typing import Any

import typer
from typer.core import TyperCommand

from agent_runner import __version__
from agent_runner.cli import (
    config,
    debug,
    decide,
    demo,
    init,
    look,
    plan,
    providers,
    resume,
    run,
    status,
    usage,
    why,
)


class Command(TyperCommand):
    """A command that leaves its options in the context's `obj`, for the error boundary.

    An error may suggest a command, which has to name the task list as this one did.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command's body."""
        ctx.obj.update(ctx.params)
        return super().invoke(ctx)


app = typer.Typer(
    name="agent-runner",
    help="Drive an LLM coding agent through a list of tasks: hooks judge, every step is on disk.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"agent-runner {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """Drive an LLM coding agent through a list of tasks: hooks judge, every step is on disk."""


_COMMANDS = (
    (run.run, "Work through the task list."),
    (resume.resume, "Go on where the last run stopped."),
    (status.status, "Show where every task stands."),
    (plan.plan, "Say what fits into the limits now, and when the rest could run."),
    (usage.usage, "Show calls, tokens and cost."),
    (why.why, "Tell the story of a task."),
    (look.diff, "Show what a task changed, as a patch."),
    (look.undo, "Put back what a task changed."),
    (decide.retry, "Try a failed task again, perhaps with a hint."),
    (decide.skip, "Leave a task out."),
    (decide.check, "Let the post-hooks judge what you changed yourself."),
    (decide.reset, "Begin a task anew."),
    (init.init, "Write a task list and a configuration to begin with."),
    (demo.demo, "Take a small project from red to green, without key or network."),
)
for _body, _summary in _COMMANDS:
    app.command(cls=Command, name=_body.__name__, short_help=_summary)(_body)
app.add_typer(config.app, name="config")
app.add_typer(providers.app, name="providers")
app.add_typer(debug.app, name="debug")
