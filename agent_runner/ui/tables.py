"""The tables of `status`, of a run's end and of `debug state`; their colours are in painting.py."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from attrs import evolve, frozen

from agent_runner.ground.clock import iso, local
from agent_runner.model import events as e
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import FINAL, TaskState
from agent_runner.model.task import Task
from agent_runner.ui import words
from agent_runner.ui.decisive import outcome_words
from agent_runner.ui.jsonl import to_plain
from agent_runner.ui.tally import Tally

GAP = 2
"""Spaces between two columns."""

_LEAST = 8
"""Columns of the screen below which a text is not cut."""

_LONG = 50
"""Rows that a person still reads at the end of a run."""

_UNTOLD = frozenset({"passed", "pending"})


@frozen
class Column:
    """A column: numbers stand at the right; where space is short it has its `short` name.

    A column that `shrinks` is cut then, too.
    """

    name: str
    number: bool = False
    shrinks: bool = False
    short: str = ""


@frozen
class Table:
    """Rows of cells, all text."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def widths(self) -> list[int]:
        """Columns of the screen that each column's longest cell takes."""
        names = tuple(column.name for column in self.columns)
        return [max(map(words.columns, cells)) for cells in zip(names, *self.rows, strict=True)]

    def lines(self) -> Iterator[str]:
        """Plain columns for pipes, one line at a time: nothing is cut, nothing coloured."""
        widths = self.widths
        for row in (tuple(column.name for column in self.columns), *self.rows):
            cells = []
            for cell, width, column in zip(row, widths, self.columns, strict=True):
                space = " " * (width - words.columns(cell))
                cells.append(space + cell if column.number else cell + space)
            yield (" " * GAP).join(cells).rstrip()

    def fitted(self, width: int) -> "Table":
        """The table for a screen so wide: short names if need be, then texts cut."""
        if self._too_wide(width) <= 0:
            return self
        table = Table(tuple(evolve(c, name=c.short or c.name) for c in self.columns), self.rows)
        widths = table.widths
        over = table._too_wide(width)
        places = [place for place, column in enumerate(table.columns) if column.shrinks]
        for place in places:
            taken = max(0, min(over, widths[place] - _LEAST))
            widths[place] -= taken
            over -= taken
        rows = tuple(
            tuple(
                words.cut(cell, widths[place]) if place in places else cell
                for place, cell in enumerate(row)
            )
            for row in table.rows
        )
        return Table(table.columns, rows)

    def _too_wide(self, width: int) -> int:
        return sum(self.widths) + GAP * (len(self.columns) - 1) - width


def status_table(tally: Tally) -> Table:
    """Every task: state, attempts, failures, time, what holds it, calls, tokens, cost."""
    return _table(tally, tally.tasks.tasks)


def _table(tally: Tally, tasks: tuple[Task, ...]) -> Table:
    columns = (
        Column("task"),
        Column("title", shrinks=True),
        Column("state"),
        Column("attempts", number=True, short="att"),
        Column("failures", number=True, short="fail"),
        Column("time", number=True),
        Column("held by", shrinks=True),
        Column("calls", number=True),
        Column("tokens", number=True),
        Column("cost", number=True),
    )
    rows = tuple(_status_row(tally, task) for task in tasks)
    return _without_empty(Table(columns, rows), ("held by", "cost"))


def final_table(tally: Tally) -> Table:
    """The end of a run: task, state, attempts, time, calls, tokens, cost.

    Of a long list only what did not simply pass or wait; the closing line counts the rest.
    """
    tasks = tally.tasks.tasks
    if len(tasks) > _LONG:
        telling = (t for t in tasks if words.record_word(tally.record(t.id)) not in _UNTOLD)
        tasks = tuple(islice(telling, _LONG))
    return _without(_table(tally, tasks), {"failures", "held by"})


def transitions(entries: Iterable[Entry]) -> Iterator[str]:
    """The transitions taken, one a line: `7  TIME  T1  PreHooksPassed  pre_hooks -> agent`."""
    states: dict[str, TaskState] = {}
    for entry in entries:
        if entry.to is None:
            continue
        before = states.get(entry.task, TaskState.PENDING)
        states[entry.task] = entry.to
        when = local(entry.at, seconds=True)
        event = type(entry.event).__name__
        yield f"{entry.seq:>7}  {when}  {entry.task}  {event}  {before.value} -> {entry.to.value}"


