"""Which task is next: list order, what is needed first, and ten thousand tasks at no cost."""

import time
from pathlib import Path

from hypothesis import given, strategies as st

from agent_runner.engine.schedule import Schedule
from agent_runner.model.states import STEPS, TaskState
from agent_runner.model.task import Task, TaskList


def listed(needs: list[tuple[int, ...]]) -> TaskList:
    """Tasks named by their place, each with the places of those it needs."""
    tasks = (
        Task(str(n), "", "", Path(), depends_on=tuple(map(str, needed)))
        for n, needed in enumerate(needs)
    )
    return TaskList("list", Path(), Path(), tuple(tasks))


def first_ready(tasks: TaskList, states: dict[str, TaskState]) -> str | None:
    """What the schedule must say, found by looking at the whole list."""
    for task in tasks.tasks:
        held = any(states[needed] is not TaskState.PASSED for needed in task.depends_on)
        if states[task.id] in STEPS or (states[task.id] is TaskState.PENDING and not held):
            return task.id
    return None


@st.composite
def needs(draw: st.DrawFn) -> list[tuple[int, ...]]:
    size = draw(st.integers(1, 8))
    order = draw(st.permutations(range(size)))
    before: dict[int, list[int]] = {task: order[:at] for at, task in enumerate(order)}
    return [
        tuple(draw(st.lists(st.sampled_from(before[n]), unique=True, max_size=3)))
        if before[n]
        else ()
        for n in range(size)
    ]


@given(needs(), st.data())
def test_it_always_names_the_first_ready_task(
    wanted: list[tuple[int, ...]], data: st.DataObject
) -> None:
    tasks = listed(wanted)
    states = dict.fromkeys((task.id for task in tasks.tasks), TaskState.PENDING)
    schedule = Schedule(tasks, states.__getitem__)
    for _ in range(30):
        task = schedule.next()
        assert (task.id if task else None) == first_ready(tasks, states)
        moved = data.draw(st.sampled_from(sorted(states)))
        states[moved] = data.draw(st.sampled_from(TaskState))
        schedule.update(moved)


def test_holders_are_those_that_have_not_passed() -> None:
    tasks = listed([(), (), (0, 1)])
    states = {"0": TaskState.PASSED, "1": TaskState.ESCALATED, "2": TaskState.PENDING}
    schedule = Schedule(tasks, states.__getitem__)
    assert schedule.holders(tasks["2"]) == ("1",)
    schedule.update("gone")  # a task that is no longer in the list


def test_ten_thousand_tasks_are_no_work() -> None:
    """The last needs all others, each of which needs the one before it."""
    size = 10_000
    tasks = listed([(), *((n - 1,) for n in range(1, size - 1)), tuple(range(size - 1))])
    states = dict.fromkeys((task.id for task in tasks.tasks), TaskState.PENDING)
    looked = 0

    def state_of(task: str) -> TaskState:
        nonlocal looked
        looked += 1
        return states[task]

    schedule = Schedule(tasks, state_of)
    began = time.process_time()
    done = []
    while (task := schedule.next()) is not None:
        states[task.id] = TaskState.PASSED
        schedule.update(task.id)
        done.append(task.id)
    assert done == [task.id for task in tasks.tasks]
    assert time.process_time() - began < 5
    assert looked < 20 * size, "each move looks only at what waited for it"
