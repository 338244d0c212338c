"""What a command was started in, and the project that its options mean."""

import os
from pathlib import Path
from typing import Any

from agent_runner.app import project as projects
from agent_runner.app.project import Project, Surroundings


def surroundings() -> Surroundings:
    """The process's environment, home and current folder."""
    return Surroundings(dict(os.environ), Path.home(), Path.cwd())


def open_project(
    tasks: Path | None, state_dir: Path | None, flags: dict[str, Any] | None = None
) -> Project:
    """Find, read and check what the options mean.

    `flags`: dotted option to value, None: not given.
    """
    around = surroundings()
    return projects.load(projects.find(tasks, state_dir, around), around, flags)
