"""A person's decisions, made at the question, by a key or by a command.

They are journaled here; the task's next step acts on them.
"""

from collections.abc import Sequence

from agent_runner.engine.core import Core
from agent_runner.engine.machine import allows
from agent_runner.engine.recovery import Recovery
from agent_runner.engine.reverting import Reverting
from agent_runner.model import events as e
from agent_runner.model.decisions import Choice, Decision
from agent_runner.model.errors import IllegalEventError, UsageError
from agent_runner.model.flow import attempts_left
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import STEPS, TaskState
from agent_runner.model.task import Task


def retry(core: Core, task: str, *, hint: str = "", attempts: int = 0) -> TaskRecord:
    """Ask for another try of an escalated task.

    One more attempt is granted only where none is left.

    Raises IllegalEventError with what to type instead, if the task is not escalated.
    """
    record = core.record(task)
    _require(record, e.Retried)
    grants = attempts or (0 if attempts_left(record, core.settings_of(task)) else 1)
    return core.fire(task, e.Retried(hint, grants))


def put_back(recovery: Recovery, reverting: Reverting, task: Task, *, wanted: bool | None) -> None:
    """Before a retry: have the files hold what was taken back from them, if that is wanted.

    `wanted` None: only where a judge could not start, since that change is paid for and not judged.

    Raises:
        UsageError: a file was edited since; nothing was touched.
    """
    record = recovery.core.record(task.id)
    if record.state is not TaskState.ESCALATED:
        return
    if record.change.rolling_back:  # a stop came in between
        recovery.settle(task.id, reason="the task is tried again")
    unjudged = record.retry_to is TaskState.POST_HOOKS
    if record.change.is_gone and (unjudged if wanted is None else wanted):
        outcome = reverting.put_back(task)
        if outcome.refused:
            raise UsageError(
                f"what {task.id} had changed cannot be put back, {outcome.refused}",
                fix="begin from the files as they are",
                command=("retry", task.id, "--anew"),
            )


def skip(core: Core, recovery: Recovery, task: str, *, reason: str) -> TaskRecord:
    """Skip a task; a change half applied is rolled back first."""
    _require(core.record(task), e.Skipped)
    recovery.settle(task, reason="the task is skipped")
    return core.fire(task, e.Skipped(reason))


def check(core: Core, recovery: Recovery, task: str) -> TaskRecord:
    """Have the post-hooks judge what a person did to the files, without a call."""
    _require(core.record(task), e.Checked)
    recovery.settle(task, reason="a person checks the files")
    return core.fire(task, e.Checked())


def reset(core: Core, recovery: Recovery, task: str, *, reason: str) -> TaskRecord:
    """Start a task from nothing; the files stay as they are."""
    recovery.settle(task, reason="the task is reset")
    return core.fire(task, e.Reset(reason))


def reset_all(core: Core, recovery: Recovery, tasks: Sequence[str], *, reason: str) -> None:
    """Start a task from nothing, and of those after it in `tasks` all that have been started."""
    first, *others = tasks
    reset(core, recovery, first, reason=reason)
    for task in others:
        if core.record(task).state is not TaskState.PENDING:
            reset(core, recovery, task, reason=reason)


def carry_out(core: Core, recovery: Recovery, task: str, decision: Decision) -> TaskRecord | None:
    """Record what was decided at the question; None: the run is to be aborted."""
    match decision.choice:
        case Choice.RETRY:
            return retry(core, task, hint=decision.hint)
        case Choice.CHECK:
            return check(core, recovery, task)
        case Choice.SKIP:
            return skip(core, recovery, task, reason="skipped by a person")
        case Choice.ABORT:
            core.journal(task, e.Aborted())
            return None


_NOW = {
    TaskState.PENDING: "is pending",
    TaskState.PASSED: "has passed",
    TaskState.ESCALATED: "needs a person",
    TaskState.SKIPPED: "was skipped",
}

_INSTEAD = {
    TaskState.PENDING: ("it has not been started yet", ("run",)),
    TaskState.PASSED: ("reset it to have it done again", ("reset", "{id}")),
    TaskState.SKIPPED: ("reset it to have it done after all", ("reset", "{id}")),
}
"""What to do, and to type, where a decision does not fit the state."""


def _require(record: TaskRecord, event: type[e.TaskEvent]) -> None:
    if not allows(record.state, event):
        word = {e.Retried: "retried", e.Skipped: "skipped", e.Checked: "checked"}[event]
        now = "is being worked on" if record.state in STEPS else _NOW[record.state]
        fix, command = _INSTEAD.get(record.state, ("let it go on", ("resume",)))
        raise IllegalEventError(
            f"{record.id} {now} and cannot be {word}",
            fix=fix,
            command=tuple(one.replace("{id}", record.id) for one in command),
        )
