"""What `debug state` shows: the last run, a task's counts, the transitions taken."""

from collections.abc import Iterable, Iterator
from typing import Any

from agent_runner.ground.clock import iso, local
from agent_runner.model import events as e
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import TaskState
from agent_runner.ui import words
from agent_runner.ui.outcomes import hook_title, outcome_words


def transition_objects(entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    """The transitions taken, for `--json`."""
    for entry, before, to in _moves(entries):
        yield {
            "seq": entry.seq,
            "at": iso(entry.at),
            "task": entry.task,
            "event": type(entry.event).__name__,
            "from": before.value,
            "to": to.value,
        }


def transition_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """The transitions taken, one a line: `7  TIME  T1  PreHooksPassed  pre_hooks -> agent`."""
    for entry, before, to in _moves(entries):
        when, event = local(entry.at, seconds=True), type(entry.event).__name__
        yield f"{entry.seq:>7}  {when}  {entry.task}  {event}  {before.value} -> {to.value}"


def run_lines(state: RunState) -> Iterator[str]:
    """The last run: when it started, in which process, and how it ended."""
    if state.run is None:
        yield "no run yet"
        return
    run, stopped = state.run, state.run.stopped
    started = local(run.started_at, seconds=True)
    yield f"run {run.started.run} of {state.list_id}: started {started}, process {run.started.pid}"
    if stopped is None or run.stopped_at is None:
        yield "  still running, or ended uncleanly"
    else:
        ended = local(run.stopped_at, seconds=True)
        detail = f": {words.clean(stopped.detail)}" if stopped.detail else ""
        yield f"  ended {ended}, {stopped.reason}, exit code {stopped.exit_code}{detail}"
    yield f"journal: {state.seq} records; current task: {state.current or 'none'}"


def task_lines(record: TaskRecord, title: str) -> Iterator[str]:
    """One task's state and every count that is not zero."""
    yield f"{record.id}  {title}: {record.state}"
    counts = {
        "attempts": record.counts.attempts,
        "post-hook failures": record.counts.failures,
        "failures in a row": record.counts.consecutive_failures,
        "attempts without progress": record.counts.no_progress,
        "rejected replies": record.counts.rejections,
        "unusable replies": record.counts.unusable_replies,
        "turns of this attempt": record.counts.turns,
        "answered calls": record.counts.calls_answered,
        "calls sent": record.counts.calls_started,
        "possibly billed": record.spent.possibly_billed,
        "extra attempts": record.counts.extra_attempts,
        "unclean stops": record.counts.crashes,
    }
    shown = [f"{name} {count}" for name, count in counts.items() if count]
    yield f"  {', '.join(shown) or 'nothing has happened yet'}"
    if record.last_error:
        yield f"  last error: {words.first_line(record.last_error)}"


def task_details(entries: Iterable[Entry], task_id: str) -> Iterator[str]:
    """The hook results and changed files of one task, in order, for `debug state T1`."""
    state = TaskState.PENDING
    for entry in entries:
        if entry.task != task_id:
            continue
        event = entry.event
        when = local(entry.at, seconds=True)
        state = entry.to or state
        if isinstance(event, e.HookFinished):
            result = event.result
            log = f"  ({words.clean(result.log)} at byte {result.offset})" if result.log else ""
            title = hook_title(event.phase, result.hook, state)
            yield f"{when}  {title}: {outcome_words(result)}{log}"
        elif isinstance(event, e.ApplyPlanned):
            for change in event.change_set.changes:
                kinds = f"{change.before.kind.value} -> {change.after.kind.value}"
                yield f"{when}  plan {words.clean(change.path)}: {kinds}"
        elif isinstance(event, e.Applied):
            yield f"{when}  changed {words.listed(event.paths, most=len(event.paths)) or 'nothing'}"


def _moves(entries: Iterable[Entry]) -> Iterator[tuple[Entry, TaskState, TaskState]]:
    """The entries that moved a task, each with the states before and after it."""
    states: dict[str, TaskState] = {}
    for entry in entries:
        if entry.to is not None:
            yield entry, states.get(entry.task, TaskState.PENDING), entry.to
            states[entry.task] = entry.to
