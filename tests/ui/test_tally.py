"""What a list's tasks come to, its tables, and the step that is printed at the end."""

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_runner.ground.invocation import Invocation
from agent_runner.model import events as e
from agent_runner.model.changes import ABSENT, ChangeSet, FileChange, Image, Kind
from agent_runner.model.fold import Entry, RunInfo, RunState
from agent_runner.model.record import Judgement, Spent, TaskRecord
from agent_runner.model.states import TaskState as S
from agent_runner.model.task import Task, TaskList
from agent_runner.model.usage import Usage
from agent_runner.ui.inspection import task_details, transition_lines
from agent_runner.ui.status import status_object
from agent_runner.ui.tables import final_table, status_table
from agent_runner.ui.tally import Tally
from tests.ui.scenario import Script, small_run, task_list, whole_run


def test_what_a_passed_task_was_built_on_is_named_when_it_is_done_no_more() -> None:
    root = Path("/p")
    on, needs = Task("T1", "t", "", root), Task("T2", "t", "", root, depends_on=("T1",))
    passed = {name: TaskRecord(name, S.PASSED) for name in ("T1", "T2")}
    tasks = TaskList("tasks.yml", root / "tasks.yml", root, (on, needs))
    assert Tally(tasks, passed).built_on(needs) == ()
    undone = {**passed, "T1": TaskRecord("T1", S.ESCALATED)}
    assert Tally(tasks, undone).built_on(needs) == ("T1",)
    assert Tally(tasks, {**undone, "T2": TaskRecord("T2")}).built_on(needs) == ()


def state(task: str, where: S) -> dict[str, TaskRecord]:
    return {
        task: TaskRecord(task, where, judgement=Judgement(checked_by_hook=True), last_error="red")
    }


def test_held_by_names_what_a_person_has_to_free() -> None:
    tasks = task_list((), ("T1",), ("T2",))
    assert Tally(tasks, state("T1", S.ESCALATED)).held_by(tasks["T3"]) == ("T1",)
    assert Tally(tasks, state("T1", S.SKIPPED)).held_by(tasks["T2"]) == ("T1",)
    assert Tally(tasks).held_by(tasks["T3"]) == ("T2",)
    assert Tally(tasks).held_by(tasks["T1"]) == ()
    passed = Tally(tasks, state("T1", S.PASSED))
    assert passed.held_by(tasks["T2"]) == ()
    passed.take(TaskRecord("T1", S.ESCALATED))
    assert passed.held_by(tasks["T3"]) == ("T1",)


def chain(length: int) -> TaskList:
    root = Path("/project")
    tasks = tuple(
        Task(f"T{n}", "t", "", root, depends_on=(f"T{n - 1}",) if n else ()) for n in range(length)
    )
    return TaskList("tasks", root / "tasks.yml", root, tasks)


def test_a_long_chain_is_walked_once() -> None:
    tasks = chain(5000)
    table = status_table(Tally(tasks, state("T0", S.ESCALATED)))
    held = table.columns.index(next(c for c in table.columns if c.name == "held by"))
    assert {row[held] for row in table.rows[1:]} == {"T0 (failed)"}


def test_the_end_of_a_long_run_shows_what_did_not_pass() -> None:
    tally = Tally(chain(60), state("T7", S.ESCALATED))
    assert [row[0] for row in final_table(tally).rows] == ["T7"]
    assert len(status_table(tally).rows) == 60


@given(st.integers(2, 8), st.data())
def test_holders_are_exactly_the_stuck_ones_below(size: int, data: st.DataObject) -> None:
    """Against the plain definition, on any graph that has no cycle."""
    root = Path("/project")
    needs = [data.draw(st.sets(st.integers(0, n - 1))) if n else set() for n in range(size)]
    tasks = tuple(
        Task(f"T{n}", "t", "", root, depends_on=tuple(f"T{m}" for m in sorted(needs[n])))
        for n in range(size)
    )
    states = data.draw(st.lists(st.sampled_from(S), min_size=size, max_size=size))
    tally = Tally(
        TaskList("l", root, root, tasks),
        {f"T{n}": TaskRecord(f"T{n}", where) for n, where in enumerate(states)},
    )

    def stuck(n: int) -> set[int]:
        found = set()
        for m in needs[n]:
            if states[m] in {S.ESCALATED, S.SKIPPED}:
                found.add(m)
            elif states[m] is S.PENDING:
                found |= stuck(m)
        return found

    for n, task in enumerate(tasks):
        if states[n] is not S.PENDING:
            assert tally.held_by(task) == ()
            continue
        expected = stuck(n) or {m for m in needs[n] if states[m] is not S.PASSED}
        shown = {int(one[1:]) for one in tally.held_by(task)}
        assert shown <= expected
        assert len(shown) >= min(4, len(expected))


STOPPED = [
    ("limit", "Rate limit reached, safe to re-run after 20", "`agent-runner resume --state-dir S`"),
    ("held", "A person is needed: T1 failed.", "`agent-runner retry T1 --state-dir S`"),
    ("escalations", "Too many tasks failed", "`agent-runner why T1 --state-dir S`"),
    ("aborted", "Aborted", "`agent-runner resume --state-dir S`"),
    ("interrupted", "Interrupted; everything is saved", "`agent-runner resume --state-dir S`"),
    ("finished", "2 tasks left; ", "`agent-runner resume --state-dir S` continues with T3"),
]


