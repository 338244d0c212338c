"""Which task is next: the first ready one in list order, found without a look at the whole list."""

import heapq
from collections.abc import Callable

from attrs import define, field

from agent_runner.model.states import STEPS, TaskState
from agent_runner.model.task import Task, TaskList


@define
class Schedule:
    """Ready tasks by their place in the list. `state_of` tells a task's state now.

    A task is ready when it is pending or in a step and every task it depends on has passed.
    """

    tasks: TaskList
    state_of: Callable[[str], TaskState]
    _ready: list[int] = field(factory=list)
    _index: dict[str, int] = field(factory=dict)
    _dependents: dict[str, list[str]] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for index, task in enumerate(self.tasks.tasks):
            self._index[task.id] = index
            for needed in task.depends_on:
                self._dependents.setdefault(needed, []).append(task.id)
        self._ready = [i for i, task in enumerate(self.tasks.tasks) if self._is_ready(task)]

    def next(self) -> Task | None:
        """The task to work on now, or None when nothing is ready."""
        while self._ready:
            task = self.tasks.tasks[self._ready[0]]
            if self._is_ready(task):
                return task
            heapq.heappop(self._ready)
        return None

    def moved(self, task_id: str) -> None:
        """Look again at a task that was moved, and at what waited for it."""
        for candidate in (task_id, *self._dependents.get(task_id, ())):
            index = self._index.get(candidate)
            if index is not None and self._is_ready(self.tasks.tasks[index]):
                heapq.heappush(self._ready, index)

    def holders(self, task: Task) -> tuple[str, ...]:
        """The tasks that keep a pending one from being ready."""
        return tuple(t for t in task.depends_on if self.state_of(t) is not TaskState.PASSED)

    def _is_ready(self, task: Task) -> bool:
        state = self.state_of(task.id)
        return state in STEPS or (state is TaskState.PENDING and not self.holders(task))
