"""The open state of a project, for one command that changes it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from agent_runner.app.list_cache import write_list_cache
from agent_runner.app.project import Project
from agent_runner.app.wiring import Wiring
from agent_runner.ground.clock import Clock, SystemClock
from agent_runner.store.store import Store
from agent_runner.ui.output import Output
from agent_runner.ui.plain import Quiet
from agent_runner.ui.tally import Tally


@contextmanager
def opened_store(project: Project, clock: Clock) -> Iterator[Store]:
    """The state, locked and open; saved at the end, left as it is on the disk after an error.

    Raises StateError if another command holds it or it cannot be used.
    """
    tasks, folder = project.tasks, project.place.state_dir
    store = Store.open(folder, project=tasks.folder, list_id=tasks.id, clock=clock)
    try:
        write_list_cache(project)
        yield store
    except BaseException:
        store.abandon()
        raise
    store.close()


@contextmanager
def wired_for(project: Project, task_id: str) -> Iterator[Wiring]:
    """The parts with which a person's decision about one task is carried out, outside of a run.

    Raises UsageError if the list has no such task, StateError if the state cannot be used.
    """
    project.task(task_id)
    clock = SystemClock()
    with opened_store(project, clock) as store:
        screen = Quiet(Output(sys.stderr), Tally(project.tasks, store.state.tasks))
        yield Wiring(project, store, (screen,), clock)
