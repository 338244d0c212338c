"""All that a run would do with the user's rights beside its hooks: for `run --dry-run`."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

from agent_runner.app.project import Project
from agent_runner.app.sharing import LEDGER
from agent_runner.engine.calls.clients import Clients
from agent_runner.ground.clock import SystemClock
from agent_runner.ground.escaping import on_one_line
from agent_runner.model.errors import UsageError
from agent_runner.model.fold import RunState
from agent_runner.model.settings import (
    ApplySettings,
    CommandsRule,
    CommitRule,
    NotifySettings,
)
from agent_runner.model.task import Task
from agent_runner.providers.catalogue import PROTOCOLS
from agent_runner.providers.profiles import Profile, outline
from agent_runner.providers.registry import make_client
from agent_runner.workspace.git import Repository
from agent_runner.workspace.programs import hooks_of

_NOTIFIED = ("escalated", "finished", "limit", "crashed_and_resumed")


def rights(project: Project, tasks: Sequence[Task], state: RunState) -> Iterator[str]:
    """The lines, each a command, an address or a place. Nothing is called, run or written.

    `tasks`: those that the run would work on.
    """
    yield "With your rights it would also"
    for line in (
        *_asked(project, tasks),
        *_proposed(project.settings.apply),
        *_commits(project, tasks, owed(project, state)),
        *_notified(project.settings.notify),
        *_with_keys(project, tasks),
        *_written(project, tasks),
    ):
        yield f"  {on_one_line(line)}"


def owed(project: Project, state: RunState) -> tuple[str, ...]:
    """The tasks whose commit an earlier run could not make, so that a run tries it again."""
    if project.settings.git.commit is CommitRule.OFF:
        return ()
    waiting = (task.id for task in project.tasks.tasks if state.record(task.id).change.uncommitted)
    return tuple(waiting)


def _asked(project: Project, tasks: Sequence[Task]) -> Iterator[str]:
    """Who is sent the prompts, fallbacks included, and with whose key."""
    env = project.surroundings.env
    clients = Clients(project.settings, env, partial(make_client, clock=SystemClock()), outline)
    asked: dict[Profile, None] = {}
    for task in tasks:
        with suppress(UsageError):  # what keeps the run from beginning is said elsewhere
            asked |= dict.fromkeys(one.profile for one in clients.chain(task))
    yield from map(_provider, asked)


def _provider(profile: Profile) -> str:
    name, known = f"{profile.name} ({profile.model or 'no model'})", PROTOCOLS.get(profile.protocol)
    if profile.replies is not None:
        return f"take the answers of {profile.name} from {profile.replies}"
    key = f" with the key in {profile.key.origin}" if profile.key.origin else " without a key"
    if profile.program is not None:
        command = " ".join(profile.program.words) or f"of {profile.program.preset}"
        return f"start the command {command} for {name}{key}"
    if known is None or not known.networked:
        given = ", ".join(f"{key}: {value}" for key, value in profile.params.items())
        with_what = f", given {given}" if given else ""
        return f"start what the protocol {profile.protocol} starts, for {name}{key}{with_what}"
    by = f" by the proxy {profile.proxy}" if profile.proxy else ""
    headers = f", and the headers {', '.join(profile.headers)}" if profile.headers else ""
    return f"ask {name} at {profile.base_url}{by}{key}{headers}"


def _proposed(settings: ApplySettings) -> Iterator[str]:
    allowed = ", ".join(settings.allow) or "none"
    which = {
        CommandsRule.NEVER: "none",
        CommandsRule.ALLOW: f"those like {allowed}",
        CommandsRule.ASK: "those that you agree to at the terminal",
    }
    yield f"run commands that a reply proposes: {which[settings.commands or CommandsRule.ASK]}"


def _commits(project: Project, tasks: Sequence[Task], waiting: Sequence[str]) -> Iterator[str]:
    """The commits, also those that an earlier run owes, and what git runs for each."""
    rule = project.settings.git.commit
    if rule is CommitRule.OFF:
        return
    if tasks:
        yield f"commit by git, with your name and hooks, after each {rule}"
    if waiting:
        yield f"commit what an earlier run could not: {', '.join(waiting)}"
    roots = [task.root for task in (*tasks, *(project.tasks[name] for name in waiting))]
    for root in dict.fromkeys(roots):
        with suppress(UsageError):  # git refuses the repository, which is said elsewhere
            repository = Repository.around(root)
            if repository is not None:
                yield from (
                    f"run git's hook {hook} when it commits" for hook in hooks_of(repository)
                )
                for command in dict.fromkeys(repository.programs.commands):
                    yield f"run what git's configuration names, where git needs it: {command}"


def _notified(settings: NotifySettings) -> Iterator[str]:
    for name in _NOTIFIED:
        command = getattr(settings, name)
        if command:
            yield f"run for notify.{name}: {command}"


def _with_keys(project: Project, tasks: Sequence[Task]) -> Iterator[str]:
    hooks = project.settings.hooks
    names = dict.fromkeys(n for task in tasks for n in (*task.pre_hooks, *task.post_hooks))
    given = [name for name in names if hooks[name].pass_keys]
    if given:
        yield f"show the variables that hold your keys to: {', '.join(given)} (pass_keys)"


def _written(project: Project, tasks: Sequence[Task]) -> Iterator[str]:
    if tasks:
        roots = dict.fromkeys(os.fspath(task.root) for task in tasks)
        yield f"change files below {', '.join(roots)}"
    home = project.surroundings.home
    ledger = f" and {home / LEDGER}" if project.settings.ledger else ""
    yield f"keep its state in {project.place.state_dir}{ledger}"
