"""Carries out a person's decision from the command line: recorded, and what follows is said."""

from collections.abc import Callable

from agent_runner.app.project import Project
from agent_runner.app.wiring import Wiring
from agent_runner.cli.naming import require_task
from agent_runner.engine import decisions
from agent_runner.ground.clock import SystemClock
from agent_runner.model.errors import IllegalEventError
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import TaskState
from agent_runner.store.store import Store
from agent_runner.ui.output import Output
from agent_runner.ui.plain import Quiet
from agent_runner.ui.tally import Tally


def decide_retry(project: Project, task: str, hint: str, attempts: int) -> int:
    """Record a retry."""
    return _decide(
        project,
        task,
        lambda w: decisions.retry(w.core, task, hint=hint, attempts=attempts),
        f"{task} will be tried again",
    )


def decide_skip(project: Project, task: str) -> int:
    """Record a skip."""
    return _decide(
        project,
        task,
        lambda w: decisions.skip(w.core, w.recovery, task, reason="skipped by a person"),
        f"{task} is skipped",
    )


def decide_check(project: Project, task: str) -> int:
    """Record that the files are to be judged as they stand."""
    return _decide(
        project,
        task,
        lambda w: decisions.check(w.core, w.recovery, task),
        f"{task} will be judged as its files stand",
    )


def decide_reset(project: Project, task: str, *, with_dependents: bool) -> int:
    """Record a fresh start of a task, and of those that stand on it."""
    names = [task, *(_dependents(project, task) if with_dependents else [])]

    def reset_all(wiring: Wiring) -> None:
        for name in names:
            if wiring.core.record(name).state is not TaskState.PENDING or name == task:
                decisions.reset(wiring.core, wiring.recovery, name, reason="reset by a person")

    return _decide(project, task, reset_all, f"begun anew: {', '.join(names)}")


def _decide(
    project: Project, task: str, decide: Callable[[Wiring], TaskRecord | None], said: str
) -> int:
    require_task(project, task)
    clock, place = SystemClock(), project.place
    store = Store.open(
        place.state_dir, project=project.tasks.folder, list_id=project.tasks.id, clock=clock
    )
    try:
        import sys

        screen = Quiet(Output(sys.stderr), Tally(project.tasks, store.state.tasks))
        decide(Wiring(project, store, (screen,), clock))
    except IllegalEventError:
        store.close()
        raise
    except BaseException:
        store.abandon()
        raise
    store.close()
    print(f"{said}; go on with: {place.invocation.command('resume')}")
    return 0


def _dependents(project: Project, task: str) -> list[str]:
    """Every task that stands on this one, directly or not, in list order."""
    found = {task}
    while True:
        more = {t.id for t in project.tasks.tasks if found & set(t.depends_on)} | found
        if more == found:
            return [t.id for t in project.tasks.tasks if t.id in found and t.id != task]
        found = more
