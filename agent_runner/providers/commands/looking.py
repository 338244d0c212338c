"""What is known of a command without spending anything: where it is, its version, its login."""

import subprocess
import tempfile
from pathlib import Path

from attrs import frozen

from agent_runner.model.errors import UsageError
from agent_runner.providers.commands.presets import preset_of
from agent_runner.providers.commands.surroundings import installed, login_of, missing
from agent_runner.providers.profiles import Profile

_LONGEST = 10.0  # seconds that a program may take to say its version


@frozen
class Found:
    """A command as it was found.

    Attributes:
        where: Its program and, where it could be asked, its version.
        login: The variable with its key, or where its own login was found; "" where nothing is.
        trouble: Why it cannot be used; "" if nothing is in its way, as far as can be told.
    """

    where: str = ""
    login: str = ""
    trouble: str = ""


def look(profile: Profile, project: Path | None = None) -> Found:
    """Look for a command. Only one that is known by name is started, with `--version` alone.

    What a configuration says that is to be started is never started for a mere look: it may be a
    project's. Raises UsageError for a configuration that cannot work.
    """
    preset = preset_of(profile)
    program = installed(preset, profile, project)
    if program is None:
        error = missing(preset, profile.name)
        return Found(preset.program, trouble=f"{error}; {error.fix}")
    known = profile.program is not None and not profile.program.words
    version = _version(program, profile) if known else ""
    return Found(f"{program} {version}".strip(), login_of(preset, profile))


def is_there(profile: Profile, project: Path | None = None) -> bool:
    """Whether its program is installed."""
    try:
        return installed(preset_of(profile), profile, project) is not None
    except UsageError:
        return False


def _version(program: str, profile: Profile) -> str:
    """What it says of its version, on one line; "" where it does not."""
    env = dict(profile.program.env) if profile.program is not None else {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [program, "--version"],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_LONGEST,
                check=False,
            )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().partition("\n")[0][:60] if done.returncode == 0 else ""
