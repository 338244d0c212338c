"""What each event makes of a task's record: `evolve`, the one way in which a record changes."""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from agent_runner.model import events as e
from agent_runner.model.record import TaskRecord, copied
from agent_runner.model.states import TaskState


def evolve(record: TaskRecord, event: e.Event, **beside: Any) -> TaskRecord:
    """The record after `event`, its state untouched. Pure: used live and on resume alike.

    `beside`: further fields to set in the same copy.
    """
    if isinstance(event, e.Reset):
        record, changed = _reset(record), {}
    else:
        change = _CHANGES.get(type(event))
        changed = change(record, event) if change else {}
    if record.crashes and not _is_repeated(event):
        changed["crashes"] = 0
    return copied(record, {**changed, **beside})


_STARTS = (e.HookStarted, e.CallStarted, e.ApplyPlanned, e.RollbackPlanned, e.CommandStarted)


def _is_repeated(event: e.Event) -> bool:
    """Whether every crash brings this event again, so that it breaks no crash loop.

    Beginnings are, and so is giving up a call that the crash itself cut off.
    """
    return isinstance(event, _STARTS) or (isinstance(event, e.CallSettled) and event.by_us)


_Changes: TypeAlias = dict[str, Any]
_Change: TypeAlias = Callable[[TaskRecord, Any], _Changes]
_F = TypeVar("_F", bound=_Change)

_CHANGES: dict[type[e.Event], _Change] = {}
"""Events that are not here change nothing of a record."""


def _on(event: type[e.Event]) -> Callable[[_F], _F]:
    """The function below says which fields the event sets."""

    def register(change: _F) -> _F:
        _CHANGES[event] = change
        return change

    return register


def _reset(record: TaskRecord) -> TaskRecord:
    """Nothing is left but what was spent and the numbers that must stay unique."""
    numbers = ("begun", "usage", "cost", "possibly_billed", "since", "seconds")
    kept = ("id", "state", "hook_running", *numbers)
    return TaskRecord(**{name: getattr(record, name) for name in kept})


@_on(e.Started)
def _started(_record: TaskRecord, event: e.Started) -> _Changes:
    return {
        "definition": event.definition,
        "start": event.start,
        "trees": (event.tree,) if event.tree else (),
        "last_error": "",
    }


@_on(e.PreHooksPassed)
def _pre_hooks_passed(_record: TaskRecord, _event: e.PreHooksPassed) -> _Changes:
    return {"attempt_open": False}


@_on(e.AlreadyGreen)
def _already_green(_record: TaskRecord, event: e.AlreadyGreen) -> _Changes:
    return {"tree": event.tree, "checked_by_hook": True}


@_on(e.PreHooksFailed)
def _pre_hooks_failed(_record: TaskRecord, event: e.PreHooksFailed) -> _Changes:
    return {"retry_to": TaskState.PRE_HOOKS, "last_error": event.reason}


@_on(e.Consulted)
def _consulted(record: TaskRecord, event: e.Consulted) -> _Changes:
    return {
        "turns": record.turns + 1,
        "reply": None,
        "talk": event.call,
        "retry_to": TaskState.AGENT,
        "last_error": "the agent asked to see more files than it has turns for",
    }


@_on(e.Unusable)
def _unusable(record: TaskRecord, event: e.Unusable) -> _Changes:
    return {
        "unusable": record.unusable + 1,
        "reply": None,
        "retry_to": TaskState.AGENT,
        "last_error": event.reason,
    }


@_on(e.Deferred)
def _deferred(_record: TaskRecord, event: e.Deferred) -> _Changes:
    return {"deferred": event}


@_on(e.Refused)
def _refused(_record: TaskRecord, event: e.Refused) -> _Changes:
    return {"reply": None, "retry_to": TaskState.AGENT, "last_error": event.reason}


@_on(e.Replied)
def _replied(_record: TaskRecord, event: e.Replied) -> _Changes:
    return {"reply": event.call, "unusable": 0, "last_error": ""}


