"""What entries of the run itself do to the folded state."""

from agent_runner.model import events as e
from agent_runner.model.fold import Entry, RunState

STARTED = e.RunStarted("r1", 1, "0", "tasks.yml")


def folded(*events: e.Event) -> RunState:
    state = RunState()
    for seq, event in enumerate(events, start=1):
        state.take(Entry(seq, float(seq), "", event))
    return state


def test_a_run_begins_and_ends() -> None:
    state = folded(STARTED, e.RunStopped("r1", "finished", 0))
    assert state.run is not None
    assert (state.list_id, state.run.started_at, state.run.stopped_at) == ("tasks.yml", 1.0, 2.0)


def test_an_end_without_a_beginning_and_other_facts_change_nothing() -> None:
    state = folded(e.RunStopped("r1", "finished", 0), e.Aborted())
    assert (state.run, state.tasks, state.seq) == (None, {}, 2)


def test_a_run_that_died_before_a_task_was_in_hand_is_nobodys_fault() -> None:
    assert folded(STARTED, STARTED).tasks == {}
