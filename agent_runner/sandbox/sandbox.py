"""The sandbox of this machine: makes of a command the words that start it confined."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from agent_runner.model.errors import InvariantError
from agent_runner.sandbox import bubblewrap, landlock, seatbelt
from agent_runner.sandbox.confinement import Confinement, Overlay, Tier, Wrapped
from agent_runner.sandbox.places import relocated

LAUNCHER_NAME, SETUP_FAILED = "agent-runner sandbox", 125
"""What `launcher.py` says and ends with where it cannot start a command."""

Wrapper: TypeAlias = Callable[[str, Sequence[str], Confinement, Path], Wrapped]


def _unconfined(
    _program: str, command: Sequence[str], confinement: Confinement, cwd: Path
) -> Wrapped:
    """The command with nothing held but that all it started ends with it, on Linux."""
    gaps = ["it can read, write and reach whatever the user can"]
    argv = tuple(command)
    if sys.platform == "linux":
        argv = landlock.launched("free", command)
    else:
        gaps.append("what it starts in a session of its own may outlive it")
    return Wrapped(argv, relocated(cwd, confinement.mount), {}, tuple(gaps))


_WRAPPERS: Mapping[Tier, Wrapper] = {
    Tier.BWRAP_OVERLAY: bubblewrap.wrapped,
    Tier.BWRAP: bubblewrap.wrapped,
    Tier.LANDLOCK: landlock.wrapped,
    Tier.SEATBELT: seatbelt.wrapped,
    Tier.NONE: _unconfined,
}


def setup_failure(exit_code: int, output: str) -> str:
    """What kept a confined command from being started; "" if it was, as far as a look tells.

    `output` is the beginning of it. `bwrap` ends with 1 then, as a command may; but it has said one
    line in its own name, and nothing else. A command that pretends so has not passed anyway.
    """
    first, _, rest = output.strip().partition("\n")
    name, _, said = first.partition(": ")
    fits = (name, exit_code) in {("bwrap", 1), (LAUNCHER_NAME, SETUP_FAILED)}
    return said if fits and not rest else ""


@frozen
class Sandbox:
    """What `probe` found here; the same for a whole run.

    Attributes:
        tier: The strongest means that works.
        program: The program that confines, "" for none.
        version: Of what confines: `0.11.0` (bwrap), `ABI 7` (Landlock); "" where there is none.
        why: Why no stronger tier works, in words for people; "" with the strongest.
    """

    tier: Tier
    program: str = ""
    version: str = ""
    why: str = ""

    def wrapped(self, command: Sequence[str], confinement: Confinement, *, cwd: Path) -> Wrapped:
        """How `command` is started confined in `cwd`, as the command is to see that path.

        Raises:
            InvariantError: an overlay is wanted, and the tier has none (see `Tier.overlays`).
        """
        if isinstance(confinement.mount, Overlay) and not self.tier.overlays:
            raise InvariantError(f"{self.tier} has no overlays")
        return _WRAPPERS[self.tier](self.program, command, confinement, cwd)

    @property
    def line(self) -> str:
        """One line for people: what confines here, and why nothing stronger does."""
        name = f"{self.tier} {self.version}".strip()
        return name + (f" ({self.why})" if self.why else "")
