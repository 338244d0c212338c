"""What is known of a list, read without changing anything: for `status`, `usage`, `debug state`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
from attrs import evolve, frozen

from agent_runner.app.place import Surroundings, find
from agent_runner.app.project import Project, load
from agent_runner.app.sharing import gate_of
from agent_runner.ground.clock import SystemClock, local
from agent_runner.limits import report
from agent_runner.limits.windows import zone_of
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.task import Task, TaskList
from agent_runner.store.layout import FOLDER
from agent_runner.store.store import read_good_entries, read_state
from agent_runner.ui import inspection
from agent_runner.ui.event_lines import set_aside_words
from agent_runner.ui.tables import TextTable, counter_lines, status_table, usage_table
from agent_runner.ui.tally import Tally

Part = str | TextTable
"""What is shown: a line, or a table that is fitted to the screen."""


@frozen
class Overview:
    """A list and its state as they are now.

    Attributes:
        project: The list and its configuration.
        state: The fold of the journal.
        warnings: What was odd about the journal but did not hinder reading it.
    """

    project: Project
    state: RunState
    warnings: tuple[str, ...] = ()

    @property
    def tally(self) -> Tally:
        """The tasks with their records."""
        zone = zone_of(self.project.settings.limits)
        return Tally(self.project.tasks, self.state.tasks, zone, self.project.place.invocation)


def read(tasks: Path | None, state_dir: Path | None, here: Surroundings) -> Overview:
    """Read list, configuration and state, also while a run is on.

    Raises:
        UsageError: there is no such list, or list or configuration have mistakes.
        StateError: the state cannot be read.
    """
    return of_project(load(find(tasks, state_dir, here), here))


def of_project(project: Project) -> Overview:
    """The project with its state."""
    state, warnings = read_state(project.place.state_dir, project.tasks.id)
    return Overview(project, state, warnings)


def without_list(
    tasks: Path | None, state_dir: Path | None, here: Surroundings
) -> tuple[Tally, RunState]:
    """What the state knows of its tasks where the list or the configuration cannot be read."""
    state, _ = read_state(here.cwd / (state_dir or (tasks or Path()).parent / FOLDER))
    known = (Task(name, "(the list cannot be read)", "", Path()) for name in state.tasks)
    records = {name: evolve(record, definition="") for name, record in state.tasks.items()}
    return Tally(TaskList(state.list_id, Path(), Path(), tuple(known)), records), state


def status_object(view: Overview) -> dict[str, Any]:
    """What `status --json` prints (docs/json.md)."""
    limits = [attrs.asdict(counter) for counter in _counters(view)]
    return {**inspection.status_object(view.tally, view.state), "limits": limits}


def status_parts(view: Overview) -> Iterator[Part]:
    """Every task, the sums, the limits, and what to do next."""
    tally, state = view.tally, view.state
    yield status_table(tally)
    yield tally.closing_line()
    yield from tally.lost_calls()
    yield from counter_lines(_counters(view), zone_of(view.project.settings.limits))
    now = SystemClock().now()
    yield from (
        set_aside_words(one) for one in state.spending.set_aside.values() if one.until > now
    )
    if state.run is None:
        return
    if state.run.stopped is not None:
        yield from tally.next_steps(state.run.stopped)
        return
    since, pid = local(state.run.started_at, seconds=True), state.run.started.pid
    yield f"A run is going on, or ended without cleaning up: process {pid}, since {since}"


def usage_object(view: Overview, by: str) -> dict[str, Any]:
    """What `usage --json` prints (docs/json.md)."""
    spending = view.state.spending
    return {
        "by": by,
        "rows": [attrs.asdict(row) for row in report.usage_rows(spending, report.By(by))],
        "total": attrs.asdict(report.usage_total(spending)),
        "limits": [attrs.asdict(counter) for counter in _counters(view)],
    }


def usage_parts(view: Overview, by: str) -> Iterator[Part]:
    """What was used by task, model or day, and how full the limits are."""
    spending = view.state.spending
    rows = [*report.usage_rows(spending, report.By(by)), report.usage_total(spending)]
    yield usage_table(by, rows)
    yield from counter_lines(_counters(view), zone_of(view.project.settings.limits))


def before_damage(project: Project) -> Overview:
    """The state as the journal tells it up to a damaged record."""
    state = RunState()
    for entry in read_good_entries(project.place.state_dir):
        state.take(entry)
    return Overview(project, state)


def inspection_object(view: Overview, task: str | None) -> dict[str, Any]:
    """What `debug state --json` prints (docs/json.md)."""
    shown = inspection.status_object(view.tally, view.state)
    shown["transitions"] = [*inspection.transition_objects(_entries(view, task))]
    if task is not None:
        shown["tasks"] = [one for one in shown["tasks"] if one["id"] == task]
    return shown


def inspection_parts(view: Overview, task: str | None) -> Iterator[Part]:
    """The run, each task's state and counts, and the transitions; or one task in detail."""
    tally, entries = view.tally, _entries(view, task)
    yield from inspection.run_lines(view.state)
    if task is None:
        yield status_table(tally)
    else:
        yield from inspection.task_lines(tally, task)
        yield from inspection.task_details(entries, task)
    yield "transitions:"
    yield from inspection.transition_lines(entries)


def _entries(view: Overview, task: str | None) -> list[Entry]:
    every = read_good_entries(view.project.place.state_dir)
    return [entry for entry in every if task in {None, entry.task}]


def _counters(view: Overview) -> list[report.Counter]:
    clock, project = SystemClock(), view.project
    others = gate_of(project, clock).others()
    return report.counters(view.state.spending, project.settings, clock.now(), others)
