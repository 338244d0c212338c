"""What a power cut may take: every kind of entry is decided on, and nothing else is done first."""

import pytest

from agent_runner.engine.durability import AT_ONCE, ON_THE_NEXT, must_be_synced
from agent_runner.model import events as e
from agent_runner.model.hooks import Phase
from agent_runner.model.states import TaskState
from agent_runner.store.codec import KINDS

BY_CASE = {e.CallSettled, e.HookStarted}
"""Kinds whose sync depends on more than the kind."""

HOOK = e.HookStarted(Phase.POST, "judge", 1)


def test_every_kind_is_decided_on() -> None:
    decided = [*AT_ONCE, *ON_THE_NEXT, *BY_CASE]
    assert len(decided) == len(set(decided))
    always_escalate = {e.PreHooksFailed, e.HookBroken, e.CrashLooped, e.OutOfTime}
    always_escalate |= {e.Refused, e.Conflicted}
    always_pass = {e.AlreadyGreen, e.PostHooksPassed}
    assert {*decided, *always_escalate, *always_pass} == set(KINDS.values())


@pytest.mark.parametrize("to", TaskState)
def test_what_people_act_on_is_synced(to: TaskState) -> None:
    ends = to in {TaskState.PASSED, TaskState.ESCALATED, TaskState.SKIPPED}
    assert must_be_synced(e.Unusable("T1/call-01", "cut"), to, ()) == ends


def test_a_call_that_brought_no_answer_is_known_at_once() -> None:
    assert must_be_synced(e.CallSettled("T1/call-01", "throttled"), None, ())
    assert not must_be_synced(e.CallSettled("T1/call-01", "answered"), None, ())


@pytest.mark.parametrize("before", [e.Started, e.Applied])
def test_how_the_files_stood_is_known_before_a_hook_changes_them(before: type[e.Event]) -> None:
    assert must_be_synced(HOOK, None, {before})
    assert not must_be_synced(HOOK, None, {e.PreHooksPassed, e.HookFinished})
