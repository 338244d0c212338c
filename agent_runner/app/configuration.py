"""The configuration that counts in a folder, also where there is no task list."""

from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from agent_runner.app.bounds import judge_limits, who_is_asked
from agent_runner.app.commit_rules import judge_commits
from agent_runner.app.place import Surroundings, unnamed
from agent_runner.app.project import with_one_name_each
from agent_runner.config import Loaded, check_all, load_settings, survey_settings
from agent_runner.limits.contradictions import Kind
from agent_runner.model.errors import Problem, UsageError
from agent_runner.model.settings import Settings
from agent_runner.model.task import Task
from agent_runner.prompts.build import check_template
from agent_runner.providers.profiles import KNOWN_NAMES
from agent_runner.tasks import load_task_list


@frozen
class Checked:
    """What came of a check of everything that a person wrote.

    Attributes:
        files: What was read, as it was named.
        warnings: What is no mistake but probably not meant.
        problems: Every mistake, in the order of the files.
    """

    files: tuple[str, ...]
    warnings: tuple[Problem, ...]
    problems: tuple[Problem, ...]


def check(tasks: Path | None, here: Surroundings) -> Checked:
    """Check all configuration files, the environment and the task list, if there is one.

    Raises UsageError if the list that is named does not exist.
    """
    file, folder = _place(tasks, here)
    loaded = survey_settings(
        folder=folder, env=here.env, home=here.home, flags={}, names=KNOWN_NAMES
    )

    read: list[Task] = []

    def read_list(settings: Settings) -> None:
        assert file is not None  # noqa: S101  # only called with a file
        read.extend(load_task_list(file, settings, home=here.home, names=KNOWN_NAMES).tasks)

    problems = check_all(loaded, read_list if file else None)
    template = loaded.settings.template
    problems += tuple(check_template(template) if template else ())
    settings = with_one_name_each(loaded.settings)
    problems += judge_commits(loaded, settings, (task.root for task in read), here.env)
    limits = judge_limits(loaded, settings, who_is_asked(settings, here.env, read))
    harmless = [problem for kind, problem in limits if kind is Kind.NEVER_REACHED]
    return Checked(
        files=(*map(str, loaded.files), *([str(file)] if file else [])),
        warnings=(*loaded.warnings, *harmless, *_unbounded(loaded)),
        problems=(*problems, *(one for kind, one in limits if kind is not Kind.NEVER_REACHED)),
    )


def _unbounded(loaded: Loaded) -> Iterator[Problem]:
    """A warning for each hook without a time-out: if it hangs, so does the run, for ever."""
    for name, hook in loaded.settings.hooks.items():
        if hook.timeout is None:
            message = f"the hook {name} has no time-out: if it hangs, nothing ends it"
            hint = f"give it one, such as hooks: {{{name}: {{timeout: 10m}}}}"
            yield loaded.problem(f"hooks.{name}.command", message, hint)


def load(tasks: Path | None, here: Surroundings) -> Loaded:
    """The merged configuration.

    Raises InputError with every mistake, UsageError if the list that is named does not exist.
    """
    _, folder = _place(tasks, here)
    return load_settings(folder=folder, env=here.env, home=here.home, flags={}, names=KNOWN_NAMES)


def _place(tasks: Path | None, here: Surroundings) -> tuple[Path | None, Path]:
    """The task list, if there is one, and the folder whose configuration counts."""
    if tasks is not None:
        if not (here.cwd / tasks).is_file():
            raise UsageError(f"there is no task list {tasks}")
        return tasks, (here.cwd / tasks).parent
    found = unnamed(None, here)
    return (found.relative_to(here.cwd) if found.is_file() else None), here.cwd
