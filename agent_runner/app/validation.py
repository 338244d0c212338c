"""What `config validate` says: all mistakes in what a person wrote, and what a run lacks here."""

from collections.abc import Iterator
from pathlib import Path

from attrs import evolve, frozen

from agent_runner.app.configuration import place_of
from agent_runner.app.findings import Finding, Weight, examine
from agent_runner.app.place import DEFAULT_NAMES, Place, Surroundings, invocation_of
from agent_runner.app.project import Project, with_one_name_each
from agent_runner.config import Loaded, check_all, survey_settings
from agent_runner.hooks.missing import absent_program
from agent_runner.model.errors import Problem
from agent_runner.model.settings import Settings
from agent_runner.model.task import Task, TaskList
from agent_runner.providers.profiles import KNOWN_NAMES
from agent_runner.store.layout import FOLDER
from agent_runner.tasks import load_task_list


@frozen
class Checked:
    """What came of a check of everything that a person wrote.

    Attributes:
        files: What was read, as it was named.
        warnings: What is no mistake but probably not meant.
        problems: Every mistake, in the order of the files.
        not_ready: What is missing on this machine, so that no run begins though all is right.
    """

    files: tuple[str, ...]
    warnings: tuple[Problem, ...]
    problems: tuple[Problem, ...]
    not_ready: tuple[Problem, ...] = ()


def check(tasks: Path | None, here: Surroundings) -> Checked:
    """Check all configuration files, the environment and the task list as a run would.

    Raises UsageError if the list that is named does not exist.
    """
    file, folder = place_of(tasks, here)
    loaded = survey_settings(
        folder=folder, env=here.env, home=here.home, flags={}, names=KNOWN_NAMES
    )
    loaded = evolve(loaded, settings=with_one_name_each(loaded.settings))
    read: list[Task] = []

    def read_list(settings: Settings) -> None:
        assert file is not None  # noqa: S101  # only called with a file
        read.extend(load_task_list(file, settings, home=here.home, names=KNOWN_NAMES).tasks)

    mistakes = check_all(loaded, read_list if file else None)
    if file is None:
        looked = ", ".join(DEFAULT_NAMES)
        hint = "write one with `agent-runner init`, or name it with --tasks"
        message = f"there is no task list here (looked for {looked})"
        mistakes += (Problem(str(folder), 0, 0, message, hint),)
    # where no task can be read, one that leaves everything to the configuration stands for all
    judged = tuple(read) or (Task("", "", "", folder.resolve()),)
    place = _place(tasks, file, folder, here)
    listed = TaskList(place.tasks_file.name, place.tasks_file, place.tasks_file.parent, judged)
    found = _news(examine(Project(place, listed, loaded, here), judged), mistakes)

    def of(*weights: Weight) -> tuple[Problem, ...]:
        return tuple(one.problem for one in found if one.weight in weights)

    return Checked(
        files=(*map(str, loaded.files), *([str(file)] if file else [])),
        warnings=(*loaded.warnings, *of(Weight.ODD), *_unbounded(loaded), *_absent(loaded, here)),
        problems=(*mistakes, *of(Weight.MISTAKE, Weight.FUTILE)),
        not_ready=of(Weight.NOT_READY, Weight.NOT_WRITABLE),
    )


def _place(named: Path | None, file: Path | None, folder: Path, here: Surroundings) -> Place:
    """Where the list is, or would be."""
    folder = folder.resolve()
    path = folder / (file.name if file else DEFAULT_NAMES[0])
    return Place(path, folder / FOLDER, invocation_of(named, None, here.entered))


def _news(found: tuple[Finding, ...], mistakes: tuple[Problem, ...]) -> list[Finding]:
    """Without what follows from a mistake at the same place: each is said once."""
    known = {str(one).partition(": ")[0] for one in mistakes if one.line}
    return [one for one in found if str(one.problem).partition(": ")[0] not in known]


def _unbounded(loaded: Loaded) -> Iterator[Problem]:
    """A warning for each hook without a time-out: if it hangs, so does the run, for ever."""
    for name, hook in loaded.settings.hooks.items():
        if hook.timeout is None:
            message = f"the hook {name} has no time-out: if it hangs, nothing ends it"
            hint = f"give it one, such as hooks: {{{name}: {{timeout: 10m}}}}"
            yield loaded.problem(f"hooks.{name}.command", message, hint)


def _absent(loaded: Loaded, here: Surroundings) -> Iterator[Problem]:
    """A warning for each hook whose program is not here, unless an earlier hook brings it."""
    for name, hook in loaded.settings.hooks.items():
        program = absent_program(hook.command, {**here.env, **hook.env}) if hook.command else ""
        if program:
            message = f"the hook {name} runs {program}, which is not installed here"
            yield loaded.problem(f"hooks.{name}.command", message)
