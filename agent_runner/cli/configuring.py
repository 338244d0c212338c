"""Checks and shows what is configured, also where there is no task list."""

import sys
from pathlib import Path

from agent_runner.app.project import Surroundings, unnamed
from agent_runner.config import (
    Loaded,
    check_all,
    load_settings,
    show,
    show_origins,
    survey_settings,
)
from agent_runner.model.errors import UsageError
from agent_runner.model.settings import Settings
from agent_runner.prompts.build import check_template
from agent_runner.providers.profiles import KNOWN_NAMES
from agent_runner.tasks import load_task_list


def validate_all(tasks: Path | None, around: Surroundings) -> int:
    """Print every problem, or what was found to be good; the exit code."""
    file, folder = place_of(tasks, around)
    loaded = survey_settings(
        folder=folder, env=around.env, home=around.home, flags={}, names=KNOWN_NAMES
    )

    def read_list(settings: Settings) -> object:
        return load_task_list(file, settings, home=around.home, names=KNOWN_NAMES)  # type: ignore[arg-type]  # only called with a file

    problems = [*check_all(loaded, read_list if file else None), *_template_problems(loaded)]
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        many = "mistakes" if len(problems) > 1 else "mistake"
        print(f"{len(problems)} {many}", file=sys.stderr)
        return 2
    checked = [*map(str, loaded.files), *([str(file)] if file else [])]
    print(f"good: {', '.join(checked) or 'the defaults (there is no configuration file)'}")
    return 0


def show_all(tasks: Path | None, around: Surroundings, *, origins: bool) -> int:
    """Print the merged configuration."""
    _, folder = place_of(tasks, around)
    loaded = load_settings(
        folder=folder, env=around.env, home=around.home, flags={}, names=KNOWN_NAMES
    )
    for line in (show_origins if origins else show)(loaded):
        print(line)
    return 0


def _template_problems(loaded: Loaded) -> tuple[object, ...]:
    template = loaded.settings.template
    return check_template(template) if template else ()


def place_of(tasks: Path | None, around: Surroundings) -> tuple[Path | None, Path]:
    """The task list, if there is one, and the folder whose configuration counts."""
    if tasks is not None:
        if not (around.cwd / tasks).is_file():
            raise UsageError(f"there is no task list {tasks}")
        return tasks, (around.cwd / tasks).parent
    found = unnamed(None, around)
    return (found.relative_to(around.cwd) if found.is_file() else None), around.cwd
