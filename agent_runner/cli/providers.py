"""`agent-runner providers`: who could be asked, who will be, and whether they answer."""

from typing import Annotated

import typer

from agent_runner.cli.options import Json, TasksOption

app = typer.Typer(
    help="List the configured providers; check whether they answer.", invoke_without_command=True
)


@app.callback()
def providers(context: typer.Context, tasks: TasksOption = None, json: Json = False) -> None:
    """List the providers: protocol, model, whether the key is present, which is chosen and why."""
    from agent_runner.cli.around import surroundings
    from agent_runner.cli.provider_checks import print_providers

    if context.invoked_subcommand is None:
        raise typer.Exit(print_providers(tasks, surroundings(), as_json=json))


@app.command("check")
def check(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="Provider; default: the chosen one.", show_default=False
        ),
    ] = None,
    tasks: TasksOption = None,
) -> None:
    """Make the cheapest real call and report what came of it. This is billed, if only a little."""
    from agent_runner.cli.around import surroundings
    from agent_runner.cli.provider_checks import check_provider

    raise typer.Exit(check_provider(name, tasks, surroundings()))
