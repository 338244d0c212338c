"""`agent-runner retry`, `skip`, `check`, `reset`: decisions that the next run acts on."""

from typing import TYPE_CHECKING, Annotated

import typer

from agent_runner.cli.options import StateDir, TaskId, TasksOption
from agent_runner.cli.output import say

if TYPE_CHECKING:
    from agent_runner.app.project import Project


def retry(
    task: TaskId,
    hint: Annotated[
        str,
        typer.Option(
            "--hint", metavar="TEXT", help="Advice for the agent's next prompt.", show_default=False
        ),
    ] = "",
    attempts: Annotated[
        int | None,
        typer.Option(
            "--attempts",
            metavar="N",
            min=1,
            help="Further attempts to grant. Default: one if none is left.",
            show_default=False,
        ),
    ] = None,
    put_back: Annotated[
        bool | None,
        typer.Option(
            "--put-back/--anew",
            help="Where its changes were taken back: go on from them, or from the files without"
            " them. Default: anew, unless they were never judged.",
            show_default=False,
        ),
    ] = None,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
) -> int:
    """Try a task again that needs a person, with a hint for the agent if you have one."""
    from agent_runner.app.session import wired_for
    from agent_runner.cli.project import open_project
    from agent_runner.engine import decisions

    project = open_project(tasks, state_dir)
    with wired_for(project, task) as wiring:
        whole = project.task(task)
        decisions.put_back(wiring.recovery, wiring.reverting, whole, wanted=put_back)
        decisions.retry(wiring.core, task, hint=hint, attempts=attempts or 0)
    return _recorded(project, f"{task} will be tried again")


def skip(task: TaskId, tasks: TasksOption = None, state_dir: StateDir = None) -> int:
    """Skip a task. Tasks that depend on it stay pending; files stay as they are."""
    from agent_runner.app.session import wired_for
    from agent_runner.cli.project import open_project
    from agent_runner.engine import decisions

    project = open_project(tasks, state_dir)
    with wired_for(project, task) as wiring:
        decisions.skip(wiring.core, wiring.recovery, task, reason="skipped by a person")
    return _recorded(project, f"{task} is skipped")


def check(task: TaskId, tasks: TasksOption = None, state_dir: StateDir = None) -> int:
    """Have the post-hooks judge files that you changed yourself. The agent is not asked."""
    from agent_runner.app.session import wired_for
    from agent_runner.cli.project import open_project
    from agent_runner.engine import decisions

    project = open_project(tasks, state_dir)
    with wired_for(project, task) as wiring:
        decisions.check(wiring.core, wiring.recovery, task)
    return _recorded(project, f"{task} will be judged on its files as they are")


def reset(
    task: TaskId,
    with_dependents: Annotated[
        bool, typer.Option("--with-dependents", help="Also reset every task that depends on it.")
    ] = False,
    tasks: TasksOption = None,
    state_dir: StateDir = None,
) -> int:
    """Forget a task's attempts and start it over. Files stay as they are, costs stay counted."""
    from agent_runner.app.session import wired_for
    from agent_runner.cli.project import open_project
    from agent_runner.engine import decisions

    project = open_project(tasks, state_dir)
    with wired_for(project, task) as wiring:
        names = [task, *(project.tasks.dependents_of(task) if with_dependents else ())]
        decisions.reset_all(wiring.core, wiring.recovery, names, reason="reset by a person")
    return _recorded(project, f"reset: {', '.join(names)}")


def _recorded(project: "Project", what: str) -> int:
    say(f"{what}; go on with: {project.place.invocation.command('resume')}")
    return 0
