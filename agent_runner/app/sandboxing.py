"""Which hooks and commands of a run are confined, by what, and what is said of it beforehand."""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from agent_runner.app.place import Surroundings
from agent_runner.app.project import Project
from agent_runner.hooks.confining import Confining
from agent_runner.model.hooks import Hook, SandboxRule
from agent_runner.model.settings import CommandsRule
from agent_runner.model.task import Task
from agent_runner.sandbox.probe import INSTALL, sandbox_here
from agent_runner.sandbox.sandbox import Sandbox
from agent_runner.workspace.names import Scope, walked
from agent_runner.workspace.secrets import looks_secret

_COMMAND = Hook("a proposed command", "true")


def confining_of(project: Project) -> Confining:
    """What makes the sandboxes of this project's hooks."""
    here, hidden = project.surroundings, project.hidden

    def secrets(root: Path) -> Iterator[str]:
        return filter(looks_secret, walked(Scope(root, hidden, git=False)))

    return Confining(
        partial(sandbox_of, here, project.tasks.folder),
        project.settings.sandbox,
        here.home,
        project.own_files,
        secrets,
    )


def sandbox_of(here: Surroundings, project: Path) -> Sandbox:
    """What confines on this machine; asked once a process.

    A program that lies in the project is not tried: a model may have written it.
    """
    inside = Path(os.path.realpath(project))
    folders = filter(os.path.isabs, here.env.get("PATH", "").split(os.pathsep))
    outside = (one for one in folders if not Path(os.path.realpath(one)).is_relative_to(inside))
    return sandbox_here(os.pathsep.join(outside))


def judge_sandbox(
    project: Project, tasks: Iterable[Task], confining: Confining
) -> Iterator[tuple[str, str, str, bool]]:
    """What stands against the sandboxes that `tasks` want.

    Each is the option at fault, what is wrong, what to do, and whether it is a mistake on every
    machine.
    """
    confined = _confined(project, tasks)
    sandbox = confining.sandbox if confined else None
    for path, hook in confined.items():
        if hook.rerun_on_resume:
            message = "a service cannot run in a sandbox: it would end with its hook"
            yield path, message, "leave out sandbox, or rerun_on_resume", True
        if sandbox and not sandbox.tier.confines:
            message = f"there is no sandbox here: {sandbox.why}"
            yield path, message, f"{INSTALL}; or run it with your rights: sandbox: off", False


def sandbox_lines(project: Project, tasks: Iterable[Task], confining: Confining) -> Iterator[str]:
    """What a run says of its sandbox: by what it confines, and what that does not hold."""
    tasks = tuple(tasks)
    confined = _confined(project, tasks)
    checks = [hook.id for hook in _hooks(project, tasks) if hook.agent]
    if not confined and not checks:
        return
    sandbox = confining.sandbox
    yield f"sandbox: {sandbox.line}"
    if checks and not sandbox.tier.confines:
        yield f"the agent cannot run checks ({', '.join(checks)}) without a sandbox; {INSTALL}"
    if not confined or sandbox.tier.mounts:  # by mounts everything is held
        return
    hook = next(iter(confined.values()))  # all have the same gaps
    gaps: dict[str, None] = {}
    for root in dict.fromkeys(task.root for task in tasks):
        wanted = confining.confinement(hook, root)
        gaps |= dict.fromkeys(sandbox.wrapped(["true"], wanted, cwd=root).gaps)
    if gaps:
        listed = [*list(gaps)[:5], *([f"and {len(gaps) - 5} more"] if len(gaps) > 5 else [])]
        yield f"the sandbox does not hold everything: {', '.join(listed)}"


def _confined(project: Project, tasks: Iterable[Task]) -> dict[str, Hook]:
    """Hooks of these tasks that want a sandbox, by the option that says so."""
    hooks = _hooks(project, tasks)
    wanting = (hook for hook in hooks if hook.sandbox is SandboxRule.AUTO)
    found = {f"hooks.{hook.id}.sandbox": hook for hook in wanting}
    apply = project.settings.apply
    if apply.sandbox is SandboxRule.AUTO and apply.commands is not CommandsRule.NEVER:
        found["apply.sandbox"] = _COMMAND
    return found


def _hooks(project: Project, tasks: Iterable[Task]) -> tuple[Hook, ...]:
    """The hooks of these tasks that are configured."""
    names = dict.fromkeys(name for task in tasks for name in (*task.pre_hooks, *task.post_hooks))
    configured = project.settings.hooks
    return tuple(configured[name] for name in names if name in configured)
