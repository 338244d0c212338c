"""Which task is next: the first ready one in list order, found without a look at the whole list."""

import heapq
from collections.abc import Callable
from itertools import chain

from attrs import define, field

from agent_runner.model.states import STEPS, TaskState
from agent_runner.model.task import Task, TaskList


@define
class Schedule:
    """Ready tasks by their place in the list. `state_of` tells a task's state now.

    A task is ready when it is pending or in a step and every task it depends on has passed. One
    that is held waits for one of its holders at a time, so that each dependency is looked at once.
    """

    tasks: TaskList
    state_of: Callable[[str], TaskState]
    _ready: list[int] = field(init=False, factory=list)
    _index: dict[str, int] = field(init=False, factory=dict)
    _waiting: dict[str, set[int]] = field(init=False, factory=dict)
    _looked: dict[int, int] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self._index = {task.id: index for index, task in enumerate(self.tasks.tasks)}
        for index in range(len(self.tasks)):
            self._look(index)

    def next(self) -> Task | None:
        """The task to work on now, or None when nothing is ready."""
        while self._ready:
            index = self._ready[0]
            task = self.tasks.tasks[index]
            if self._is_ready(task):
                return task
            heapq.heappop(self._ready)
            self._look(index)
        return None

    def moved(self, task_id: str) -> None:
        """Look again at a task that was moved, and at what waited for it."""
        if task_id in self._index:
            self._look(self._index[task_id])
        for index in self._waiting.pop(task_id, ()):
            self._look(index)

    def holders(self, task: Task) -> tuple[str, ...]:
        """The tasks that keep a pending one from being ready."""
        return tuple(t for t in task.depends_on if self.state_of(t) is not TaskState.PASSED)

    def _is_ready(self, task: Task) -> bool:
        state = self.state_of(task.id)
        return state in STEPS or (state is TaskState.PENDING and not self.holders(task))

    def _look(self, index: int) -> None:
        """Line a task up if it is ready; else have it wait for one that holds it."""
        task = self.tasks.tasks[index]
        state = self.state_of(task.id)
        holder = self._holder(index) if state is TaskState.PENDING else None
        if holder is not None:
            self._waiting.setdefault(holder, set()).add(index)
        elif state in STEPS or state is TaskState.PENDING:
            heapq.heappush(self._ready, index)

    def _holder(self, index: int) -> str | None:
        """Some task that holds this one, looked for from where the last one was found."""
        needed = self.tasks.tasks[index].depends_on
        begin = self._looked.get(index, 0)
        for place in chain(range(begin, len(needed)), range(begin)):
            if self.state_of(needed[place]) is not TaskState.PASSED:
                self._looked[index] = place
                return needed[place]
        return None
