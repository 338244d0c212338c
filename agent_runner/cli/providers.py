"""`agent-runner providers`: who could be asked, who will be, and whether they answer."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from agent_runner.cli.options import Json, TasksOption

if TYPE_CHECKING:
    from agent_runner.providers.listing import ProviderRow


def providers(context: typer.Context, tasks: TasksOption = None, json: Json = False) -> int:
    """List the providers: protocol, model, whether the key is there, which is chosen and why."""
    if context.invoked_subcommand is not None:
        return 0
    from agent_runner.app.configuration import load
    from agent_runner.cli.project import surroundings
    from agent_runner.providers.listing import rows

    here = surroundings()
    found = rows(load(tasks, here).settings, here.env)
    if json:
        _print_object(found)
    else:
        _print_table(found)
    return 0


def check(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="Provider. Default: the chosen one.", show_default=False
        ),
    ] = None,
    tasks: TasksOption = None,
) -> int:
    """Make the cheapest real call and report what came of it. It is billed, if only a little."""
    import anyio

    from agent_runner.app.configuration import load
    from agent_runner.cli.project import surroundings
    from agent_runner.ground.clock import SystemClock
    from agent_runner.providers.listing import chosen
    from agent_runner.providers.probe import probe
    from agent_runner.providers.profiles import resolve

    here = surroundings()
    settings = load(tasks, here).settings
    profile = resolve(name or chosen(settings, here.env).name, settings, here.env)
    result = anyio.run(probe, profile, SystemClock())
    print(f"{result.name}: {'ok' if result.ok else 'failed'}: {result.text}")
    if result.fix and not result.ok:
        print(f"  next: {result.fix}", file=sys.stderr)
    return 0 if result.ok else 1


def _print_object(rows: Iterable["ProviderRow"]) -> None:
    import json

    import attrs

    listed = [{**attrs.asdict(row), "ready": row.ready} for row in rows]
    print(json.dumps({"providers": listed}, indent=2))


def _print_table(rows: Iterable["ProviderRow"]) -> None:
    from agent_runner.ui.tables import Column, TextTable

    names = ("provider", "protocol", "model", "address", "key", "chosen", "fallback", "trouble")
    columns = tuple(Column(name, shrinks=name in {"address", "trouble"}) for name in names)
    cells = tuple(
        (
            row.name,
            row.protocol,
            row.model,
            row.base_url,
            row.key or "none",
            row.chosen,
            ", ".join(row.fallback),
            row.trouble,
        )
        for row in rows
    )
    print("\n".join(TextTable(columns, cells).lines()))
    if not cells:
        print("no provider is configured, and there is no key of a known one in the environment")