def task_details(entries: Iterable[Entry], task_id: str) -> Iterator[str]:
    """One task's hook results and changed files, in order, for `debug state T1`."""
    for entry in entries:
        if entry.task != task_id:
            continue
        event = entry.event
        when = local(entry.at, seconds=True)
        if isinstance(event, e.HookFinished):
            result = event.result
            log = f"  ({words.clean(result.log)} at byte {result.offset})" if result.log else ""
            yield f"{when}  {event.phase.value}-hook {result.hook}: {outcome_words(result)}{log}"
        elif isinstance(event, e.ApplyPlanned):
            for change in event.change_set.changes:
                kinds = f"{change.before.kind.value} -> {change.after.kind.value}"
                yield f"{when}  plan {words.clean(change.path)}: {kinds}"
        elif isinstance(event, e.Applied):
            yield f"{when}  changed {words.listed(event.paths, most=len(event.paths)) or 'nothing'}"


def status_object(tally: Tally, state: RunState) -> dict[str, Any]:
    """What `status --json` and `debug state --json` print (docs/json.md)."""
    return {
        "list": state.list_id or tally.tasks.id,
        "seq": state.seq,
        "current": state.current,
        "run": _run_object(state),
        "set_aside": [_aside_object(one) for one in state.spending.set_aside.values()],
        "tasks": [_task_object(tally, task) for task in tally.tasks.tasks],
    }


def _run_object(state: RunState) -> dict[str, Any] | None:
    if state.run is None:
        return None
    run, stopped = state.run, state.run.stopped
    return {
        "id": run.started.run,
        "pid": run.started.pid,
        "started_at": iso(run.started_at),
        "stopped_at": None if run.stopped_at is None else iso(run.stopped_at),
        "reason": stopped.reason if stopped else None,
        "exit_code": stopped.exit_code if stopped else None,
        "not_before": iso(stopped.not_before) if stopped and stopped.not_before else None,
    }


def _aside_object(aside: e.SetAside) -> dict[str, Any]:
    return {**to_plain(aside), "until": iso(aside.until)}


def _task_object(tally: Tally, task: Task) -> dict[str, Any]:
    record = tally.record(task.id)
    return {
        "id": task.id,
        "title": task.title,
        "state": record.state.value,
        "attempts": record.counts.attempts,
        "failures": record.counts.failures,
        "seconds": round(record.spent.seconds, 3),
        "calls": record.counts.calls_answered,
        "possibly_billed": record.spent.possibly_billed,
        "usage": to_plain(record.spent.usage),
        "cost": record.spent.cost,
        "held_by": list(tally.held_by(task)),
        "checked": record.judgement.checked_by_hook,
        "stale": _stale(task, record),
        "last_error": record.last_error,
        "proof": to_plain(record.judgement.proof),
        "tree": record.judgement.tree,
        "commit": record.change.commit,
    }


def _status_row(tally: Tally, task: Task) -> tuple[str, ...]:
    record = tally.record(task.id)
    held = ", ".join(
        f"{one} ({words.state_word(tally.record(one).state)})" for one in tally.held_by(task)
    )
    title = words.clean(task.title)
    return (
        task.id,
        f"{title} [text changed since]" if _stale(task, record) else title,
        words.record_word(record),
        str(record.counts.attempts),
        str(record.counts.failures),
        words.duration(record.spent.seconds) if record.spent.seconds else "-",
        held,
        str(record.counts.calls_answered),
        words.count(record.spent.usage.total),
        words.money(record.spent.cost),
    )


def _stale(task: Task, record: TaskRecord) -> bool:
    """Whether a final task was judged by another text than the list has now."""
    judged = record.state in FINAL and record.definition
    return bool(judged and record.definition != task.definition)


def _without_empty(table: Table, names: tuple[str, ...]) -> Table:
    """The table without those of `names` that say nothing in any row."""
    places = {column.name: place for place, column in enumerate(table.columns)}
    empty = {n for n in names if all(row[places[n]] in {"", "-"} for row in table.rows)}
    return _without(table, empty)


def _without(table: Table, names: set[str]) -> Table:
    kept = [place for place, column in enumerate(table.columns) if column.name not in names]
    return Table(
        tuple(table.columns[place] for place in kept),
        tuple(tuple(row[place] for place in kept) for row in table.rows),
    )
