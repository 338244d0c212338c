"""What a run would not begin with, or would have to mention: judged once, for all who tell it.

`run` and `config validate` both ask `examine`, so that neither knows of a fault that the other does
not. A new check before a run is one more function in this file.
"""

import enum
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path

from attrs import define, field, frozen

from agent_runner.app.bounds import judge_limits
from agent_runner.app.commit_rules import judge_commits
from agent_runner.app.project import Project
from agent_runner.app.sandboxing import confining_of, judge_sandbox
from agent_runner.app.trust import lines_of, open_wishes, reachable_providers
from agent_runner.engine.calls.clients import Clients, Provider
from agent_runner.ground.clock import SystemClock
from agent_runner.ground.disk import storage_errors
from agent_runner.ground.globs import Globs
from agent_runner.ground.presence import is_file
from agent_runner.hooks.scripts import judges_of
from agent_runner.limits.contradictions import Kind
from agent_runner.model.errors import InputError, Problem, StateError, UsageError
from agent_runner.model.task import Task
from agent_runner.prompts.build import check_template
from agent_runner.providers.obstacles import obstacles
from agent_runner.providers.profiles import outline
from agent_runner.providers.registry import make_client
from agent_runner.tasks import locate
from agent_runner.workspace.names import Scope, file_names


class Weight(enum.Enum):
    """How bad it is."""

    MISTAKE = enum.auto()
    """In what was written; no run begins with it."""
    NOT_READY = enum.auto()
    """On this machine: a key, a right or the user's consent is missing; no run begins without."""
    NOT_WRITABLE = enum.auto()
    """A folder that a run writes to refuses it; no run begins."""
    FUTILE = enum.auto()
    """A mistake that a run only mentions, since it may never come to matter."""
    ODD = enum.auto()
    """Allowed, and probably not meant."""


@frozen
class Finding:
    """One thing that was found.

    `about_limits`: a run that ignores limits does not mind. `about_trust`: the user has not agreed
    yet to where keys would go.
    """

    weight: Weight
    problem: Problem
    about_limits: bool = False
    about_trust: bool = False

    @property
    def forbids_run(self) -> bool:
        """Whether no run begins with it."""
        return self.weight in {Weight.MISTAKE, Weight.NOT_READY, Weight.NOT_WRITABLE}


def examine(
    project: Project, tasks: Iterable[Task], names: Callable[[Path], Iterable[str]] | None = None
) -> tuple[Finding, ...]:
    """Everything that can be known of a run of `tasks` before it begins, each thing once.

    `names`: paths of all files below a root, for a run that will need them, too. Nothing is called,
    run or sent, but for a command that does nothing, where a sandbox is wanted. Configuration and
    task list have been read without mistakes, or `project` has what could be made of them.
    """
    return tuple(dict.fromkeys(_Examination(project, tuple(tasks), names).all()))