@_on(e.Applied)
def _applied(record: TaskRecord, event: e.Applied) -> _Changes:
    applied = (record.open_change.id,) if record.open_change else ()
    return {
        "reply": None,
        "open_change": None,
        "rejections": 0,
        "attempt_changed": record.attempt_changed or bool(event.paths),
        "talk": None,
        "corrected": (),
        "tree": event.tree,
        "change_sets": record.change_sets + applied,
        "paths": tuple(dict.fromkeys((*record.paths, *event.paths))),
    }


@_on(e.Rejected)
def _rejected(record: TaskRecord, event: e.Rejected) -> _Changes:
    return {
        "rejections": record.rejections + 1,
        "talk": record.reply,
        "corrected": (*record.corrected, record.reply) if record.reply else record.corrected,
        "reply": None,
        "open_change": None,
        "rolling_back": False,
        "feedback": event.problems,
        "retry_to": TaskState.AGENT,
        "last_error": event.summary or event.problems,
    }


@_on(e.Conflicted)
def _conflicted(_record: TaskRecord, event: e.Conflicted) -> _Changes:
    return {"retry_to": TaskState.APPLY, "last_error": f"{event.path}: {event.reason}"}


@_on(e.PostHooksPassed)
def _post_hooks_passed(_record: TaskRecord, event: e.PostHooksPassed) -> _Changes:
    return {
        "proof": event.proof,
        "tree": event.tree,
        "commit": event.commit,
        "checked_by_hook": bool(event.proof),
        "in_row": 0,
        "attempt_open": False,
        "last_error": "",
    }


@_on(e.PostHooksFailed)
def _post_hooks_failed(record: TaskRecord, event: e.PostHooksFailed) -> _Changes:
    rule = _no_progress_rule(record, event)
    return {
        "failures": record.failures + 1,
        "in_row": record.in_row + 1,
        "attempt_open": False,
        "retry_to": TaskState.AGENT,
        "feedback": event.reason,
        "last_error": event.reason.partition("\n")[0],
        "tree": event.tree,
        "no_progress": record.no_progress + 1 if rule else 0,
        "no_progress_rule": rule,
        "trees": (*record.trees, event.tree) if event.tree else record.trees,
        "fingerprints": (*record.fingerprints, event.fingerprint),
    }


def _no_progress_rule(record: TaskRecord, event: e.PostHooksFailed) -> str:
    """Why this failure is no step forward, or "".

    Judged by the state of tree and checks, never by words.
    """
    if event.unchanged:
        return "the attempt changed nothing"
    if event.tree and event.tree in record.trees:
        return "the files are as they were after an earlier attempt"
    if event.fingerprint and record.fingerprints and event.fingerprint == record.fingerprints[-1]:
        return "the same checks failed in the same way as before"
    return ""


@_on(e.HookBroken)
def _hook_broken(record: TaskRecord, event: e.HookBroken) -> _Changes:
    return {"retry_to": record.state, "last_error": event.reason}


@_on(e.CrashLooped)
def _crash_looped(record: TaskRecord, event: e.CrashLooped) -> _Changes:
    reason = f"the runner stopped uncleanly {event.stops} times in step {event.step}"
    return {"retry_to": record.state, "last_error": reason}


@_on(e.Retried)
def _retried(record: TaskRecord, event: e.Retried) -> _Changes:
    return {
        "granted": record.granted + event.grants,
        "hint": event.hint or record.hint,
        "attempt_open": False,
        "judging": False,
        "command_running": None,
        "not_before": None,
        "deferred": None,
        **dict.fromkeys(
            ("in_row", "rejections", "unusable", "turns", "no_progress", "call_failures"), 0
        ),
    }


@_on(e.Checked)
def _checked(_record: TaskRecord, _event: e.Checked) -> _Changes:
    return {"judging": True, "reply": None, "open_change": None, "attempt_open": False}


