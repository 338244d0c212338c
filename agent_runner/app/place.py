"""Where a task list and its state are, found before anything of them is read."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent_runner.ground.invocation import Invocation
from agent_runner.ground.presence import is_file, may_be_there
from agent_runner.model.errors import UsageError
from agent_runner.store.layout import FOLDER, Layout
from agent_runner.store.outline import list_of

if TYPE_CHECKING:
    from agent_runner.model.standing import ListOutline
    from agent_runner.model.task import TaskList

DEFAULT_NAMES = ("tasks.yml", "tasks.yaml", "tasks.json")
"""Task lists that need not be named, tried in this order."""


class Surroundings(NamedTuple):
    """What the process was started with; tests hand in their own.

    `entered`: the value of `-C`, by which `cwd` was entered; "" if the process began there.
    """

    env: Mapping[str, str]
    home: Path
    cwd: Path
    entered: str = ""


class Place(NamedTuple):
    """Where the list and its state are; both paths are absolute.

    `invocation`: how the list was named; suggested commands name it in the same way.
    """

    tasks_file: Path
    state_dir: Path
    invocation: Invocation


def find(tasks: Path | None, state_dir: Path | None, here: Surroundings) -> Place:
    """Where list and state are. Without a name: see `unnamed`.

    Raises UsageError if there is no such list, StateError for a state folder that is none of ours.
    """
    place = locate(tasks, state_dir, here)
    Layout(place.state_dir).check()
    return place


def locate(tasks: Path | None, state_dir: Path | None, here: Surroundings) -> Place:
    """The same whatever is in the state folder's place. Raises UsageError."""
    file = here.cwd / tasks if tasks else unnamed(state_dir, here)
    if not may_be_there(file):
        known = ", ".join(DEFAULT_NAMES)
        raise UsageError(
            f"there is no task list {tasks or file}" + ("" if tasks else f" (looked for {known})"),
            fix="write one with `agent-runner init`, or name it: agent-runner run FILE",
        )
    if state_dir and is_file(here.cwd / state_dir):
        raise UsageError(f"--state-dir {state_dir} is a file", fix="name a folder, new or old")
    # realpath, since resolve raises at links in a circle
    folder = Path(os.path.realpath(file.parent))
    state = Path(os.path.realpath(here.cwd / state_dir)) if state_dir else folder / FOLDER
    holds_project = folder.is_relative_to(state)
    if holds_project or (state_dir and ".git" in state.parts):
        what = "holds the project" if holds_project else "lies in git's own folder"
        raise UsageError(
            f"--state-dir {state_dir} {what}", fix="name a folder for the state alone, new or old"
        )
    return Place(folder / file.name, state, invocation_of(tasks, state_dir, here.entered))


def invocation_of(tasks: Path | None, state_dir: Path | None, entered: str) -> Invocation:
    """How the list was named; a name that is the default is left out."""
    named = str(tasks) if tasks else ""
    shown = "" if named == DEFAULT_NAMES[0] else named
    return Invocation(shown, str(state_dir) if state_dir else "", entered)


def unnamed(state_dir: Path | None, here: Surroundings) -> Path:
    """The list that is meant where none is named: the one whose state is here, else tasks.yml.

    "Here" is the current folder, or the nearest one above it that has a list or a state.
    """
    folder = project_folder(here)
    return _listed(folder, here.cwd / state_dir if state_dir else folder / FOLDER)


def project_folder(here: Surroundings) -> Path:
    """The nearest folder, from the current one upwards, with a list or the state of one.

    The current one where there is none. It is looked for up to the top of the git repository; where
    there is no repository, below the home folder. A folder of another owner ends the search: who
    may write into a folder above this one must not decide what is run here.
    """
    for folder in _upwards(here):
        if may_be_there(_listed(folder, folder / FOLDER)):
            return folder
    return here.cwd


def _listed(folder: Path, state: Path) -> Path:
    recorded = list_of(state)
    if recorded and may_be_there(folder / recorded):
        return folder / recorded
    found = (folder / name for name in DEFAULT_NAMES)
    return next((file for file in found if may_be_there(file)), folder / DEFAULT_NAMES[0])


def _upwards(here: Surroundings) -> tuple[Path, ...]:
    """The folders in which a project is looked for, the current one first."""
    cwd = here.cwd
    owner, reach = cwd.stat().st_uid, [cwd]
    for folder in cwd.parents:
        if folder.stat().st_uid != owner:
            break
        reach.append(folder)
    for at, folder in enumerate(reach):
        if may_be_there(folder / ".git"):
            return tuple(reach[: at + 1])
    home = Path(os.path.realpath(here.home))
    return (cwd, *(folder for folder in reach[1:] if home in folder.parents))


def require_task(task_id: str, tasks: "TaskList | ListOutline") -> None:
    """Raise UsageError, with the nearest id if there is one, if the list has no such task."""
    if task_id in tasks:
        return
    from agent_runner.ground.suggestions import did_you_mean  # lazy: difflib, for one message

    near = did_you_mean(task_id, (task.id for task in tasks.tasks))
    raise UsageError(
        f"there is no task {task_id} in {tasks.id}",
        fix=near,
        command=() if near else ("status",),
    )


def is_untouched(state_dir: Path | None, here: Surroundings) -> bool:
    """Whether there is nothing of ours here: neither a list that needs no name nor a state."""
    state = Layout(here.cwd / state_dir if state_dir else project_folder(here) / FOLDER)
    return not may_be_there(unnamed(state_dir, here)) and not may_be_there(state.journal)
