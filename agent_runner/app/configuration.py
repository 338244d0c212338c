"""The configuration that counts in a folder, also where there is no task list."""

import os
from pathlib import Path

from agent_runner.app.place import Surroundings, unnamed
from agent_runner.config import Loaded, load_settings
from agent_runner.ground.presence import may_be_there
from agent_runner.model.errors import UsageError
from agent_runner.providers.profiles import KNOWN_NAMES


def load(tasks: Path | None, here: Surroundings) -> Loaded:
    """The merged configuration.

    Raises InputError with every mistake, UsageError if the list that is named does not exist.
    """
    _, folder = place_of(tasks, here)
    return load_settings(folder=folder, env=here.env, home=here.home, flags={}, names=KNOWN_NAMES)


def place_of(tasks: Path | None, here: Surroundings) -> tuple[Path | None, Path]:
    """The task list, if there is one, and the folder whose configuration counts."""
    if tasks is not None:
        if not may_be_there(here.cwd / tasks):
            raise UsageError(f"there is no task list {tasks}")
        return tasks, (here.cwd / tasks).parent
    found = unnamed(None, here)
    shown = Path(os.path.relpath(found, here.cwd))  # shorter than the whole path, as one would type
    return (shown if may_be_there(found) else None), found.parent
