"""Prints what is known of a list without changing anything: status, story, use, plan, debug."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
from attrs import evolve

from agent_runner.app.project import Project
from agent_runner.app.sharing import ledger_of
from agent_runner.cli.around import open_project, surroundings
from agent_runner.cli.naming import require_task
from agent_runner.ground.clock import SystemClock, local
from agent_runner.limits import report
from agent_runner.limits.gate import Gate
from agent_runner.limits.windows import zone_of
from agent_runner.model.errors import JournalDamagedError, UsageError
from agent_runner.model.fold import RunState
from agent_runner.model.task import Task, TaskList
from agent_runner.store.layout import FOLDER
from agent_runner.store.store import read_entries, read_good_entries, read_state
from agent_runner.ui import inspection
from agent_runner.ui.event_lines import set_aside_words
from agent_runner.ui.narration import why_lines
from agent_runner.ui.output import Output, can_draw
from agent_runner.ui.tables import TextTable, counter_lines, status_table, usage_table
from agent_runner.ui.tally import Tally


def print_status(tasks: Path | None, state_dir: Path | None, *, as_json: bool) -> int:
    """Where every task stands, and how full the limits are.

    If list or configuration cannot be read: what the state knows without them, then the error.
    """
    try:
        project = open_project(tasks, state_dir)
    except UsageError:
        folder = surroundings().cwd / (state_dir or (tasks or Path()).parent / FOLDER)
        _print_known(read_state(folder)[0], as_json=as_json)
        raise
    state = state_of(project)
    zone = zone_of(project.settings.limits)
    tally = Tally(project.tasks, state.tasks, zone, project.place.invocation)
    counters = _counters(project, state)
    if as_json:
        limits = [attrs.asdict(counter) for counter in counters]
        return print_json({**inspection.status_object(tally, state), "limits": limits})
    _print(_shown(status_table(tally)))
    print(tally.closing_line())
    _print(tally.lost_calls())
    _print(counter_lines(counters, zone))
    asides, now = state.spending.set_aside.values(), SystemClock().now()
    _print(set_aside_words(one) for one in asides if one.until > now)
    stopped = state.run.stopped if state.run else None
    if state.run is not None and stopped is None:
        began = local(state.run.started_at, seconds=True)
        print(f"A run is on, or ended uncleanly: process {state.run.started.pid}, since {began}")
    elif stopped is not None:
        _print(tally.next_steps(stopped))
    return 0


def print_story(project: Project, task: str) -> int:
    """One task's story."""
    require_task(project, task)
    _print(why_lines(task, project.tasks[task].title, read_entries(project.place.state_dir)))
    return 0


def print_usage(project: Project, by: str, *, as_json: bool) -> int:
    """What was used, by task, model or day."""
    state = state_of(project)
    rows = [*report.usage_rows(state.spending, report.By(by)), report.usage_total(state.spending)]
    if as_json:
        shown = [attrs.asdict(row) for row in rows]
        limits = [attrs.asdict(counter) for counter in _counters(project, state)]
        return print_json({"by": by, "rows": shown[:-1], "total": shown[-1], "limits": limits})
    _print(_shown(usage_table(by, rows)))
    _print(counter_lines(_counters(project, state), zone_of(project.settings.limits)))
    return 0


def print_state(project: Project, task: str | None, *, as_json: bool) -> int:
    """The run, each task's state and counts, and the transitions taken; or one task in detail.

    Of a damaged journal the part before the damage is shown, then the error is raised.
    """
    if task is not None:
        require_task(project, task)
    try:
        state = state_of(project)
    except JournalDamagedError:
        state = RunState()
        for entry in read_good_entries(project.place.state_dir):
            state.take(entry)
        _print_inside(project, state, task, as_json=as_json)
        raise
    return _print_inside(project, state, task, as_json=as_json)


def _print_inside(project: Project, state: RunState, task: str | None, *, as_json: bool) -> int:
    tally = Tally(project.tasks, state.tasks)
    entries = [e for e in read_good_entries(project.place.state_dir) if task in {None, e.task}]
    if as_json:
        shown = inspection.status_object(tally, state)
        shown["transitions"] = [*inspection.transition_objects(entries)]
        if task is not None:
            shown["tasks"] = [one for one in shown["tasks"] if one["id"] == task]
        return print_json(shown)
    _print(inspection.run_lines(state))
    if task is None:
        _print(_shown(status_table(tally)))
    else:
        _print(inspection.task_lines(tally, task))
        _print(inspection.task_details(entries, task))
    print("transitions:")
    _print(inspection.transition_lines(entries))
    return 0


def _print_known(state: RunState, *, as_json: bool) -> None:
    known = (Task(name, "(the list cannot be read)", "", Path()) for name in state.tasks)
    records = {name: evolve(record, definition="") for name, record in state.tasks.items()}
    tally = Tally(TaskList(state.list_id, Path(), Path(), tuple(known)), records)
    if as_json:
        print_json(inspection.status_object(tally, state))
    elif state.tasks:
        _print(_shown(status_table(tally)))
        print(tally.closing_line())


def state_of(project: Project) -> RunState:
    """The state as it is now; warnings go to stderr."""
    state, warnings = read_state(project.place.state_dir, project.tasks.id)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return state


def _counters(project: Project, state: RunState) -> list[report.Counter]:
    clock = SystemClock()
    others = Gate(project.settings, clock, ledger_of(project, clock)).others()
    return report.counters(state.spending, project.settings, clock.now(), others)


def _shown(table: TextTable) -> Iterable[str]:
    """The table for this stdout: in colour and fitted to a terminal, plain columns for a pipe."""
    if not can_draw(sys.stdout, os.environ):
        return table.lines()
    from agent_runner.ui.painting import Painter  # lazy: rich is slow to import

    return (
        line.removesuffix("\n") for line in Painter(Output(sys.stdout), os.environ).table(table)
    )


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def print_json(content: dict[str, Any]) -> int:
    """Print one object; the exit code."""
    print(json.dumps(content, ensure_ascii=False, indent=2, default=str))
    return 0
