"""The summary of an escalation, from journal entries alone."""

import re
from pathlib import Path

import pytest

from agent_runner.ground.invocation import Invocation
from agent_runner.model import events as e
from agent_runner.model.hooks import HookOutcome, HookResult, Phase
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import Settings
from agent_runner.model.states import TaskState as S
from agent_runner.model.usage import Usage
from agent_runner.ui.attempts import history
from agent_runner.ui.summary import commands, findings
from tests.ui.scenario import Script, whole_run

STATE = Path(".agent-runner")


def test_the_summary_of_a_task_that_does_not_get_there() -> None:
    script = whole_run()
    settings = Settings(max_no_progress=1, summary_failures=1)
    lines = (
        *findings(script.record("T3"), script.entries, settings, STATE),
        *commands(TaskRecord("T3"), Invocation()),
    )
    at = lines.index("Type one of these:")
    assert lines[at - 1] == (
        "T3 needs a person: no progress in the last attempt: "
        "the files are as they were after an earlier attempt"
    )
    assert lines[at - 2] == "evidence: tree dddd111 had failed before"
    assert "Last 1 of 2 failures:" in lines
    assert sum("post-hook unit-tests" in line for line in lines) == 1
    assert (
        "    | FAILED tests/test_slug.py::test_spaces - AssertionError: assert 'hello world'"
        in (lines)
    )
    assert "Last 1 of 2 attempts:" in lines
    assert (
        "  attempt 2: changed slug/page.py (1 file); unit-tests was red "
        "(1 call, 1.6k tokens, $0.0088)" in lines
    )
    assert any(".agent-runner/logs/T3/attempt-02/" in line for line in lines)
    for command in ("retry T3", "check T3", "skip T3", "reset T3", "resume"):
        assert any(re.match(rf"  agent-runner {command} .*  \w", line) for line in lines), command


RULES = [
    (Settings(), "all 2 attempts are used up"),
    (Settings(stop_on_first_failure=True), "the run was to stop at the first failure"),
    (Settings(max_consecutive_failures=2), "2 post-hook failures in a row"),
]


@pytest.mark.parametrize(("settings", "rule"), RULES)
def test_the_rule_that_fired_is_named(settings: Settings, rule: str) -> None:
    script = whole_run()
    lines = findings(script.record("T3"), script.entries, settings, STATE)
    assert rule in lines[-1]
    assert sum("needs a person" in line for line in lines) == 1


def escalated(
    *before: tuple[e.Event, S | None], invocation: Invocation | None = None
) -> tuple[str, ...]:
    """The summary after these events of one task."""
    script = Script()
    script.add("T1", e.Started(), S.PRE_HOOKS)
    for event, to in before:
        script.add("T1", event, to)
    found = findings(script.record("T1"), script.entries, Settings(), STATE)
    return (*found, *commands(TaskRecord("T1"), invocation or Invocation()))


def called(outcome: str = "answered") -> tuple[tuple[e.Event, S | None], ...]:
    return (
        (e.PreHooksPassed(), S.AGENT),
        (e.CallStarted("c1", 1, 1, 1, "claude", "m"), None),
        (e.CallSettled("c1", outcome, "claude", Usage(10, 5), 0.0), None),
    )


OTHERS = [
    (
        ((e.PreHooksFailed("env", "no network\nmore"), S.ESCALATED),),
        "pre-hook env failed; the agent was not asked",
        "evidence: no network",
    ),
    (
        ((e.HookBroken("env", "exit 127"), S.ESCALATED),),
        "hook env could not start",
        "evidence: exit 127",
    ),
    (
        (*called(), (e.Unusable("c1", "cut short"), S.ESCALATED)),
        "the last reply was unusable",
        "evidence: cut short",
    ),
    (
        (*called(), (e.Refused("not allowed"), S.ESCALATED)),
        "the request was refused",
        "evidence: not allowed",
    ),
    (
        (*called(), (e.Replied("c1"), S.APPLY), (e.Rejected("no match\nx"), S.ESCALATED)),
        "the last reply could not be applied, and its only attempt is used up: no match",
        "1 attempt:",
    ),
    (
        (*called(), (e.Replied("c1"), S.APPLY), (e.Conflicted("a.py", "edited"), S.ESCALATED)),
        "a.py was changed by somebody else; nothing was touched",
        "evidence: edited",
    ),
    (
        ((e.CrashLooped("pre_hooks", 3), S.ESCALATED),),
        "the runner stopped uncleanly 3 times in step pre_hooks",
        "Logs: .agent-runner/logs/T1/",
    ),
    (
        (
            (e.Checked(), S.POST_HOOKS),
            (e.PostHooksFailed("tests", "red", unchanged=True), S.ESCALATED),
        ),
        "the post-hooks are red on the files as you left them",
        "evidence: no file differs from before the attempt",
    ),
    (
        (
            (e.BaselineTaken(green=False, failing=("t::a",)), None),
            *called("lost"),
            (e.Refused("too large"), S.ESCALATED),
        ),
        "the request was refused",
        "before the first call the post-hooks were already red: t::a",
    ),
]


@pytest.mark.parametrize(("before", "rule", "evidence"), OTHERS)
def test_every_way_to_escalate_has_its_reason(
    before: tuple[tuple[e.Event, S | None], ...], rule: str, evidence: str
) -> None:
    lines = escalated(*before)
    assert rule in lines[lines.index("Type one of these:") - 1]
    assert evidence in [line.strip() for line in lines]


def test_possibly_billed_calls_are_told() -> None:
    lines = escalated(*called("lost"), (e.Refused("too large"), S.ESCALATED))
    assert "1 call without an answer may have been billed" in lines


def test_a_pre_hook_that_cannot_start_is_called_one() -> None:
    script = Script()
    broken = HookResult("env", HookOutcome.BROKEN, 127)
    script.add("T1", e.Started(), S.PRE_HOOKS)
    script.add("T1", e.HookFinished(Phase.PRE, 0, broken))
    script.add("T1", e.HookBroken("env", "x"), S.ESCALATED)
    lines = findings(script.record("T1"), script.entries, Settings(), STATE)
    assert "  before the first attempt, pre-hook env: could not start, exit 127, 0.0s" in lines


def test_every_command_names_the_list_as_it_was_named() -> None:
    named = Invocation(state_dir="S")
    lines = escalated((e.HookBroken("env", "x"), S.ESCALATED), invocation=named)
    typed = [line for line in lines if line.startswith("  agent-runner")]
    assert len(typed) == 5
    assert all(" --state-dir S" in line for line in typed)


def test_a_reset_forgets_what_was_before() -> None:
    script = whole_run()
    script.add("T3", e.Reset("again"), S.PENDING)
    past = history("T3", script.entries)
    assert (past.attempts, past.failures, past.escalated) == ([], [], None)


def test_what_was_red_before_the_first_call_is_no_failure() -> None:
    script = Script()
    red = HookResult("tests", HookOutcome.FAILED, 1, excerpt="before")
    script.add("T1", e.Started(), S.PRE_HOOKS)
    script.add("T1", e.HookFinished(Phase.POST, 0, red))
    script.add("T1", e.BaselineTaken(green=False))
    script.add("T1", e.PreHooksFailed("tests", "x"), S.ESCALATED)
    assert history("T1", script.entries).failures[0].result is None
