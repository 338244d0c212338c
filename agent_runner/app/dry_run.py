"""What `run --dry-run` says: which tasks and hooks would run, in order, and how many calls."""

import sys
from collections.abc import Iterator

from agent_runner.app.findings import examine
from agent_runner.app.forecast import (
    Forecast,
    blocked_lines,
    forecast,
    has_answer,
    waiting_lines,
)
from agent_runner.app.project import Project
from agent_runner.app.rights import owed, rights
from agent_runner.app.selection import require_reachable
from agent_runner.engine.schedule import EVERYTHING, Selection
from agent_runner.ground.clock import Clock
from agent_runner.ground.escaping import on_one_line
from agent_runner.model.fold import RunState
from agent_runner.model.hooks import Hook, Phase, SandboxRule
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import STEPS, TaskState
from agent_runner.model.task import Task
from agent_runner.store.store import read_state
from agent_runner.ui import words
from agent_runner.ui.tally import Tally


def dry_run(
    project: Project, clock: Clock, chosen: Selection = EVERYTHING, *, ignore_limits: bool = False
) -> Iterator[str]:
    """The lines. Nothing is called, run or written.

    `ignore_limits`: as a run that skips configured limits.
    """
    state, _ = read_state(project.place.state_dir, project.tasks.id)
    require_reachable(project, chosen, state.tasks)
    ahead = forecast(
        project,
        state,
        clock,
        can_ask=sys.stdin.isatty(),
        ignore_config=ignore_limits,
        chosen=chosen,
    )
    waiting = owed(project, state)
    if not ahead.order and not ahead.waiting_for_person and not waiting:
        yield "Nothing is left to do."
        return
    if ahead.order:
        count = words.plural(len(project.tasks), "task")
        yield f"Would run {len(ahead.order)} of {count}, in this order:"
    for number, task in enumerate(ahead.order, start=1):
        yield from _task(number, task, project, state)
    if ahead.order or waiting:
        yield from rights(project, ahead.order, state)
    yield from waiting_lines(ahead, project.place.invocation)
    yield from _held(ahead, project, state, chosen)
    if ahead.order:
        yield from _calls(ahead, project, state)
        yield from _obstacles(ahead, project, ignore_limits=ignore_limits)


def _task(number: int, task: Task, project: Project, state: RunState) -> Iterator[str]:
    record = state.record(task.id)
    where = "" if record.state is TaskState.PENDING else f" (continues with {record.state})"
    yield f"{number:>3}. {task.id}  {task.title}{where}"
    if record.state in STEPS and has_answer(record):
        yield "       the answer is here already: only a failure asks for another"
    hooks = project.settings.hooks
    for word, phase, names in (
        ("pre-hook", Phase.PRE, task.pre_hooks),
        ("post-hook", Phase.POST, task.post_hooks),
    ):
        for name in names:
            if _runs(hooks[name], phase, record):
                confined = " (in a sandbox)" if hooks[name].sandbox is SandboxRule.AUTO else ""
                yield f"       {word} {name}: {on_one_line(hooks[name].shown)}{confined}"
    if not task.post_hooks:
        yield "       no post-hook: nothing judges this task"


def _runs(hook: Hook, phase: Phase, record: TaskRecord) -> bool:
    """Whether a hook is still to run: in a step of the task that an earlier run left unfinished."""
    if phase is Phase.PRE and hook.rerun_on_resume:
        return True
    if phase is Phase.PRE and record.state in STEPS - {TaskState.PRE_HOOKS}:
        return False
    finished = {one.result.hook for one in record.judgement.finished if one.phase is phase}
    return hook.id not in finished


def _obstacles(ahead: Forecast, project: Project, *, ignore_limits: bool) -> Iterator[str]:
    """What keeps the run from beginning at all, as `run` itself and `config validate` say it."""
    for one in examine(project, ahead.order):
        if one.forbids_run and not (one.about_limits and ignore_limits):
            yield f"But no run would begin: {one.problem}"


def _held(ahead: Forecast, project: Project, state: RunState, chosen: Selection) -> Iterator[str]:
    """Tasks that would not be reached, and what holds them."""
    tally = Tally(project.tasks, state.tasks)
    for task in project.tasks.tasks:
        if task.id in chosen and task not in ahead.order and (holders := tally.held_by(task)):
            yield f"{task.id} is held by {words.listed(holders)}"


def _calls(ahead: Forecast, project: Project, state: RunState) -> Iterator[str]:
    """The least is one call a task, none where an answer is in or green judges may pass it.

    The most are all attempts that are left.
    """
    settings = project.settings
    least = most = 0
    for task in ahead.order:
        record = state.record(task.id)
        spared = has_answer(record) or (settings.skip_if_green and task.post_hooks)
        attempts = project.settings_of(task.id).max_attempts_per_task + record.counts.extra_attempts
        least += 0 if spared else 1
        most += max(0 if has_answer(record) else 1, attempts - record.counts.attempts)
    yield f"Agent calls: at least {least}, at most {most}"
    yield "  (plus calls for unusable replies, corrected edits and looks at files)"
    yield ahead.expected
    yield f"Limits: {ahead.line}"
    yield from (f"  {line}" for line in blocked_lines(ahead))
