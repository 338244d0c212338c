"""The flow table itself: complete, reachable, and nothing leaves a final state but a person."""

import pytest

from agent_runner.model import events as e
from agent_runner.model.evolve import evolve
from agent_runner.model.flow import FLOW, may_try_again, next_attempt, reason_to_ask
from agent_runner.model.record import Counts, Judgement, TaskRecord
from agent_runner.model.settings import NothingChanged, Settings
from agent_runner.model.states import FINAL, STEPS, TaskState

PERSON = {e.Retried, e.Checked, e.Skipped, e.Reset, e.TakenBack}


def test_every_task_event_has_a_row_and_every_row_an_event() -> None:
    named = (getattr(e, name) for name in e.__all__)
    kinds = {kind for kind in named if isinstance(kind, type) and issubclass(kind, e.TaskEvent)}
    assert {row.event for row in FLOW} == kinds - {e.TaskEvent}


def test_every_state_is_reachable() -> None:
    reached = {TaskState.PENDING}
    while True:
        more = {row.dest for row in FLOW if reached & set(row.sources)} | reached
        if more == reached:
            break
        reached = more
    assert reached == set(TaskState)


def test_final_states_are_left_only_by_a_person() -> None:
    leaving = {row.event for row in FLOW for s in row.sources if s in FINAL and row.dest is not s}
    assert leaving <= PERSON


def test_an_escalated_task_is_moved_only_by_a_person() -> None:
    moving = {row.event for row in FLOW if TaskState.ESCALATED in row.sources}
    assert moving == PERSON - {e.TakenBack}


def test_the_last_row_of_each_event_and_state_has_no_guard() -> None:
    for event in {row.event for row in FLOW}:
        for state in TaskState:
            rows = [row for row in FLOW if row.event is event and state in row.sources]
            if rows:
                assert rows[-1].guard is None, (event, state)
                assert all(row.guard for row in rows[:-1]), (event, state)


def test_every_step_has_a_way_to_fail_towards_a_person() -> None:
    for state in STEPS:
        assert any(state in row.sources and row.dest is TaskState.ESCALATED for row in FLOW)


def call(record: TaskRecord, attempt: int) -> TaskRecord:
    return evolve(record, e.CallStarted(f"c{record.counts.calls_started}", attempt, 1, 1, "p", "m"))


def test_an_attempt_survives_edit_retries_and_ends_with_a_judgement() -> None:
    settings = Settings(max_edit_retries=1)
    record = TaskRecord("T1")
    assert next_attempt(record, settings) == 1
    record = call(record, 1)
    record = evolve(record, e.Rejected("bad"))
    assert next_attempt(record, settings) == 1
    record = evolve(call(record, 1), e.Rejected("bad again"))
    assert next_attempt(record, settings) == 2
    record = call(record, 2)
    assert record.counts.rejections == 0
    record = evolve(record, e.PostHooksFailed("h", "red"))
    assert next_attempt(record, settings) == 3


def taken(record: TaskRecord, event: e.TaskEvent, settings: Settings) -> TaskState:
    """Where the first row whose guard holds takes it."""
    after = evolve(record, event)
    rows = (row for row in FLOW if row.event is type(event) and record.state in row.sources)
    return next(row.dest for row in rows if row.guard is None or row.guard(after, settings))


ESCALATES, PASSES = Settings(), Settings(nothing_changed=NothingChanged.PASS)
MISSING = e.Rejected("none", reason=e.NO_CHANGE)


@pytest.mark.parametrize(
    ("rejections", "event", "settings", "dest"),
    [
        (0, MISSING, ESCALATES, TaskState.AGENT),
        (0, MISSING, PASSES, TaskState.AGENT),
        (2, MISSING, ESCALATES, TaskState.ESCALATED),
        (2, MISSING, PASSES, TaskState.POST_HOOKS),
        (2, e.Rejected("no match"), PASSES, TaskState.AGENT),
        (2, e.Rejected("no match"), Settings(max_attempts_per_task=1), TaskState.ESCALATED),
    ],
)
def test_a_reply_without_a_change_is_corrected_and_no_attempt(
    rejections: int, event: e.Rejected, settings: Settings, dest: TaskState
) -> None:
    counts = Counts(attempts=1, rejections=rejections)
    assert taken(TaskRecord("T1", TaskState.APPLY, counts=counts), event, settings) is dest


@pytest.mark.parametrize("nothing", [True, False])
@pytest.mark.parametrize("by_person", [True, False])
@pytest.mark.parametrize("baseline", [None, e.BaselineTaken(True), e.BaselineTaken(False)])
@pytest.mark.parametrize("settings", [ESCALATES, PASSES])
def test_green_hooks_are_not_enough_where_nothing_was_changed(
    settings: Settings, baseline: e.BaselineTaken | None, by_person: bool, nothing: bool
) -> None:
    judgement = Judgement(baseline=baseline, by_person=by_person)
    record = TaskRecord("T1", TaskState.POST_HOOKS, judgement=judgement)
    dest = taken(record, e.PostHooksPassed(nothing_changed=nothing), settings)
    was_red = baseline is not None and not baseline.green
    earned = not nothing or by_person or was_red or settings is PASSES
    assert dest is (TaskState.PASSED if earned else TaskState.ESCALATED)


@pytest.mark.parametrize(
    ("record", "settings", "reason"),
    [
        (TaskRecord("T1", counts=Counts(attempts=1)), Settings(), ""),
        (TaskRecord("T1", judgement=Judgement(by_person=True)), Settings(), "as you left them"),
        (TaskRecord("T1"), Settings(stop_on_first_failure=True), "the first failure"),
        (
            TaskRecord("T1", counts=Counts(no_progress=1)),
            Settings(max_no_progress=1),
            "the last attempt:",
        ),
        (
            TaskRecord("T1", counts=Counts(no_progress=2)),
            Settings(),
            "no progress in the last 2 attempts",
        ),
        (TaskRecord("T1", counts=Counts(consecutive_failures=5)), Settings(), "5 post-hook"),
        (TaskRecord("T1", counts=Counts(attempts=3)), Settings(), "all 3 attempts are used up"),
        (
            TaskRecord("T1", counts=Counts(attempts=1)),
            Settings(max_attempts_per_task=1),
            "its only attempt",
        ),
    ],
)
def test_a_person_is_told_the_rule_that_asked_for_them(
    record: TaskRecord, settings: Settings, reason: str
) -> None:
    assert reason in reason_to_ask(record, settings)
    assert may_try_again(record, settings) == (not reason)
