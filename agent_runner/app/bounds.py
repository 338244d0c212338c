"""Limits that cannot be meant, at their places in the configuration: for `run` and `validate`."""

from collections.abc import Iterable

from agent_runner.config import Loaded
from agent_runner.engine.calls.clients import Provider
from agent_runner.limits.contradictions import Contradiction, Kind, LeastCall, contradictions
from agent_runner.limits.room import Need
from agent_runner.model.errors import Problem
from agent_runner.model.settings import Settings
from agent_runner.providers.catalogue import ALIASES


def judge_limits(
    loaded: Loaded, settings: Settings, asked: Iterable[Provider]
) -> tuple[tuple[Kind, Problem], ...]:
    """Every contradiction among the limits for those who will be asked.

    `settings` are those of `loaded`, with one name for each provider.
    """
    cap = settings.max_output_tokens
    least = [
        LeastCall(one.name, one.model, Need(1, cap, one.highest_cost(1, cap))) for one in asked
    ]
    return tuple((one.kind, _located(loaded, one)) for one in contradictions(settings, least))


def _located(loaded: Loaded, found: Contradiction) -> Problem:
    """The contradiction where the file has it; an alias stands there as it was written."""
    paths = [found.path]
    if found.path[0] == "rate_limits":
        _, provider, *rest = found.path
        aliases = [alias for alias, name in ALIASES.items() if name == provider]
        paths += [("rate_limits", alias, *rest) for alias in aliases]
    set_paths = [path for path in map(".".join, paths) if path in loaded.origins]
    path = set_paths[0] if set_paths else ".".join(found.path)
    return loaded.problem(path, found.text, found.fix)
