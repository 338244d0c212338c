"""Limits that cannot be meant, at their places in the configuration: for `run` and `validate`."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from agent_runner.config import Loaded
from agent_runner.engine.calls.clients import Clients, Provider
from agent_runner.ground.clock import SystemClock
from agent_runner.limits.contradictions import Contradiction, Kind, LeastCall, contradictions
from agent_runner.limits.room import Need
from agent_runner.model.errors import Problem, UsageError
from agent_runner.model.settings import Settings
from agent_runner.model.task import Task
from agent_runner.providers.catalogue import ALIASES
from agent_runner.providers.listing import chosen
from agent_runner.providers.profiles import outline
from agent_runner.providers.registry import make_client


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


def who_is_asked(
    settings: Settings, env: Mapping[str, str], tasks: Iterable[Task]
) -> tuple[Provider, ...]:
    """The providers that tasks may be given to, fallbacks included, as far as settings tell.

    Keys need not be there; whoever cannot be asked at all has other troubles than limits. Where
    nothing decides who is asked, whoever has limits may be.
    """
    clients = Clients(settings, env, partial(make_client, clock=SystemClock()), outline)
    found: dict[Provider, None] = {}
    for task in tuple(tasks) or (_task(None),):
        for one in _with_provider(task, settings, env):
            with suppress(UsageError):
                found |= dict.fromkeys(clients.chain(one))
    return tuple(found)


def _with_provider(task: Task, settings: Settings, env: Mapping[str, str]) -> Iterator[Task]:
    """The task; without a provider in sight, one for each that has limits."""
    try:
        if task.provider is None:
            chosen(settings, env)
        yield task
    except UsageError:
        yield from map(_task, settings.rate_limits)


def _task(provider: str | None) -> Task:
    return Task("", "", "", Path(), provider=provider)


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
