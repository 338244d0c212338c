"""A project: one task list with its configuration and the place of its state."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from agent_runner.config import Loaded, load_settings
from agent_runner.ground.invocation import Invocation
from agent_runner.model.errors import UsageError
from agent_runner.model.settings import Settings
from agent_runner.model.task import TaskList
from agent_runner.providers.profiles import KNOWN_NAMES, canonical
from agent_runner.store.layout import FOLDER, Layout
from agent_runner.store.snapshot import list_of
from agent_runner.tasks import load_task_list

DEFAULT_NAMES = ("tasks.yml", "tasks.yaml", "tasks.json")
"""Task lists that need not be named, tried in this order."""


@frozen
class Surroundings:
    """What the process was started with; tests hand in their own."""

    env: Mapping[str, str]
    home: Path
    cwd: Path


@frozen
class Place:
    """Where the list and its state are, before anything of them is read. Both absolute."""

    tasks_file: Path
    state_dir: Path
    invocation: Invocation
    """How this list was named: suggested commands name it in the same way."""


@frozen
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

    @property
    def layout(self) -> Layout:
        """The state folder's paths."""
        return Layout(self.place.state_dir)

    @property
    def judges(self) -> tuple[Path, ...]:
        """What judges the agent, so that no reply may change it.

        Task list, configurations, templates, state.
        """
        templates = [task.template for task in self.tasks.tasks if task.template]
        if self.settings.template:
            templates.append(self.settings.template)
        return (self.tasks.file, *self.loaded.files, *templates, *self.hidden)

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


def find(tasks: Path | None, state_dir: Path | None, around: Surroundings) -> Place:
    """Where list and state are. Without a name: the list whose state is here, else tasks.yml.

    Raises UsageError if there is no such list.
    """
    file = around.cwd / tasks if tasks else unnamed(state_dir, around)
    if not file.is_file():
        known = ", ".join(DEFAULT_NAMES)
        raise UsageError(
            f"there is no task list {tasks or file}" + ("" if tasks else f" (looked for {known})"),
            fix="write one with: agent-runner init; or name it: agent-runner run FILE",
        )
    if state_dir and (around.cwd / state_dir).exists() and not (around.cwd / state_dir).is_dir():
        raise UsageError(f"--state-dir {state_dir} is a file", fix="name a folder, new or old")
    folder = file.parent.resolve()
    state = (around.cwd / state_dir).resolve() if state_dir else folder / FOLDER
    return Place(folder / file.name, state, invocation_of(tasks, state_dir))


def invocation_of(tasks: Path | None, state_dir: Path | None) -> Invocation:
    """How the list was named; a name that is the default is left out."""
    named = str(tasks) if tasks else ""
    return Invocation(
        "" if named == DEFAULT_NAMES[0] else named, str(state_dir) if state_dir else ""
    )


def unnamed(state_dir: Path | None, around: Surroundings) -> Path:
    """The list of which nobody said the name: the one whose state is here, else tasks.yml."""
    recorded = list_of(around.cwd / (state_dir or FOLDER))
    if recorded and (around.cwd / recorded).is_file():
        return around.cwd / recorded
    found = (around.cwd / name for name in DEFAULT_NAMES)
    return next((file for file in found if file.is_file()), around.cwd / DEFAULT_NAMES[0])


def is_untouched(state_dir: Path | None, around: Surroundings) -> bool:
    """Whether nothing of ours is here: neither a list that needs no name nor a state."""
    state = Layout(around.cwd / (state_dir or FOLDER))
    return not unnamed(state_dir, around).is_file() and not state.journal.exists()


def load(place: Place, around: Surroundings, flags: Mapping[str, Any] | None = None) -> Project:
    """Read configuration and list. Raises InputError with every mistake."""
    loaded = load_settings(
        folder=place.tasks_file.parent,
        env=around.env,
        home=around.home,
        flags=flags or {},
        cwd=around.cwd,
        names=KNOWN_NAMES,
    )
    loaded = evolve(loaded, settings=_with_one_name_each(loaded.settings))
    tasks = load_task_list(place.tasks_file, loaded.settings, home=around.home, names=KNOWN_NAMES)
    return Project(place, tasks, loaded, around)


def _with_one_name_each(settings: Settings) -> Settings:
    """Limits under an alias count for the provider itself: `codex` is `openai`."""
    limits = {canonical(name, settings): one for name, one in settings.rate_limits.items()}
    return evolve(settings, rate_limits=limits)