@pytest.mark.parametrize(("reason", "says", "command"), STOPPED)
def test_the_next_step_says_why_and_what_to_type(reason: str, says: str, command: str) -> None:
    records = {**state("T1", S.ESCALATED), **state("T2", S.PASSED)}
    stopped = e.RunStopped("r", reason, 1, not_before=1_800_000_000.0)
    told_step = Tally(task_list(), records, None, Invocation(state_dir="S")).next_steps(stopped)
    assert told_step[0].startswith(says)
    assert command in told_step[-1]


def test_every_reason_to_stop_has_a_next_step() -> None:
    for reason in e.STOP_REASONS:
        step = Tally(task_list()).next_steps(e.RunStopped("r", reason, 1))[-1]
        assert "`agent-runner " in step
        assert f"Stopped: {reason}" not in step


def test_what_was_undone_after_the_run_needs_a_person() -> None:
    records = {**state("T1", S.ESCALATED), **state("T2", S.PASSED)}
    stopped = e.RunStopped("r", "finished", 0)
    (step,) = Tally(task_list((), (), ("T1",)), records).next_steps(stopped)
    assert step.startswith("A person is needed: T1 failed. See `agent-runner why T1`")


def test_nothing_left_is_said() -> None:
    records = {
        f"T{n}": TaskRecord(f"T{n}", S.PASSED, judgement=Judgement(checked_by_hook=n > 1))
        for n in (1, 2, 3)
    }
    tally = Tally(task_list(), records)
    assert tally.next_steps(e.RunStopped("r", "finished", 0)) == ("Nothing is left to do.",)
    assert tally.closing_line().startswith("3 tasks: 2 passed, 1 passed (unchecked); ")


def test_the_status_table_lines_up_and_has_no_colour() -> None:
    tally = Tally(task_list((), (), ("T1",)), state("T1", S.ESCALATED))
    lines = list(status_table(tally).lines())
    assert lines[0].startswith("task  title                    state    attempts")
    assert lines[3].startswith("T3    Render the summary page  pending         0")
    assert "T1 (failed)" in lines[3]
    assert not any("\x1b" in line for line in lines)
    assert {column.name for column in final_table(tally).columns} == {
        *("task", "title", "state", "attempts", "time", "calls", "tokens")
    }


def test_a_passed_task_whose_text_changed_says_so() -> None:
    record = TaskRecord(
        "T1", S.PASSED, judgement=Judgement(checked_by_hook=True), definition="other"
    )
    tally = Tally(task_list(), {"T1": record})
    assert "[text changed since]" in next(x for x in status_table(tally).lines() if "T1" in x)
    assert status_object(tally, RunState())["tasks"][0]["stale"] is True


def test_the_status_object_has_what_is_promised() -> None:
    script = whole_run()
    shown = status_object(Tally(task_list(), script.state.tasks), script.state)
    assert shown["run"]["reason"] == "held"
    for task in shown["tasks"]:
        assert {"id", "state", "attempts", "failures", "seconds"} <= set(task)
    assert [task["state"] for task in shown["tasks"]] == ["passed", "passed", "escalated"]
    assert json.loads(json.dumps(shown)) == shown, "plain JSON values only"
    fresh = status_object(Tally(task_list()), RunState())
    assert fresh["run"] is None
    going = RunState(run=RunInfo(e.RunStarted("r", 1, "0", "l"), 1.0))
    assert status_object(Tally(task_list()), going)["run"]["reason"] is None


def test_transitions_have_times_and_both_states() -> None:
    lines = list(transition_lines(whole_run().entries))
    assert "T1  Started  pending -> pre_hooks" in lines[0]
    assert lines[-1].endswith("T3  PostHooksFailed  post_hooks -> escalated")
    assert len(lines) == 21


def test_the_details_of_a_task_are_its_hooks_and_files() -> None:
    entries = whole_run().entries
    after = Image(Kind.FILE, 0o644, "a" * 64)
    planned = e.ApplyPlanned(ChangeSet("c1", (FileChange("new.py", ABSENT, after),)))
    lines = list(task_details([*entries, Entry(99, 1.0, "T1", planned)], "T1"))
    assert sum("post-hook unit-tests" in line for line in lines) == 2
    assert any(line.endswith("changed slug/text.py, slug/__init__.py") for line in lines)
    assert lines[-1].endswith("plan new.py: absent -> file")
    assert not any("page.py" in line for line in lines)


def test_a_total_is_a_least_where_one_of_its_parts_is() -> None:
    tasks = task_list((), (), ())
    exact = TaskRecord("T1", S.PASSED, spent=Spent(usage=Usage(1000, 200)))
    least = TaskRecord("T2", S.PASSED, spent=Spent(usage=Usage(800, at_least=True)))
    assert Tally(tasks, {"T1": exact}).closing_line().endswith(", 1.2k tokens")
    both = Tally(tasks, {"T1": exact, "T2": least})
    assert both.closing_line().endswith(", at least 2.0k tokens")


def test_progress_is_kept_up_with_as_records_change() -> None:
    script = Script()
    followed = Tally(task_list())
    assert followed.progress == (0, 0, 0.0)
    for _ in small_run(script):
        for record in script.state.tasks.values():
            followed.take(record)
        fresh = Tally(task_list(), script.state.tasks).progress
        assert followed.progress[:2] == fresh[:2]
        assert followed.progress.cost == pytest.approx(fresh.cost)
    assert followed.progress[:2] == (2, 1)
