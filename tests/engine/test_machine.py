"""The machine and the table agree, row by row."""

import itertools

import attrs
import pytest

from agent_runner.engine.diagram import mermaid
from agent_runner.engine.machine import FlowMachine, allows
from agent_runner.model import events as e
from agent_runner.model.changes import ChangeSet
from agent_runner.model.errors import IllegalEventError, StorageError
from agent_runner.model.evolve import evolve
from agent_runner.model.flow import FLOW
from agent_runner.model.record import CallState, ChangeState, Counts, Judgement, TaskRecord
from agent_runner.model.settings import NothingChanged, Settings
from agent_runner.model.states import FINAL, STEPS, TaskState

EXAMPLES: dict[type[e.TaskEvent], e.TaskEvent] = {
    e.Started: e.Started(),
    e.PreHooksPassed: e.PreHooksPassed(),
    e.AlreadyGreen: e.AlreadyGreen(),
    e.PreHooksFailed: e.PreHooksFailed("h", "r"),
    e.Consulted: e.Consulted("c"),
    e.Unusable: e.Unusable("c", "r"),
    e.Deferred: e.Deferred("p", "hour", 1.0),
    e.Refused: e.Refused("r"),
    e.Replied: e.Replied("c"),
    e.Applied: e.Applied(),
    e.Rejected: e.Rejected("r"),
    e.Conflicted: e.Conflicted("f", "r"),
    e.PostHooksPassed: e.PostHooksPassed(),
    e.PostHooksFailed: e.PostHooksFailed("h", "r", fingerprint="f"),
    e.HookBroken: e.HookBroken("h", "r"),
    e.CrashLooped: e.CrashLooped("agent", 3),
    e.OutOfTime: e.OutOfTime("agent", 30.0),
    e.Retried: e.Retried(),
    e.Checked: e.Checked(),
    e.TakenBack: e.TakenBack(ChangeSet("x-back", ())),
    e.Skipped: e.Skipped(),
    e.Reset: e.Reset(),
}
MORE = (e.Rejected("r", reason=e.NO_CHANGE), e.PostHooksPassed(nothing_changed=True))

RECORDS = [
    TaskRecord("T1"),
    TaskRecord(
        "T1",
        counts=Counts(attempts=3, rejections=2, unusable_replies=2, turns=5),
        call=CallState(attempt_open=True),
    ),
    TaskRecord("T1", counts=Counts(no_progress=1), judgement=Judgement(fingerprints=("f",))),
    TaskRecord("T1", judgement=Judgement(by_person=True)),
    TaskRecord("T1", retry_to=TaskState.PRE_HOOKS),
    TaskRecord("T1", change=ChangeState(planned=ChangeSet("x", ())), retry_to=TaskState.APPLY),
    TaskRecord("T1", retry_to=TaskState.POST_HOOKS),
    TaskRecord("T1", change=ChangeState(taken_back=("x",)), retry_to=TaskState.POST_HOOKS),
    TaskRecord("T1", judgement=Judgement(baseline=e.BaselineTaken(green=False))),
]
SETTINGS = [
    Settings(),
    Settings(max_attempts_per_task=1),
    Settings(stop_on_first_failure=True),
    Settings(nothing_changed=NothingChanged.PASS),
]


def table_says(record: TaskRecord, event: e.TaskEvent, settings: Settings) -> TaskState | None:
    after = evolve(record, event)
    for row in FLOW:
        fits = row.event is type(event) and record.state in row.sources
        if fits and (row.guard is None or row.guard(after, settings)):
            return row.dest
    return None


@pytest.mark.parametrize(
    "event", [*EXAMPLES.values(), *MORE], ids=lambda event: type(event).__name__
)
def test_the_machine_goes_where_the_table_says(event: e.TaskEvent) -> None:
    journal: list[tuple[str, e.TaskEvent, TaskState]] = []
    machine = FlowMachine(lambda *move: journal.append(move))
    for state, record, settings in itertools.product(TaskState, RECORDS, SETTINGS):
        standing = attrs.evolve(record, state=state)
        expected = table_says(standing, event, settings)
        journal.clear()
        if expected is None:
            with pytest.raises(IllegalEventError):
                machine.fire(standing, event, settings)
            assert journal == []
        else:
            assert machine.fire(standing, event, settings) is expected
            assert journal == [("T1", event, expected)]
        assert allows(state, type(event)) == (expected is not None)


def test_a_journal_that_refuses_leaves_the_task_where_it_was() -> None:
    def refuse(*_move: object) -> None:
        raise StorageError("full")

    machine = FlowMachine(refuse)
    record = TaskRecord("T1")
    with pytest.raises(StorageError):
        machine.fire(record, e.Started(), Settings())
    assert record.state is TaskState.PENDING


def test_the_diagram_shows_every_row() -> None:
    text = mermaid()
    for row in FLOW:
        assert row.event.__name__ in text
    skipped = next(row for row in FLOW if row.event is e.Skipped)
    assert set(skipped.sources) == set(TaskState) - FINAL
    reset = next(row for row in FLOW if row.event is e.Reset)
    assert set(reset.sources) == set(TaskState)
    assert set(skipped.sources) > STEPS
