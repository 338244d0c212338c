"""Which task is next: the first ready one in list order, found without a look at the whole list."""

import heapq
from collections.abc import Callable
from itertools import chain

from attrs import define, field, frozen

from agent_runner.model.states import STEPS, TaskState
from agent_runner.model.task import Task, TaskList


@frozen
class Selection:
    """What a run is to work on of its list.

    Attributes:
        tasks: Ids; None for all. Others stay as they are, and hold what depends on them.
        most: The most tasks that the run takes up, whatever becomes of them; None for no end.
    """

    tasks: frozenset[str] | None = None
    most: int | None = None

    def __contains__(self, task_id: str) -> bool:
        return self.tasks is None or task_id in self.tasks


EVERYTHING = Selection()


@define
class Schedule:
    """Ready tasks by their position in the list. `state_of` says a task's state now.

    A task is ready when it is in a step, or pending with every task that it depends on passed. A
    held task waits for one of its holders at a time, so that each dependency is checked once: the
    cost of a move does not grow with the list.
    """

    tasks: TaskList
    state_of: Callable[[str], TaskState]
    selection: Selection = EVERYTHING
    _ready: list[int] = field(init=False, factory=list)
    _index: dict[str, int] = field(init=False, factory=dict)
    _waiting: dict[str, set[int]] = field(init=False, factory=dict)
    """Positions of held tasks, by the holder that each of them waits for."""
    _found_at: dict[int, int] = field(init=False, factory=dict)
    """Where in its dependencies a task's last holder was found."""

    def __attrs_post_init__(self) -> None:
        self._index = {task.id: index for index, task in enumerate(self.tasks.tasks)}
        for index in range(len(self.tasks)):
            self._enqueue(index)

    def next(self) -> Task | None:
        """The task to work on now, or None when nothing is ready."""
        while self._ready:
            index = self._ready[0]
            task = self.tasks.tasks[index]
            if self._is_ready(task):
                return task
            heapq.heappop(self._ready)
            self._enqueue(index)
        return None

    def update(self, task_id: str) -> None:
        """Take note that a task has moved: it and what waited for it may be ready now."""
        if task_id in self._index:
            self._enqueue(self._index[task_id])
        for index in self._waiting.pop(task_id, ()):
            self._enqueue(index)

    def holders(self, task: Task) -> tuple[str, ...]:
        """The tasks that keep a pending one from being ready."""
        return tuple(t for t in task.depends_on if self.state_of(t) is not TaskState.PASSED)

    def _is_ready(self, task: Task) -> bool:
        state = self.state_of(task.id)
        return state in STEPS or (state is TaskState.PENDING and not self.holders(task))

    def _enqueue(self, index: int) -> None:
        """Queue a task if it is ready; else let it wait for one that holds it."""
        task = self.tasks.tasks[index]
        if task.id not in self.selection:
            return
        state = self.state_of(task.id)
        holder = self._holder(index) if state is TaskState.PENDING else None
        if holder is not None:
            self._waiting.setdefault(holder, set()).add(index)
        elif state in STEPS or state is TaskState.PENDING:
            heapq.heappush(self._ready, index)

    def _holder(self, index: int) -> str | None:
        """Some task that holds this one, searched for from where the last one was found."""
        needed = self.tasks.tasks[index].depends_on
        begin = self._found_at.get(index, 0)
        for at in chain(range(begin, len(needed)), range(begin)):
            if self.state_of(needed[at]) is not TaskState.PASSED:
                self._found_at[index] = at
                return needed[at]
        return None
