"""How hooks, replies and changes turned out, in words."""

import pytest
from attrs import evolve

from agent_runner.model.events import Judged
from agent_runner.model.hooks import HookOutcome, HookResult
from agent_runner.model.record import ChangeState, Judgement, TaskRecord
from agent_runner.model.states import TaskState
from agent_runner.ui import outcomes, words
from agent_runner.ui.outcomes import decisive, outcome_words
from tests.ui.scenario import PYTEST


def test_the_decisive_lines_of_pytest() -> None:
    assert decisive(PYTEST) == (
        "E       AssertionError: assert 'hello world' == 'hello-world'",
        "E         - hello-world",
        "FAILED tests/test_slug.py::test_spaces - AssertionError: assert 'hello world'",
        "1 failed, 1 passed in 0.03s",
    )


def test_where_no_line_names_an_error_the_last_ones_stand() -> None:
    assert decisive("\n".join(map(str, range(9))), most=3) == ("6", "7", "8")


def test_of_many_errors_the_first_and_the_last_stand() -> None:
    errors = "\n".join(f"error {n}" for n in range(9))
    assert decisive(errors, most=3) == ("error 0", "error 1", "error 8")


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (HookResult("t", HookOutcome.TIMED_OUT, None, 600), "timed out, 10m00s"),
        (HookResult("t", HookOutcome.SKIPPED), "not needed"),
        (HookResult("t", HookOutcome.BROKEN, 127, 0.1), "could not start, exit 127, 0.1s"),
        (
            HookResult("t", HookOutcome.PASSED, 0, 1.0, flaky=2),
            "passed, exit 0, 1.0s, flaky: failed 2 times first",
        ),
        (
            HookResult("t", HookOutcome.FAILED, -9, 1.0, failing=("a", "b")),
            "failed, signal 9, 1.0s; 2 failing: a, b",
        ),
    ],
)
def test_outcomes_in_words(result: HookResult, said: str) -> None:
    assert outcome_words(result) == said


def test_the_proof_names_judges_tree_and_commit() -> None:
    passed = TaskRecord(
        "T1",
        TaskState.PASSED,
        judgement=Judgement(
            proof=(Judged("tests", 0, 2.14), Judged("lint", None, 65)),
            tree="tree:" + "a" * 40,
            checked_by_hook=True,
        ),
        change=ChangeState(commit="b" * 40),
    )
    assert outcomes.proof_line(passed) == (
        "passed: tests exit 0 in 2.1s, lint no exit code in 1m05s; "
        "judged tree tree:aaaaaaa, commit bbbbbbb"
    )
    unchecked = evolve(passed, judgement=evolve(passed.judgement, checked_by_hook=False))
    assert outcomes.proof_line(unchecked) == "passed (unchecked): no hook judged it"
    assert words.record_word(unchecked) == "passed (unchecked)"


def test_a_task_that_changed_nothing_is_told_from_others() -> None:
    judgement = Judgement(
        proof=(Judged("tests", 0, 2.14),), checked_by_hook=True, nothing_changed=True
    )
    passed = TaskRecord("T1", TaskState.PASSED, judgement=judgement)
    assert words.record_word(passed) == "passed (nothing changed)"
    assert outcomes.proof_line(passed) == "passed (nothing changed): tests exit 0 in 2.1s"
    said = evolve(passed, change=ChangeState(no_change="sorted\nalready"))
    assert outcomes.proof_line(said).endswith("in 2.1s; the model says: sorted")
    assert words.record_word(evolve(passed, state=TaskState.ESCALATED)) == "failed"


def test_signals_are_no_exit_codes() -> None:
    assert outcomes.exit_words(-9) == "signal 9"
