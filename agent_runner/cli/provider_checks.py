"""Lists providers and tries one out."""

import json
import sys
from pathlib import Path

import anyio
import attrs

from agent_runner.app.project import Surroundings
from agent_runner.cli.configuring import place_of
from agent_runner.config import load_settings
from agent_runner.ground.clock import SystemClock
from agent_runner.model.settings import Settings
from agent_runner.providers.listing import chosen, rows
from agent_runner.providers.probe import probe
from agent_runner.providers.profiles import KNOWN_NAMES, resolve
from agent_runner.ui.tables import Column, TextTable


def print_providers(tasks: Path | None, around: Surroundings, *, as_json: bool) -> int:
    """One line for each provider; never a key."""
    found = rows(_settings(tasks, around), around.env)
    if as_json:
        listed = [{**attrs.asdict(row), "ready": row.ready} for row in found]
        print(json.dumps({"providers": listed}, indent=2))
        return 0
    names = ("provider", "protocol", "model", "address", "key", "chosen", "fallback", "trouble")
    columns = tuple(Column(name, shrinks=name in {"address", "trouble"}) for name in names)
    cells = tuple(
        (
            r.name,
            r.protocol,
            r.model,
            r.base_url,
            r.key or "none",
            r.chosen,
            ", ".join(r.fallback),
            r.trouble,
        )
        for r in found
    )
    for line in TextTable(columns, cells).lines():
        print(line)
    if not found:
        print("none is configured, and no key of a known one is in the environment")
    return 0


def check_provider(name: str | None, tasks: Path | None, around: Surroundings) -> int:
    """Make the cheapest real call; 0 if it went through, 1 if not."""
    settings = _settings(tasks, around)
    wanted = name or chosen(settings, around.env).name
    profile = resolve(wanted, settings, around.env)
    result = anyio.run(probe, profile, SystemClock())
    print(f"{result.name}: {'ok' if result.ok else 'failed'}: {result.text}")
    if result.fix and not result.ok:
        print(f"  next: {result.fix}", file=sys.stderr)
    return 0 if result.ok else 1


def _settings(tasks: Path | None, around: Surroundings) -> Settings:
    _, folder = place_of(tasks, around)
    return load_settings(
        folder=folder, env=around.env, home=around.home, flags={}, names=KNOWN_NAMES
    ).settings
