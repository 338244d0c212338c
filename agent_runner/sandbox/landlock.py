"""Confinement by Landlock (Linux 6.7 and later): `launcher.py` takes rights away and keeps watch.

Landlock knows files by rights that only grow towards the leaves. So nothing below a writable folder
can be masked or made read-only, names in masked folders can be listed, and modes, owners and times
can be changed. It says nothing of UDP, or of sockets that have a path: those are refused by
seccomp. With shared memory refused as well, Python's multiprocessing does not work. What a caller
wanted and does not get is in `Wrapped.gaps`.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from agent_runner.sandbox.confinement import Confinement, Copied, Wrapped
from agent_runner.sandbox.environment import WITHOUT_SOCKETS
from agent_runner.sandbox.places import Place, Rule, relocated, unmounted

LAUNCHER = Path(__file__).with_name("launcher.py")

LOWEST_ABI = 4
"""With 3 it stops no TCP; with 2 and less, what is not writable can still be truncated."""

_CREATE_RULESET = 444  # the number of the system call on every machine but Alpha
_VERSION = 1  # its flag that asks for the ABI


MACHINES = frozenset({"x86_64", "aarch64"})
"""Whose system calls the launcher knows."""


def abi() -> int:
    """Which Landlock this kernel has; 0 for none, and on machines that are not known."""
    if sys.platform != "linux" or os.uname().machine not in MACHINES:
        return 0
    import ctypes  # lazy: every run imports this file, and few need it

    return max(0, int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, _VERSION)))


def wrapped(_program: str, command: Sequence[str], confinement: Confinement, cwd: Path) -> Wrapped:
    """The command under the launcher."""
    found = unmounted(confinement)
    writable = [str(one.source) for one in found if one.rule in {Rule.WRITABLE, Rule.MOUNTED}]
    readable = [str(one.source) for one in found if one.rule is Rule.READ_ONLY]
    masked = [str(one.source) for one in found if one.rule is Rule.MASKED]
    mode = "tcp" if confinement.network else "closed"
    words = launched(mode, command, writable, readable, masked)
    place = relocated(cwd, confinement.mount)
    return Wrapped(words, place, WITHOUT_SOCKETS, tuple(_gaps(confinement, found)))


def launched(
    mode: str,
    command: Sequence[str],
    writable: Iterable[str] = (),
    readable: Iterable[str] = (),
    masked: Iterable[str] = (),
) -> tuple[str, ...]:
    """The words that start the launcher; see there."""
    started = (sys.executable, "-I", "-S", str(LAUNCHER), mode)
    return (*started, *writable, "", *readable, "", *masked, "", *command)


def _gaps(confinement: Confinement, found: Sequence[Place]) -> Iterator[str]:
    open_below = [one.source for one in found if one.rule in {Rule.WRITABLE, Rule.MOUNTED}]
    for one in found:
        if one.rule in {Rule.READ_ONLY, Rule.MASKED} and any(
            one.source != folder and one.source.is_relative_to(folder) for folder in open_below
        ):
            verb = "read" if one.rule is Rule.MASKED else "written"
            yield f"{one.path} can be {verb}"
    if isinstance(confinement.mount, Copied):
        yield f"the copy is not at {confinement.mount.original}"
