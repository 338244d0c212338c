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


ASIDE = e.SetAside("a", "b", "down", 100.0, "outage")


def test_a_provider_is_set_aside_until_it_answers() -> None:
    state = folded(ASIDE, e.CallSettled("c", "failed", "a"), e.CallSettled("d", "answered", "b"))
    assert state.spending.set_aside == {"a": ASIDE}
    assert folded(ASIDE, e.CallSettled("c", "answered", "a")).spending.set_aside == {}


def test_a_run_forgets_who_was_set_aside_until_before_it() -> None:
    state = folded(ASIDE, STARTED)
    assert state.spending.set_aside == {"a": ASIDE}
    state.take(Entry(3, 100.0, "", e.RunStarted("r2", 1, "0", "tasks.yml")))
    assert state.spending.set_aside == {}