@define
class _Examination:
    project: Project
    tasks: tuple[Task, ...]
    names: Callable[[Path], Iterable[str]] | None = None
    _asked: dict[Provider, None] = field(factory=dict)

    def all(self) -> Iterator[Finding]:
        yield from self._providers()
        yield from self._consent()
        yield from self._limits()
        yield from self._templates()
        yield from self._sandbox()
        yield from self._folders()
        yield from self._commits()
        yield from self._files()
        yield from self._programs()

    def _providers(self) -> Iterator[Finding]:
        """Whoever may be asked, fallbacks included; their keys need not be there to be judged."""
        for task in {(task.provider, task.model): task for task in self.tasks}.values():
            try:
                self._asked |= dict.fromkeys(self._clients.chain(task))
            except UsageError as error:
                yield Finding(Weight.MISTAKE, self._located(error, task))
        for one in self._asked:
            writable, folder = self.project.settings.sandbox.writable, self.project.tasks.folder
            for obstacle in obstacles(one.profile, writable, folder):
                yield Finding(Weight.MISTAKE, self._located(obstacle))
            try:
                one.profile.key.demand(one.name)
                one.profile.key.header()
            except UsageError as error:
                error.option = error.option or f"providers.{one.name}.api_key_env"
                yield Finding(Weight.NOT_READY, self._located(error))

    def _consent(self) -> Iterator[Finding]:
        loaded, here = self.project.loaded, self.project.surroundings
        wishes = open_wishes(loaded, reachable_providers(self.project), here)
        if wishes:
            text = "\n".join(lines_of(wishes, loaded, here))
            hint = f"agree with: {self.project.place.invocation.command('trust')}"
            problem = Problem(self._main_file, 0, 0, text, hint)
            yield Finding(Weight.NOT_READY, problem, about_trust=True)

    def _limits(self) -> Iterator[Finding]:
        weights = {
            Kind.UNPRICED: Weight.MISTAKE,
            Kind.NO_CALL_FITS: Weight.FUTILE,  # it may be that of a fallback
            Kind.NEVER_REACHED: Weight.ODD,
        }
        settings = self.project.settings
        asked = self._asked or self._with_limits()
        for kind, problem in judge_limits(self.project.loaded, settings, asked):
            yield Finding(weights[kind], problem, about_limits=True)

    def _with_limits(self) -> Iterator[Provider]:
        """Who may be asked where nothing decides it: whoever has limits."""
        for name in self.project.settings.rate_limits:
            with suppress(UsageError):
                yield from self._clients.chain(Task("", "", "", Path(), provider=name))

    def _templates(self) -> Iterator[Finding]:
        own = self.project.settings
        templates = [
            own.template,
            own.prompt.system_template,
            *(task.template for task in self.tasks),
        ]
        for template in dict.fromkeys(filter(None, templates)):
            if is_file(template):  # else it was noted where it is named
                for problem in check_template(template):
                    yield Finding(Weight.MISTAKE, problem)

    def _sandbox(self) -> Iterator[Finding]:
        """Hooks and commands that are to be confined, where they cannot be."""
        loaded = self.project.loaded
        judged = judge_sandbox(self.project, self.tasks, confining_of(self.project))
        for path, message, hint, is_mistake in judged:
            weight = Weight.MISTAKE if is_mistake else Weight.NOT_READY
            yield Finding(weight, loaded.problem(path, message, hint))

    def _folders(self) -> Iterator[Finding]:
        """Folders that the run writes to, or the nearest that is there of those still to come."""
        for root in dict.fromkeys([self.project.place.state_dir, *(t.root for t in self.tasks)]):
            folder = next(path for path in (root, *root.parents) if os.path.lexists(path))
            try:
                self.project.layout.check()
                with storage_errors(folder), tempfile.TemporaryFile(dir=folder):
                    pass
            except StateError as error:
                problem = Problem(self._shown(folder), 0, 0, str(error), error.fix)
                yield Finding(Weight.NOT_WRITABLE, problem)

    def _commits(self) -> Iterator[Finding]:
        roots, env = (task.root for task in self.tasks), self.project.surroundings.env
        for problem in judge_commits(self.project.loaded, self.project.settings, roots, env):
            yield Finding(Weight.MISTAKE, problem)

    def _files(self) -> Iterator[Finding]:
        """Globs of files to show that match nothing, so that the agent would see nothing of it."""
        known: dict[Path, frozenset[str]] = {}
        matched: dict[tuple[Path, str], bool] = {}
        for task in self.tasks:
            for pattern in (one for one in task.files if not one.startswith("!")):
                at = (task.root, pattern)
                if at not in matched:
                    if task.root not in known:
                        known[task.root] = self._names(task.root)
                    names = known[task.root]
                    matched[at] = pattern in names or any(map(Globs((pattern,)).covers, names))
                if not matched[at]:
                    message = f'files of {task.id}: nothing matches "{pattern}"'
                    hint = f"globs start from the task's folder, {task.path}"
                    place = self._in_list(task, "files", pattern)
                    yield Finding(Weight.ODD, Problem(*place, message, hint))

    def _programs(self) -> Iterator[Finding]:
        """Files that a task is about and that a hook runs: replies cannot change what judges.

        A hook that runs the program itself, rather than its tests, is often meant otherwise.
        """
        settings = self.project.settings
        for task in self.tasks:
            may_change = Globs((*settings.apply.may_change, *task.may_change))
            names = dict.fromkeys((*task.pre_hooks, *task.post_hooks))
            files = partial(self._names, task.root)
            for name in filter(settings.hooks.__contains__, names):
                judges = judges_of([settings.hooks[name]], task.root, files)
                for path in sorted(judges.scripts):
                    if not _is_about(task, path) or may_change.covers(path):
                        continue
                    message = f"{task.id} is about {path}, which the hook {name} runs: it judges,"
                    message += " so a reply that changes it is refused"
                    hint = f"if the task may change it: may_change: [{path}]"
                    is_listed = path in task.files
                    place = self._in_list(task, *(("files", path) if is_listed else ("id",)))
                    yield Finding(Weight.ODD, Problem(*place, message, hint))

    def _names(self, root: Path) -> frozenset[str]:
        with suppress(UsageError):  # git refuses: the run says so
            if self.names is not None:
                return frozenset(self.names(root))
            return frozenset(file_names(Scope(root, self.project.hidden)))
        return frozenset()

    @cached_property
    def _clients(self) -> Clients:
        settings, env = self.project.settings, self.project.surroundings.env
        return Clients(settings, env, partial(make_client, clock=SystemClock()), outline)

    @property
    def _main_file(self) -> str:
        """What a fault is reported under that stands in no line."""
        files = self.project.loaded.files or (self.project.place.tasks_file,)
        return self._shown(files[-1])

    def _shown(self, file: Path) -> str:
        cwd = self.project.surroundings.cwd
        return str(file.relative_to(cwd)) if file.is_relative_to(cwd) else str(file)

    def _located(self, error: UsageError, task: Task | None = None) -> Problem:
        """The error where its setting stands: in the task that names it, or in the configuration.

        A setting that is missing is missing where its provider is chosen.
        """
        loaded, key = self.project.loaded, error.option.rpartition(".")[2]
        if task is not None and key in {"provider", "model"} and getattr(task, key):
            return Problem(*self._in_list(task, key), str(error), error.fix)
        origin = loaded.nearest(error.option)
        if not origin and task is not None and task.provider:
            return Problem(*self._in_list(task, "provider"), str(error), error.fix)
        origin = origin or loaded.nearest("provider") or self._main_file
        return Problem(origin, 0, 0, str(error), error.fix)

    def _in_list(self, task: Task, key: str, item: str | None = None) -> tuple[str, int, int]:
        file = self.project.place.tasks_file
        try:
            line, column = locate(file, task.id, key, item)
        except InputError:
            line, column = task.line, 1
        return self._shown(file), line, column


def _is_about(task: Task, path: str) -> bool:
    """Whether the task lists the file, or names it in its words."""
    word = rf"(?<![\w./-]){re.escape(path)}(?![\w/-])"
    return path in task.files or re.search(word, f"{task.title}\n{task.description}") is not None
