"""The project that a command line means, found with what the process was started in."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_runner.app.place import Surroundings, find
from agent_runner.ground.invocation import PROGRAM
from agent_runner.model.errors import UsageError

if TYPE_CHECKING:
    from agent_runner.app.project import Project


_entered = ""


def enter(folder: Path) -> None:
    """Begin in this folder, as if the command had been typed there. Raises UsageError."""
    global _entered  # noqa: PLW0603  # like the current folder itself: one a process
    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageError(f"-C {folder}: {error.strerror}", fix="name a folder") from error
    _entered = str(folder)


def surroundings() -> Surroundings:
    """The process's environment, home and current folder. Raises UsageError without either."""
    try:
        home = Path.home()
    except RuntimeError:
        raise UsageError("it is not known which folder is your home", fix="set HOME") from None
    try:
        cwd = Path.cwd()
    except OSError as error:
        raise UsageError(
            f"the current folder cannot be used: {error.strerror}", fix="change to another folder"
        ) from error
    return Surroundings(dict(os.environ), home, cwd, _entered)


def entered() -> str:
    """The value of `-C`; "" if the process began in its folder."""
    return _entered


def open_project(
    tasks: Path | None, state_dir: Path | None, settings: dict[str, Any] | None = None
) -> "Project":
    """Find, read and check the project.

    `settings`: values that win over the configuration, by dotted name; None where not given.

    Raises UsageError if there is no such list, InputError with every mistake in what was read.
    """
    from agent_runner.app.project import load  # lazy: it imports all that reads YAML

    here = surroundings()
    return load(find(tasks, state_dir, here), here, settings)


def has_person() -> bool:
    """Whether a run from here would have a person to ask.

    By stdin alone: what is shown here may well go through a pager or into a file.
    """
    return sys.stdin.isatty()


def program() -> str:
    """This program from any folder: by its path where its name would not find it."""
    called = Path(sys.argv[0])
    if called.name != PROGRAM or shutil.which(PROGRAM) or not called.is_file():
        return PROGRAM
    return str(called.absolute())
