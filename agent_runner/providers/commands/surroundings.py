"""Where a command's program is, and what it gets of the environment: one key, if it needs one."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from agent_runner.model.errors import UsageError
from agent_runner.providers.commands.ending import MARK
from agent_runner.providers.commands.preset import Asking, Preset, home
from agent_runner.providers.commands.starting import hidden, obstacle
from agent_runner.providers.profiles import Profile

_GITS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")
"""Variables by which git in the copy would work in another repository."""


def installed(preset: Preset, profile: Profile, project: Path | None = None) -> str | None:
    """The absolute path of a command's program; None where it is not installed.

    It is looked for on PATH, and there never in the project: a file of a repository must not stand
    in for a program that gets a key. Or it is given as a whole path.
    """
    env = profile.program.env if profile.program is not None else {}
    if os.sep in preset.program:
        path = Path(preset.program).expanduser()
        there = path.is_absolute() and path.is_file() and os.access(path, os.X_OK)
        return str(path) if there else None
    folders = [Path(name) for name in env.get("PATH", os.defpath).split(os.pathsep)]
    outside = [
        str(folder)
        for folder in folders
        if folder.is_absolute() and not _is_inside(folder, project, home(env))
    ]
    return shutil.which(preset.program, path=os.pathsep.join(outside))


def found(preset: Preset, profile: Profile, project: Path | None = None) -> str:
    """The same, of a program that can be started as far as a look tells. Raises UsageError."""
    program, option = installed(preset, profile, project), f"providers.{profile.name}.command"
    env = profile.program.env if profile.program is not None else {}
    if program is None:
        path = Path(preset.program).expanduser()
        install = f"install it with `{preset.install}`, or " if preset.install else ""
        what, fix = "which is not on PATH", f"{install}give its whole path in {option}"
        if os.sep in preset.program and not path.is_absolute():
            what, fix = "which is no whole path", f"begin {option} with /, or with a name on PATH"
        elif os.sep in preset.program:
            what = "which is no file that may be run" if path.exists() else "which is not there"
            fix = f"correct {option}" + (f", or chmod +x {path}" if path.is_file() else "")
        raise UsageError(
            f'provider "{profile.name}" needs the command {preset.program}, {what}',
            fix=fix,
            option=option,
        )
    trouble = obstacle(program, env)
    if trouble:
        raise UsageError(
            f'provider "{profile.name}": {trouble}', fix=f"correct {option}", option=option
        )
    return program


def require_visible(
    preset: Preset, profile: Profile, writable: Iterable[str], project: Path | None
) -> None:
    """Raise UsageError where its sandbox would hide the program, as far as a look tells.

    `writable`: what the user lets all that is confined write, as the settings say it.
    """
    program = installed(preset, profile, project)
    env = profile.program.env if profile.program is not None else {}
    if program is None:
        return
    seen = [
        home(env) / path.removeprefix("~").lstrip("/")
        if path == "~" or path.startswith("~/")
        else (project or Path()) / path
        for path in writable
    ]
    trouble = hidden(program, preset, sandbox_of(preset, profile), seen, env)
    if trouble:
        raise UsageError(
            f'provider "{profile.name}": {trouble}',
            fix=f"install it elsewhere, or set providers.{profile.name}.params.sandbox to off",
            option=f"providers.{profile.name}.command",
        )


def sandbox_of(preset: Preset, profile: Profile) -> str:
    """How it is confined, as `Outfit.sandbox`."""
    return str(profile.params.get("sandbox", preset.sandbox))


def environment(preset: Preset, profile: Profile, asking: Asking, folder: Path) -> dict[str, str]:
    """The variables of one call.

    The clock is UTC, so that the time of a reset is what it says; temporary files go into a private
    folder, where no copy of another is.
    """
    given = dict(profile.program.env) if profile.program is not None else {}
    for name in _GITS:
        given.pop(name, None)
    return {
        **given,
        "TZ": "UTC",
        "TMPDIR": str(asking.beside / "tmp"),
        "PWD": str(folder),
        MARK: str(folder),
        **preset.environment(asking),
        **key_of(preset, profile),
    }


def key_of(preset: Preset, profile: Profile) -> dict[str, str]:
    """The variable with the one key that the command gets; none where it is logged in by itself.

    A key in the environment wins over a login in these commands, and would be billed where a
    subscription is meant: so one that the settings do not name is passed only without a login.
    """
    key = profile.key
    secret, origin = key.secret(), key.origin
    if not secret or key.in_headers:
        return {}
    is_named = key.needed or origin == "configuration"
    if not is_named and _login(preset, profile) not in {"", origin}:
        return {}
    first = key.variables[0].name if key.variables else ""
    name = first if origin == "configuration" else origin
    return dict.fromkeys({name, preset.key_names.get(name, name)} - {""}, secret)


def login_of(preset: Preset, profile: Profile) -> str:
    """What can be known of a login without asking; "" for nothing.

    A variable's name where a key is passed, else where the command's own login was found.
    """
    passed = next(iter(sorted(key_of(preset, profile))), "")
    return passed or _login(preset, profile)


def words_of(profile: Profile, name: str) -> tuple[str, ...]:
    """A parameter that is a list of words. Raises UsageError for anything else."""
    value = profile.params.get(name, ())
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise UsageError(
            f"providers.{profile.name}.params.{name}: a list of texts is needed",
            option=f"providers.{profile.name}.params",
        )
    return tuple(value)


def _login(preset: Preset, profile: Profile) -> str:
    """A login of the command's own; the name of the variable where it is one."""
    env = dict(profile.program.env) if profile.program is not None else {}
    return preset.login({**env, profile.key.origin: profile.key.secret() or ""})


def _is_inside(folder: Path, project: Path | None, at_home: Path) -> bool:
    """Whether a folder belongs to the project; nothing does to one that holds the user's home."""
    if project is None or at_home.is_relative_to(project.resolve()):
        return False
    return folder.resolve().is_relative_to(project.resolve())
