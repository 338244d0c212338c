"""What `status`, `why` and `debug state` print with --json; tables.py has the table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_runner.ground.clock import iso
from agent_runner.model.standing import Proof, UsageSum

if TYPE_CHECKING:  # `status` shows outlines and needs no events
    from collections.abc import Iterable

    from agent_runner.model.events import JudgedAsBefore, SetAside
    from agent_runner.model.fold import Entry, RunInfo, RunState
    from agent_runner.model.standing import AsBefore, LastRun, StateOutline, TaskOutline
    from agent_runner.model.task import Task
    from agent_runner.ui.tally import Tally


def status_object(
    tally: Tally,
    state: RunState | StateOutline,
    set_aside: Iterable[SetAside] = (),
    wanted: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """The object that docs/json.md describes.

    `set_aside`: providers that are not asked for now. `wanted`: as `Tally.in_words` takes them.
    """
    return {
        "list": state.list_id or tally.tasks.id,
        "seq": state.seq,
        "current": state.current,
        "run": _run_object(state.run, is_on=tally.run_is_on) if state.run else None,
        "set_aside": [_aside_object(one) for one in set_aside],
        "tasks": [_task_object(tally, task) for task in tally.in_words(wanted)],
    }


def why_object(tally: Tally, task_id: str, entries: Iterable[Entry]) -> dict[str, Any]:
    """What `why --json` prints: the task as in `status --json`, and its history."""
    from agent_runner.ui.narration import Timeline

    timeline = Timeline(task_id)
    history = [
        {
            "seq": entry.seq,
            "at": iso(entry.at),
            "kind": type(entry.event).__name__,
            "tone": one.line.tone.value,
            "text": one.line.text,
            "details": list(one.line.details),
        }
        for entry in entries
        for one in timeline.take(entry)
    ]
    return {"task": _task_object(tally, tally.tasks[task_id]), "history": history}


def _run_object(run: RunInfo | LastRun, *, is_on: bool) -> dict[str, Any]:
    stopped = run.stopped
    return {
        "id": run.started.run,
        "pid": run.started.pid,
        "running": is_on,
        "started_at": iso(run.started_at),
        "stopped_at": None if run.stopped_at is None else iso(run.stopped_at),
        "reason": stopped.reason if stopped else None,
        "exit_code": stopped.exit_code if stopped else None,
        "not_before": iso(stopped.not_before) if stopped and stopped.not_before else None,
    }


def _aside_object(aside: SetAside) -> dict[str, Any]:
    from agent_runner.store.codec import to_plain_whole  # lazy: seldom is a provider set aside

    return {**to_plain_whole(aside), "until": iso(aside.until)}


def _as_before_object(before: JudgedAsBefore | AsBefore | None) -> dict[str, Any] | None:
    if before is None:
        return None
    return {
        "paths": list(before.paths),
        "with_tests_of_before": before.outcome,
        "hook": before.hook,
        "failing": list(before.failing),
        "summary": before.summary,
    }


def _task_object(tally: Tally, task: Task | TaskOutline) -> dict[str, Any]:
    record = tally.record(task.id)
    usage, judged = record.spent.usage, record.judgement
    return {
        "id": task.id,
        "title": task.title,
        "state": record.state.value,
        "attempts": record.counts.attempts,
        "failures": record.counts.failures,
        "seconds": round(record.spent.seconds, 3),
        "calls": record.calls,
        "possibly_billed": record.spent.possibly_billed,
        "usage": {name: getattr(usage, name) for name in UsageSum._fields},
        "cost": record.spent.cost,
        "held_by": list(tally.held_by(task)),
        "checked": judged.checked_by_hook,
        "tests_changed": _as_before_object(judged.as_before),
        "nothing_changed": judged.nothing_changed,
        "no_change": record.change.no_change,
        "stale": tally.is_stale(task),
        "built_on": list(tally.built_on(task)),
        "taken_back": record.change.is_gone and not record.change.kept,
        "last_error": record.last_error,
        "proof": [{name: getattr(one, name) for name in Proof._fields} for one in judged.proof],
        "tree": judged.tree,
        "commit": record.change.commit,
        "commit_problem": record.change.commit_problem,
    }
