"""A task and the list it stands in, as a person wrote them, after validation."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from attrs import field, frozen

NO_METADATA: Mapping[str, Any] = MappingProxyType({})
"""That of tasks which have none, one for all of a long list."""


@frozen
class Task:
    """One coding task, with the defaults of the configuration already in it.

    `root`: the absolute folder in which its hooks run and which its agent sees; `path` is the same
    as it is written in the list. `files`, `protect` and `may_change` are globs relative to it.
    `line`: where the task stands in its file.
    """

    id: str
    title: str
    description: str
    root: Path
    path: str = "."
    pre_hooks: tuple[str, ...] = ()
    post_hooks: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    protect: tuple[str, ...] = ()
    may_change: tuple[str, ...] = ()
    provider: str | None = None
    model: str | None = None
    max_attempts: int | None = None
    template: Path | None = None
    metadata: Mapping[str, Any] = field(default=NO_METADATA, hash=False)
    line: int = field(default=0, eq=False)

    @property
    def definition(self) -> str:
        """Hash of what the task asks for; a change of it makes a passed task stale."""
        contents = [
            self.title,
            self.description,
            self.path,
            self.pre_hooks,
            self.post_hooks,
            self.files,
            self.protect,
            # only where it is given: a task of an earlier release is still the same task
            *([self.may_change] if self.may_change else []),
        ]
        return hashlib.sha256(json.dumps(contents, ensure_ascii=True).encode()).hexdigest()[:16]


@frozen
class TaskList:
    """All tasks of one file, in its order; `folder` is the project, `id` the list's name in it."""

    id: str
    file: Path
    folder: Path
    tasks: tuple[Task, ...]
    _by_id: dict[str, Task] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {task.id: task for task in self.tasks})

    def __getitem__(self, task_id: str) -> Task:
        return self._by_id[task_id]

    def get(self, task_id: str) -> Task | None:
        """The task, or None if the list has none of that id."""
        return self._by_id.get(task_id)

    def dependents_of(self, task_id: str) -> tuple[str, ...]:
        """Ids of the tasks that depend on this one, directly or not, in list order."""
        found = {task_id}
        while True:
            more = {task.id for task in self.tasks if found & set(task.depends_on)} - found
            if not more:
                return tuple(task.id for task in self.tasks if task.id in found - {task_id})
            found |= more

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._by_id

    def __len__(self) -> int:
        return len(self.tasks)
