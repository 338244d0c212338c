"""`evolve`: pure, and the counts mean what they say."""

import pytest

from agent_runner.model import events as e
from agent_runner.model.changes import ChangeSet
from agent_runner.model.evolve import evolve
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.hooks import HookOutcome, HookResult, Phase
from agent_runner.model.record import CallState, TaskRecord
from agent_runner.model.states import TaskState
from agent_runner.model.usage import Usage


def failed(tree: str = "", fingerprint: str = "", *, unchanged: bool = False) -> e.PostHooksFailed:
    return e.PostHooksFailed("h", "red", tree, unchanged, fingerprint)


def test_evolve_changes_nothing_it_was_given() -> None:
    record = TaskRecord("T1")
    evolve(record, failed("t1"))
    assert record == TaskRecord("T1")


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        (failed("a"), failed("b"), ""),
        (failed("a"), failed("a", unchanged=True), "the attempt changed nothing"),
        (failed("a"), failed("a"), "the files are as they were after an earlier attempt"),
        (failed("a", "x"), failed("b", "x"), "the same checks failed in the same way as before"),
        (failed("a", "x"), failed("b", "y"), ""),
    ],
)
def test_no_progress_is_judged_by_state(
    first: e.PostHooksFailed, second: e.PostHooksFailed, rule: str
) -> None:
    record = evolve(evolve(TaskRecord("T1"), first), second)
    assert record.judgement.no_progress_reason == rule
    assert record.counts.no_progress == (1 if rule else 0)
    assert record.counts.failures == 2


def test_going_back_and_forth_is_no_progress() -> None:
    record = TaskRecord("T1")
    for tree in ("a", "b", "a", "b"):
        record = evolve(record, failed(tree))
    assert record.counts.no_progress == 2


def test_an_answer_is_counted_once_and_waits_to_be_applied() -> None:
    record = evolve(TaskRecord("T1"), e.CallStarted("c1", 1, 1, 1, "p", "m"))
    record = evolve(record, e.CallSettled("c1", "answered", usage=Usage(10, 5), cost=0.5))
    assert (record.counts.calls_answered, record.call.reply, record.call.started) == (1, "c1", None)
    assert (record.spent.usage.total, record.spent.cost) == (15, 0.5)


def test_a_lost_call_is_no_failure_but_is_reported_as_possibly_billed() -> None:
    record = evolve(TaskRecord("T1"), e.CallStarted("c1", 1, 1, 1, "p", "m"))
    record = evolve(record, e.CallSettled("c1", "lost"))
    assert (
        record.spent.possibly_billed,
        record.counts.calls_answered,
        record.counts.failures,
        record.counts.attempts,
    ) == (1, 0, 0, 1)


def test_a_rejected_reply_is_remembered_for_the_one_that_corrects_it() -> None:
    record = TaskRecord("T1", call=CallState(reply="c1"))
    record = evolve(record, e.Rejected("block 2 not found"))
    assert record.call.corrected == ("c1",)
    assert record.call.continues == "c1"
    record = evolve(record, e.Applied())
    assert record.call.corrected == ()


def test_an_applied_change_set_is_remembered_for_undo() -> None:
    record = evolve(TaskRecord("T1"), e.ApplyPlanned(ChangeSet("cs1", ())))
    record = evolve(record, e.Applied(("a",), "tree"))
    assert record.change.applied == ("cs1",)
    assert record.change.planned is None


def test_a_reset_keeps_what_was_spent_and_the_call_numbers() -> None:
    record = evolve(TaskRecord("T1"), e.CallStarted("c1", 1, 1, 1, "p", "m"))
    record = evolve(record, e.CallSettled("c1", "answered", usage=Usage(10, 5), cost=0.5))
    record = evolve(record, e.Reset())
    assert (
        record.counts.calls_started,
        record.counts.calls_answered,
        record.counts.attempts,
        record.spent.cost,
    ) == (1, 0, 0, 0.5)
    assert record.calls == 1, "those whose tokens are kept"
    again = evolve(record, e.CallStarted("c2", 1, 1, 1, "p", "m"))
    again = evolve(again, e.CallSettled("c2", "answered", usage=Usage(10, 5), cost=0.5))
    assert (again.counts.calls_answered, again.calls) == (1, 2)
    assert evolve(evolve(again, e.Reset()), e.Reset()).calls == 2


def test_three_unclean_stops_without_a_new_fact_are_counted_and_a_fact_clears_them() -> None:
    state = RunState()
    seq = 0

    def take(task: str, event: e.Event, to: TaskState | None = None) -> None:
        nonlocal seq
        seq += 1
        state.take(Entry(seq, float(seq), task, event, to))

    take("", e.RunStarted("r1", 1, "v", "l"))
    take("T1", e.Started(), TaskState.PRE_HOOKS)
    for _ in range(3):
        take("", e.RunStarted("r", 1, "v", "l"))
        take("T1", e.HookStarted(Phase.PRE, "h", 5))
    assert state.record("T1").counts.crashes == 3
    take("T1", e.HookFinished(Phase.PRE, 0, HookResult("h", HookOutcome.PASSED, 0)))
    assert state.record("T1").counts.crashes == 0


def test_a_clean_stop_is_no_crash() -> None:
    state = RunState()
    state.take(Entry(1, 1.0, "", e.RunStarted("r1", 1, "v", "l")))
    state.take(Entry(2, 2.0, "T1", e.Started(), TaskState.PRE_HOOKS))
    state.take(Entry(3, 3.0, "", e.RunStopped("r1", "quit", 130)))
    state.take(Entry(4, 4.0, "", e.RunStarted("r2", 1, "v", "l")))
    assert state.record("T1").counts.crashes == 0


def test_time_counts_while_a_run_works_on_the_task_only() -> None:
    state = RunState()
    state.take(Entry(1, 0.0, "", e.RunStarted("r1", 1, "v", "l")))
    state.take(Entry(2, 10.0, "T1", e.Started(), TaskState.PRE_HOOKS))
    state.take(Entry(3, 15.0, "T1", e.PreHooksPassed(), TaskState.AGENT))
    state.take(Entry(4, 16.0, "", e.RunStopped("r1", "limit", 75)))
    state.take(Entry(5, 1000.0, "", e.RunStarted("r2", 1, "v", "l")))
    state.take(Entry(6, 1002.0, "T1", e.Replied("c"), TaskState.APPLY))
    state.take(Entry(7, 900.0, "T1", e.Applied(), TaskState.POST_HOOKS))  # clock set back
    assert state.record("T1").spent.seconds == 5.0 + 2.0