@_on(e.Skipped)
def _skipped(_record: TaskRecord, event: e.Skipped) -> _Changes:
    return {"reply": None, "open_change": None, "last_error": event.reason}


@_on(e.HookStarted)
def _hook_started(_record: TaskRecord, event: e.HookStarted) -> _Changes:
    return {"hook_running": event}


@_on(e.HookFinished)
def _hook_finished(record: TaskRecord, event: e.HookFinished) -> _Changes:
    return {"hooks_done": (*record.hooks_done, event), "hook_running": None}


@_on(e.BaselineTaken)
def _baseline_taken(_record: TaskRecord, event: e.BaselineTaken) -> _Changes:
    return {"baseline": event}


@_on(e.CallStarted)
def _call_started(record: TaskRecord, event: e.CallStarted) -> _Changes:
    new_attempt = {
        **dict.fromkeys(("rejections", "turns", "unusable"), 0),
        "attempt_changed": False,
        "talk": None,
        "corrected": (),
    }
    return {
        "call": event.call,
        "call_provider": event.provider,
        "attempts": event.attempt,
        "attempt_open": True,
        "begun": record.begun + 1,
        "response_id": None,
        "deferred": None,
        **({"call_failures": 0} if event.provider != record.call_provider else {}),
        **(new_attempt if event.attempt != record.attempts else {}),
    }


@_on(e.CallCreated)
def _call_created(_record: TaskRecord, event: e.CallCreated) -> _Changes:
    return {"response_id": event.response_id}


@_on(e.CallSettled)
def _call_settled(record: TaskRecord, event: e.CallSettled) -> _Changes:
    changed: _Changes = {"call": None, "response_id": None, "not_before": event.not_before}
    if event.usage is not None:
        changed["usage"] = record.usage + event.usage
    if event.cost is not None:
        changed["cost"] = record.cost + event.cost
    if event.outcome == "answered":
        return {**changed, "calls": record.calls + 1, "reply": event.call, "call_failures": 0}
    lost = 1 if event.outcome == "lost" else 0
    return {
        **changed,
        "call_failures": record.call_failures + (0 if event.by_us else 1),
        "possibly_billed": record.possibly_billed + lost,
        "last_error": event.reason,
    }


@_on(e.SetAside)
def _set_aside(record: TaskRecord, event: e.SetAside) -> _Changes:
    """One that says when to come back does not fail; one that is down has used up its tries."""
    told = event.cause == "told" and event.provider == record.call_provider
    return {"call_failures": 0} if told else {}


@_on(e.ApplyPlanned)
def _apply_planned(_record: TaskRecord, event: e.ApplyPlanned) -> _Changes:
    return {"open_change": event.change_set, "rolling_back": False, "commands_done": 0}


@_on(e.RollbackPlanned)
def _rollback_planned(_record: TaskRecord, event: e.RollbackPlanned) -> _Changes:
    return {"open_change": event.change_set, "rolling_back": True, "feedback": event.reason}


@_on(e.RollbackDone)
def _rollback_done(_record: TaskRecord, _event: e.RollbackDone) -> _Changes:
    return {"open_change": None, "rolling_back": False}


@_on(e.CommandStarted)
def _command_started(_record: TaskRecord, event: e.CommandStarted) -> _Changes:
    return {"command_running": event.number}


@_on(e.CommandFinished)
def _command_finished(record: TaskRecord, event: e.CommandFinished) -> _Changes:
    # one that failed is not done: a stop before its change is taken back must not forget that
    done = event.number if event.result.green else record.commands_done
    return {"command_running": None, "hook_running": None, "commands_done": done}


@_on(e.Committed)
def _committed(_record: TaskRecord, event: e.Committed) -> _Changes:
    return {"commit": event.commit}


@_on(e.Undone)
def _undone(_record: TaskRecord, _event: e.Undone) -> _Changes:
    return {"change_sets": (), "paths": ()}
