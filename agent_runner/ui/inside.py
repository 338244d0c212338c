"""What `debug state` prints beside the tables: the run, a task's counts, transitions as objects."""

from collections.abc import Iterable, Iterator
from typing import Any

from agent_runner.ground.clock import iso, local
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.states import TaskState
from agent_runner.ui import words
from agent_runner.ui.tally import Tally


def run_lines(state: RunState) -> Iterator[str]:
    """The last run: when it began, by which process, how it ended."""
    if state.run is None:
        yield "no run has begun here"
        return
    run, stopped = state.run, state.run.stopped
    began = local(run.started_at, seconds=True)
    yield f"run {run.started.run} of {state.list_id}: began {began}, process {run.started.pid}"
    if stopped is None or run.stopped_at is None:
        yield "  still on, or ended without saying so"
    else:
        ended = local(run.stopped_at, seconds=True)
        detail = f": {words.clean(stopped.detail)}" if stopped.detail else ""
        yield f"  ended {ended}, {stopped.reason}, exit code {stopped.exit_code}{detail}"
    yield f"journal: {state.seq} records; current task: {state.current or 'none'}"


def task_lines(tally: Tally, task_id: str) -> Iterator[str]:
    """One task's state and every count that is not zero."""
    record = tally.record(task_id)
    yield f"{task_id}  {tally.title(task_id)}: {record.state}"
    counts = {
        "attempts": record.counts.attempts,
        "post-hook failures": record.counts.failures,
        "failures in a row": record.counts.consecutive_failures,
        "attempts without progress": record.counts.no_progress,
        "rejected replies": record.counts.rejections,
        "unusable replies": record.counts.unusable_replies,
        "looks at files": record.counts.turns,
        "answered calls": record.counts.calls_answered,
        "calls sent": record.counts.calls_started,
        "possibly billed": record.spent.possibly_billed,
        "attempts granted": record.counts.extra_attempts,
        "unclean stops": record.counts.crashes,
    }
    shown = [f"{name} {count}" for name, count in counts.items() if count]
    yield f"  {', '.join(shown) or 'nothing has happened to it'}"
    if record.last_error:
        yield f"  last error: {words.first_line(record.last_error)}"


def transition_objects(entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    """The transitions taken, for `--json`."""
    states: dict[str, TaskState] = {}
    for entry in entries:
        if entry.to is None:
            continue
        before = states.get(entry.task, TaskState.PENDING)
        states[entry.task] = entry.to
        yield {
            "seq": entry.seq,
            "at": iso(entry.at),
            "task": entry.task,
            "event": type(entry.event).__name__,
            "from": before.value,
            "to": entry.to.value,
        }
