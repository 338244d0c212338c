"""All commands, registered in the order in which `--help` shows them."""

import typer

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


app.command("run", short_help="Work through the task list.")(run.run)
app.command("resume", short_help="Go on where the last run stopped.")(resume.resume)
app.command("status", short_help="Show where every task stands.")(status.status)
app.command("plan", short_help="Say what fits into the limits now, and when the rest could run.")(
    plan.plan
)
app.command("usage", short_help="Show calls, tokens and cost.")(usage.usage)
app.command("why", short_help="Tell the story of a task.")(why.why)
app.command("diff", short_help="Show what a task changed, as a patch.")(look.diff)
app.command("undo", short_help="Put back what a task changed.")(look.undo)
app.command("retry", short_help="Try a failed task again, perhaps with a hint.")(decide.retry)
app.command("skip", short_help="Leave a task out.")(decide.skip)
app.command("check", short_help="Let the post-hooks judge what you changed yourself.")(decide.check)
app.command("reset", short_help="Begin a task anew.")(decide.reset)
app.command("init", short_help="Write a task list and a configuration to begin with.")(init.init)
app.command("demo", short_help="Take a small project from red to green, without key or network.")(
    demo.demo
)
app.add_typer(config.app, name="config")
app.add_typer(providers.app, name="providers")
app.add_typer(debug.app, name="debug")
