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


app.command("run")(run.run)
app.command("resume")(resume.resume)
app.command("status")(status.status)
app.command("plan")(plan.plan)
app.command("usage")(usage.usage)
app.command("why")(why.why)
app.command("diff")(look.diff)
app.command("undo")(look.undo)
app.command("retry")(decide.retry)
app.command("skip")(decide.skip)
app.command("check")(decide.check)
app.command("reset")(decide.reset)
app.command("init")(init.init)
app.command("demo")(demo.demo)
app.add_typer(config.app, name="config")
app.add_typer(providers.app, name="providers")
app.add_typer(debug.app, name="debug")
