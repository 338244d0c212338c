"""What `doctor` looks at: the state, and what a run stands on beside it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from agent_runner.app.findings import examine as judged
from agent_runner.app.place import Place, Surroundings, locate, project_folder
from agent_runner.app.project import Project, load
from agent_runner.app.sandboxing import sandbox_of
from agent_runner.app.sharing import COPIES, LEDGER
from agent_runner.app.trust import open_wishes
from agent_runner.ground.clock import SystemClock
from agent_runner.ground.disk import reason_of
from agent_runner.limits.ledger import Ledger
from agent_runner.model.errors import AgentRunnerError, StateError, UsageError
from agent_runner.model.settings import Settings
from agent_runner.providers.commands.presets import PRESETS
from agent_runner.providers.commands.surroundings import found, installed
from agent_runner.providers.profiles import sketch
from agent_runner.sandbox.probe import INSTALL
from agent_runner.store.examination import Finding, examine, mend
from agent_runner.store.layout import FOLDER, Layout
from agent_runner.store.lock import StateLock
from agent_runner.ui.words import plural
from agent_runner.workspace.command import available
from agent_runner.workspace.git import Repository
from agent_runner.workspace.locks import locks

_LEAST_FREE = 100 * 1024 * 1024
"""Bytes: an answer, its request and the images of what it changes fit many times over."""


@frozen
class Examined:
    """What was found, and where mending put what it took out of its place."""

    findings: tuple[Finding, ...]
    aside: Path | None = None

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be done."""
        return all(finding.is_good for finding in self.findings)


def examined(
    tasks: Path | None, state_dir: Path | None, here: Surroundings, *, fix: bool
) -> Examined:
    """Look at everything; with `fix` mend the state first, and look again.

    Raises StateError where mending is asked for and a run is on, or the disk refuses.
    """
    try:
        place = locate(tasks, state_dir, here)
    except UsageError:
        place = None
    usual = here.cwd / state_dir if state_dir else project_folder(here) / FOLDER
    state = place.state_dir if place else usual.absolute()
    layout, aside = Layout(state), None
    if fix and layout.folder.is_dir() and not layout.folder.is_symlink():
        aside = _mended(layout, place.tasks_file.parent if place else state.parent)
    found = (*examine(layout), *_around(tasks, place, here, state))
    return Examined(found, aside)


def _mended(layout: Layout, project: Path) -> Path | None:
    misplaced = [one for one in examine(layout) if one.part == "places"]
    aside = mend(misplaced, layout)  # the lock may be what is not in its place
    lock = StateLock(layout, project)
    lock.acquire(SystemClock().now())
    try:
        return mend(list(examine(layout, held=True)), layout) or aside
    finally:
        lock.release()


def _around(
    tasks: Path | None, place: Place | None, here: Surroundings, state: Path
) -> Iterator[Finding]:
    yield _space(state)
    yield _ledger(here)
    yield from _copies(here)
    yield _git(state.parent)
    yield _sandbox(state.parent, here)
    yield _commands(state.parent, here)
    if place is None:
        text = f"there is no task list {tasks or 'here'}"
        yield Finding("task list", text, is_good=False, fix="agent-runner init writes one")
        return
    try:
        project = load(place, here)
    except AgentRunnerError as error:
        yield Finding("configuration", str(error), is_good=False, fix=error.fix)
        return
    yield from _configuration(project)
    wishes = open_wishes(project.loaded, project.settings.providers, here)
    if wishes:
        secrets = plural(len(wishes), "secret")
        text = f"files of this project would send {secrets} of yours where you did not"
        fix = f"look at them and agree: {place.invocation.command('trust')}"
        yield Finding("trust", text, is_good=False, fix=fix)
    else:
        yield Finding("trust", "no key goes where you did not send it")


def _configuration(project: Project) -> Iterator[Finding]:
    """All that a run would not begin with, as `config validate` says it, but for trust."""
    found = [one for one in judged(project, project.tasks.tasks) if one.forbids_run]
    for one in found:
        if not one.about_trust:
            text = str(one.problem._replace(hint=""))
            yield Finding("configuration", text, is_good=False, fix=one.problem.hint)
    if all(one.about_trust for one in found):
        yield Finding("configuration", f"{plural(len(project.tasks), 'task')}, no mistake")


def _space(state: Path) -> Finding:
    place = next(one for one in (state, *state.parents) if one.is_dir())
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Finding("disk", f"{place}: {reason_of(error)}", is_good=False)
    text = f"{free // (1024 * 1024)} MB are free"
    if not os.access(place, os.W_OK):
        return Finding(
            "disk", f"{place} cannot be written", is_good=False, fix="fix its permissions"
        )
    return Finding("disk", text, is_good=free >= _LEAST_FREE, fix="make room: a run needs some")


def _ledger(here: Surroundings) -> Finding:
    ledger = Ledger(here.home / LEDGER, "", SystemClock())
    try:
        ledger.others()
    except StateError as error:
        return Finding("ledger", str(error), is_good=False, fix=error.fix)
    finally:
        ledger.close()
    return Finding("ledger", f"{here.home / LEDGER} can be read")


def _copies(here: Surroundings) -> Iterator[Finding]:
    try:
        left = len(list((here.home / COPIES).iterdir()))
    except OSError:
        return
    if left:
        yield Finding("copies", f"{left} scratch copies in {here.home / COPIES}; a run sweeps them")


def _sandbox(project: Path, here: Surroundings) -> Finding:
    """What confines hooks and commands that are to be confined."""
    found = sandbox_of(here, project)
    fix = "" if found.tier.confines else f"; where a sandbox is wanted, {INSTALL}"
    return Finding("sandbox", f"{found.line}{fix}")


def _commands(project: Path, here: Surroundings) -> Finding:
    """Agents' commands that could be asked; none is started, and none of the project's counts."""
    named, troubles = [], []
    for name, preset in PRESETS.items():
        profile = sketch(name, Settings(), here.env)
        if installed(preset, profile, project) is None:
            continue
        try:
            named.append(f"{name} ({found(preset, profile, project)})")
        except UsageError as error:
            troubles.append(f"{error}; {error.fix}")
    none = f"none is installed of {', '.join(PRESETS)}; none is needed"
    text = "; ".join([", ".join(named), *troubles] if named else troubles) or none
    return Finding("commands", text)


def _git(project: Path) -> Finding:
    if not available():
        return Finding("git", "it is not installed; nothing needs it but commits and ignore rules")
    try:
        repository = Repository.around(project)
    except UsageError as error:
        return Finding("git", str(error), is_good=False, fix=error.fix)
    if repository is None:
        return Finding("git", f"{project} is in no repository")
    held = [str(lock) for lock in locks(repository) if os.path.lexists(lock)]
    if held:
        fix = f"close what uses git here; if nothing does, remove {' and '.join(held)}"
        return Finding("git", f"{', '.join(held)}: held, or left", is_good=False, fix=fix)
    return Finding("git", f"{project} is in a repository that nothing locks")
