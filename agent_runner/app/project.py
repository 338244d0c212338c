"""A project, read and checked: one task list with its configuration."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from agent_runner.app.place import DEFAULT_NAMES, Place, Surroundings, require_task
from agent_runner.config import Loaded, load_settings
from agent_runner.ground.clock import show_times_in
from agent_runner.ground.config_files import PROJECT_FILES
from agent_runner.ground.timings import part
from agent_runner.limits.windows import zone_of
from agent_runner.model.settings import Settings
from agent_runner.model.task import Task, TaskList
from agent_runner.providers.offers import with_cached_tokens
from agent_runner.providers.profiles import KNOWN_NAMES, canonical
from agent_runner.store.layout import Layout
from agent_runner.tasks import load_task_list


@frozen(slots=False)  # `cached_property` wants a `__dict__`
class Project:
    """Everything that a person wrote, read and checked."""

    place: Place
    tasks: TaskList
    loaded: Loaded
    surroundings: Surroundings

    @property
    def settings(self) -> Settings:
        """The merged configuration."""
        return self.loaded.settings

    def task(self, task_id: str) -> Task:
        """A task of the list; UsageError, with the nearest id, if the list has no such task."""
        require_task(task_id, self.tasks)
        return self.tasks[task_id]

    @property
    def layout(self) -> Layout:
        """The state folder's paths."""
        return Layout(self.place.state_dir)

    @cached_property
    def own_files(self) -> tuple[Path, ...]:
        """What tells the runner what to do, so that no reply may change it.

        Task list, configurations, templates, state; and what the next run in this folder would take
        for one of them, whether it is there yet or not.
        """
        templates = [task.template for task in self.tasks.tasks if task.template]
        if self.settings.template:
            templates.append(self.settings.template)
        if self.settings.prompt.system_template:
            templates.append(self.settings.prompt.system_template)
        by_name = (self.tasks.folder / name for name in (*DEFAULT_NAMES, *PROJECT_FILES))
        return (self.tasks.file, *self.loaded.files, *templates, *self.hidden, *by_name)

    @property
    def hidden(self) -> tuple[Path, ...]:
        """Folders that are no part of any task's files: the state, and recorded answers."""
        recorded = (own.replies for own in self.settings.providers.values())
        return (self.place.state_dir, *(folder for folder in recorded if folder))

    def settings_of(self, task_id: str) -> Settings:
        """The configuration as it holds for a task: what the task itself says goes first."""
        task = self.tasks.get(task_id)
        if task is None or task.max_attempts is None:
            return self.settings
        return evolve(self.settings, max_attempts_per_task=task.max_attempts)


def load(place: Place, here: Surroundings, flags: Mapping[str, Any] | None = None) -> Project:
    """Read configuration and list. Raises InputError with every mistake."""
    with part("load"):
        return _load(place, here, flags or {})


def _load(place: Place, here: Surroundings, flags: Mapping[str, Any]) -> Project:
    loaded = load_settings(
        folder=place.tasks_file.parent,
        env=here.env,
        home=here.home,
        flags=flags,
        cwd=here.cwd,
        names=KNOWN_NAMES,
    )
    loaded = evolve(loaded, settings=with_one_name_each(loaded.settings))
    show_times_in(zone_of(loaded.settings.limits))
    tasks = load_task_list(place.tasks_file, loaded.settings, home=here.home, names=KNOWN_NAMES)
    return Project(place, tasks, loaded, here)


def with_one_name_each(settings: Settings) -> Settings:
    """Limits under an alias count for the provider itself: `codex` is `openai`."""
    limits = {canonical(name, settings): one for name, one in settings.rate_limits.items()}
    known = {name: with_cached_tokens(one, name, settings) for name, one in limits.items()}
    return evolve(settings, rate_limits=known)
