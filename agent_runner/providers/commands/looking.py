"""What is known of a command without spending anything: where it is, its version, its login."""

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from agent_runner.model.errors import UsageError
from agent_runner.providers.commands.presets import preset_of
from agent_runner.providers.commands.reader import one_line
from agent_runner.providers.commands.starting import did_not_start
from agent_runner.providers.commands.surroundings import found, installed, login_of, require_visible
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


def look(profile: Profile, writable: Iterable[str] = (), project: Path | None = None) -> Found:
    """Look for a command; `writable`: what its sandbox may write, as the settings say it.
    Only one that is known by name is started, with `--version` alone.

    What a configuration says that is to be started is never started for a mere look: it may be a
    project's. Raises UsageError for a configuration that cannot work.
    """
    preset = preset_of(profile)
    try:
        program = found(preset, profile, project)
        require_visible(preset, profile, writable, project)
    except UsageError as error:
        return Found(preset.program, trouble=f"{error}; {error.fix}")
    known = profile.program is not None and not profile.program.words
    version, trouble = _version(program, profile) if known else ("", "")
    if trouble:
        trouble = f"{program} cannot be started: {trouble}; install it again: {preset.install}"
    return Found(f"{program} {version}".strip(), login_of(preset, profile), trouble)


def is_there(profile: Profile, project: Path | None = None) -> bool:
    """Whether its program is installed."""
    try:
        return installed(preset_of(profile), profile, project) is not None
    except UsageError:
        return False


def _version(program: str, profile: Profile) -> tuple[str, str]:
    """What it says of its version, on one line; and why it cannot be started."""
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
    except subprocess.TimeoutExpired:
        return "", ""
    except OSError as error:
        return "", error.strerror or str(error)
    if done.returncode == 0:
        return done.stdout.strip().partition("\n")[0][:60], ""
    if did_not_start(done.returncode, done.stderr):
        return "", one_line(done.stderr[-200:]) or f"exit code {done.returncode}"
    return "", ""
