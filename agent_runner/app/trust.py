"""Nothing of the user's is sent where only a project's file wants it, unless the user agreed."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent_runner.app.place import Surroundings
from agent_runner.app.project import Project
from agent_runner.config import Loaded
from agent_runner.config.trusted import TrustedFiles
from agent_runner.ground.disk import Disk
from agent_runner.ground.escaping import on_one_line
from agent_runner.ground.redaction import Redactor
from agent_runner.model.errors import UsageError
from agent_runner.providers.catalogue import PROTOCOLS
from agent_runner.providers.keys import known_keys
from agent_runner.providers.listing import chosen
from agent_runner.providers.profiles import Profile
from agent_runner.providers.trust import Wish, wishes
from agent_runner.ui.output import Output


def reachable_providers(project: Project) -> list[str]:
    """All providers that a run may ask: also one that an earlier run left a call with."""
    return list(dict.fromkeys((*asked_providers(project), *project.settings.providers)))


def asked_providers(project: Project) -> list[str]:
    """The providers that the tasks of a project name, or that answer for those that name none."""
    names = [task.provider for task in project.tasks.tasks if task.provider]
    if any(task.provider is None for task in project.tasks.tasks):
        with contextlib.suppress(UsageError):  # who is asked is not clear: the run says so
            names.append(chosen(project.settings, project.surroundings.env).name)
    return list(dict.fromkeys(names))


def open_wishes(loaded: Loaded, names: Iterable[str], here: Surroundings) -> tuple[Wish, ...]:
    """What would be sent to these providers and the user has not agreed to yet."""
    found = wishes(names, loaded.settings, loaded.users, here.env)
    if not found or _is_in_trusted_folder(loaded, here):
        return ()
    return () if trusted_files(here).trusts(loaded.project_files) else found


def wishes_of_all(loaded: Loaded, here: Surroundings) -> tuple[Wish, ...]:
    """What any provider of this configuration would send beyond what the user said."""
    return wishes(loaded.settings.providers, loaded.settings, loaded.users, here.env)


def demand_trust(loaded: Loaded, names: Iterable[str], here: Surroundings) -> None:
    """Ask the user about what would be sent, once for each content of the project's files.

    Raises UsageError where the user says no, or where nobody can be asked.
    """
    found = open_wishes(loaded, names, here)
    if not found:
        return
    lines = tuple(lines_of(found, loaded, here))
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "\n".join(lines),
            fix="if that is what you want, trust these files as they are now; else correct them",
            command=("trust",),
        )
    screen = Output(sys.stderr)
    for line in (*lines, "send them there, as long as these files stay as they are? [y/N]"):
        screen.line(line)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise UsageError("nothing was sent: this project is not trusted", command=("trust",))
    trusted_files(here).add(loaded.project_files)


def demand_trusted_plug_in(loaded: Loaded, profile: Profile, here: Surroundings) -> None:
    """Raise UsageError where only a project's file says what a plug-in is to start.

    A plug-in may start a program that its `params` name. Who types `run` in a project asks for what
    the project runs; who only looks whether a provider answers does not.
    """
    lines = [line for name, line in _plug_ins(loaded) if name == profile.name]
    is_trusted = _is_in_trusted_folder(loaded, here) or trusted_files(here).trusts(
        loaded.project_files
    )
    if lines and not is_trusted:
        fix = "if that is what you want, trust these files as they are now"
        raise UsageError("\n".join(lines), fix=fix, command=("trust",))


def plug_in_lines(loaded: Loaded) -> tuple[str, ...]:
    """A line for each plug-in whose settings stand in a project's file."""
    return tuple(on_one_line(line) for _, line in _plug_ins(loaded))


def _plug_ins(loaded: Loaded) -> Iterator[tuple[str, str]]:
    for name, own in loaded.settings.providers.items():
        options = (f"providers.{name}.{option}" for option in ("command", "params", "protocol"))
        where = next(
            (loaded.origin(option) for option in options if loaded.is_projects(option)), ""
        )
        if where and own.protocol is not None and own.protocol not in PROTOCOLS:
            yield name, f"{where}: this project says what the plug-in {own.protocol} is to start"
        elif where and (own.protocol == "command" or own.command):
            yield name, f"{where}: this project says which command {name} is to start"


def lines_of(found: Iterable[Wish], loaded: Loaded, here: Surroundings) -> Iterator[str]:
    """What would be sent, where to, and because of which line; then what changed in the files."""
    redactor = Redactor(known_keys(loaded.settings, here.env))
    yield "a file of this project, and not you, decides where a secret of yours goes:"
    for wish in found:
        asking = (option for option in wish.options if loaded.is_projects(option))
        where = next(map(loaded.origin, asking), "this project")
        line = (
            f"  {where}: {wish.secret} would be sent to {wish.address} (provider {wish.provider})"
        )
        yield redactor.text(on_one_line(line))
    changes = trusted_files(here).changes(loaded.project_files)
    if changes:
        yield "you trusted these files before; since then they have changed:"
        yield from (f"  {redactor.text(on_one_line(line))}" for line in changes)


def trusted_files(here: Surroundings) -> TrustedFiles:
    """The record in the user's home folder."""
    return TrustedFiles(here.home / ".agent-runner", Disk())


def _is_in_trusted_folder(loaded: Loaded, here: Surroundings) -> bool:
    named = (
        here.home / one[1:].lstrip("/") if one.startswith("~") else Path(one)
        for one in loaded.users.trust
    )
    folders = [folder.resolve() for folder in named if folder.is_absolute()]
    return all(
        any(file.resolve().is_relative_to(folder) for folder in folders)
        for file in loaded.project_files
    )
