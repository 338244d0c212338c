"""All commands, in the order in which `--help` shows them."""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand

from agent_runner import __version__
from agent_runner.cli import config, decide, init, look, providers, run, show

SUMMARY = (
    "Drive an LLM coding agent through a list of tasks. Hooks judge the work; every step is saved."
)


class Command(TyperCommand):
    """A command that leaves its options in the context's `obj`, for the error boundary.

    An error may suggest a command, which has to name the task list as this one did.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command's body."""
        ctx.obj.update(ctx.params)
        return super().invoke(ctx)


_COMMANDS: dict[str, tuple[Callable[..., int], str]] = {
    "run": (run.run, "Work through the task list."),
    "resume": (run.resume, "Go on where the last run stopped."),
    "status": (show.status, "Show the state of every task."),
    "plan": (show.plan, "Show what fits into the limits now, and when the rest could run."),
    "usage": (show.usage, "Show calls, tokens and cost."),
    "why": (show.why, "Tell the story of a task."),
    "diff": (look.diff, "Show what a task changed, as a patch."),
    "undo": (look.undo, "Revert what a task changed."),
    "retry": (decide.retry, "Try a failed task again, with a hint if you have one."),
    "skip": (decide.skip, "Skip a task."),
    "check": (decide.check, "Have the post-hooks judge what you changed yourself."),
    "reset": (decide.reset, "Start a task over."),
    "init": (init.init, "Write a task list and a configuration to start from."),
    "demo": (init.demo, "Take a small project from red to green; no key needed."),
}
_CONFIG: dict[str, tuple[Callable[..., int], str]] = {
    "validate": (config.validate, "Check everything and report every mistake."),
    "show": (config.show, "Print the merged configuration."),
}
_PROVIDERS: dict[str, tuple[Callable[..., int], str]] = {
    "check": (providers.check, "Make the cheapest real call."),
}
_DEBUG: dict[str, tuple[Callable[..., int], str]] = {
    "state": (show.debug_state, "Print the run, the tasks and their transitions."),
    "machine": (show.debug_machine, "Print the state machine as a Mermaid diagram."),
    "prompt": (show.debug_prompt, "Print what would be sent to the agent now."),
}


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"agent-runner {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """What stands before a command."""


def _group(
    commands: dict[str, tuple[Callable[..., int], str]], summary: str, **more: Any
) -> typer.Typer:
    group = typer.Typer(help=summary, **{"no_args_is_help": True, **more})
    for name, (body, short) in commands.items():
        group.command(name, cls=Command, short_help=short)(body)
    return group


app = _group(
    _COMMANDS,
    SUMMARY,
    name="agent-runner",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback(help=SUMMARY)(_root)
app.add_typer(_group(_CONFIG, "Check and show the configuration."), name="config")
_listing = _group(
    _PROVIDERS,
    "List the providers; check whether they answer.",
    no_args_is_help=False,
    invoke_without_command=True,
)
_listing.callback()(providers.providers)
app.add_typer(_listing, name="providers")
app.add_typer(_group(_DEBUG, "Inspect the state, the state machine and the prompts."), name="debug")
