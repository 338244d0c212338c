"""Where a command's program is, and what it gets of the environment: one key, if it needs one."""

import os
import shutil
from pathlib import Path

from agent_runner.model.errors import UsageError
from agent_runner.providers.commands.ending import MARK
from agent_runner.providers.commands.preset import Asking, Preset, home
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


def missing(preset: Preset, name: str) -> UsageError:
    """The error of a command that is not installed."""
    install = f"install it with `{preset.install}`, or " if preset.install else ""
    return UsageError(
        f'provider "{name}" needs the command {preset.program}, which is not on PATH',
        fix=f"{install}give its whole path in providers.{name}.command",
        option=f"providers.{name}.command",
    )


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
