"""What is known of one task."""

import operator
from typing import Any

import attrs
from attrs import field, frozen

from agent_runner.model import events as e
from agent_runner.model.changes import ChangeSet
from agent_runner.model.states import TaskState
from agent_runner.model.usage import Usage


@frozen
class TaskRecord:
    """One task's facts. `state` is moved by the machine alone; everything else is `evolve`'s.

    attempts: numbered from 1, the last one begun; `attempt_open`: the next call belongs to it.
    calls: answered ones; begun: all ever sent, never set back, so that call ids stay unique.
    failures: post-hook failures in all; in_row: those since a person last decided. rejections,
    turns: in this attempt. hooks_done: finished hooks of the step in hand. call: id of a call begun
    and not settled. reply: id of the answer to apply. open_change: an apply or rollback begun and
    not known to be finished. talk: the call whose talk the next one goes on with; corrected: the
    rejected replies that the next one corrects. call_failures: calls in a row that `call_provider`
    left without an answer. trees, fingerprints: of failed judgements.
    """

    id: str
    state: TaskState = TaskState.PENDING
    definition: str = ""
    attempts: int = 0
    attempt_open: bool = False
    attempt_changed: bool = False
    granted: int = 0
    failures: int = 0
    in_row: int = 0
    rejections: int = 0
    unusable: int = 0
    turns: int = 0
    no_progress: int = 0
    no_progress_rule: str = ""
    crashes: int = 0
    calls: int = 0
    begun: int = 0
    call: str | None = None
    call_provider: str = ""
    call_failures: int = 0
    response_id: str | None = None
    reply: str | None = None
    not_before: float | None = None
    deferred: e.Deferred | None = None
    talk: str | None = None
    corrected: tuple[str, ...] = ()
    hooks_done: tuple[e.HookFinished, ...] = ()
    hook_running: e.HookStarted | None = None
    start: str = ""
    open_change: ChangeSet | None = None
    rolling_back: bool = False
    command_running: int | None = None
    commands_done: int = 0
    change_sets: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    baseline: e.BaselineTaken | None = None
    judging: bool = False
    checked_by_hook: bool = False
    retry_to: TaskState | None = None
    last_error: str = ""
    feedback: str = ""
    hint: str = ""
    proof: tuple[e.Judged, ...] = ()
    tree: str = ""
    commit: str = ""
    usage: Usage = field(factory=Usage)
    cost: float = 0.0
    possibly_billed: int = 0
    since: float | None = None
    seconds: float = 0.0


def leaving(record: TaskRecord, to: TaskState) -> dict[str, Any]:
    """What moving to another state sets: finished hooks of the state that is left are forgotten.

    One that was running when a runner died stays known until the next run has ended it.
    """
    return {} if record.state is to else {"state": to, "hooks_done": ()}


_FIELDS = tuple(field.name for field in attrs.fields(TaskRecord))
_values_of = operator.attrgetter(*_FIELDS)


def copied(record: TaskRecord, changes: dict[str, Any]) -> TaskRecord:
    """As `attrs.evolve`, four times as fast: a million records are folded with it."""
    if not changes:
        return record
    return TaskRecord(**{**dict(zip(_FIELDS, _values_of(record), strict=True)), **changes})
