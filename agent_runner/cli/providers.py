"""`agent-runner providers`: who could be asked, who will be, and whether they answer."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from agent_runner.cli.options import Json, TasksOption
from agent_runner.cli.output import note, print_object, print_parts, say

if TYPE_CHECKING:
    from agent_runner.app.overview import Part
    from agent_runner.providers.listing import ProviderRow


def providers(context: typer.Context, tasks: TasksOption = None, json: Json = False) -> int:
    """List the providers: protocol, model, whether the key is there, which is chosen and why."""
    if context.invoked_subcommand is not None:
        return 0
    from attrs import asdict

    from agent_runner.app.configuration import load
    from agent_runner.cli.project import surroundings
    from agent_runner.providers.listing import rows

    here = surroundings()
    found = rows(load(tasks, here).settings, here.env)
    if json:
        return print_object({"providers": [{**asdict(row), "ready": row.ready} for row in found]})
    return print_parts(_listing(found))


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
    from agent_runner.app.trust import demand_trust, demand_trusted_plug_in
    from agent_runner.cli.project import surroundings
    from agent_runner.ground.clock import SystemClock
    from agent_runner.providers.listing import chosen
    from agent_runner.providers.probe import probe
    from agent_runner.providers.profiles import resolve

    here = surroundings()
    loaded = load(tasks, here)
    settings = loaded.settings
    profile = resolve(name or chosen(settings, here.env).name, settings, here.env)
    demand_trust(loaded, [profile.name], here)
    demand_trusted_plug_in(loaded, profile, here)
    result = anyio.run(probe, profile, SystemClock())
    say(f"{result.name}: {'ok' if result.ok else 'failed'}: {result.text}")
    if result.fix and not result.ok:
        note(f"  next: {result.fix}")
    return 0 if result.ok else 1


_READABLE = 30
"""Columns of an address or a reason that are enough to know it by; else it is not cut at all."""


def _listing(rows: "Sequence[ProviderRow]") -> "Iterator[Part]":
    """A table without columns that say nothing; what to do if it is empty."""
    from agent_runner.ui.tables import Column, TextTable

    if not rows:
        yield "no provider is configured, and there is no key of a known one in the environment"
        return
    cells = {
        "provider": [row.name for row in rows],
        "protocol": [row.protocol for row in rows],
        "model": [row.model for row in rows],
        "tools": [row.tools for row in rows],
        "edits": [row.edit_format for row in rows],
        "address": [row.base_url for row in rows],
        "key": [row.key or "none" for row in rows],
        "chosen": [row.chosen for row in rows],
        "fallback": [", ".join(row.fallback) for row in rows],
        "trouble": [row.trouble for row in rows],
    }
    told = [name for name, column in cells.items() if any(column)]
    texts = {"address", "chosen", "trouble"}
    columns = tuple(Column(name, shrinks=name in texts, least=_READABLE) for name in told)
    yield TextTable(columns, tuple(zip(*(cells[name] for name in told), strict=True)))
