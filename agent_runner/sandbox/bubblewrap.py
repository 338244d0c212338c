"""The words of `bwrap`: the whole disk read-only, then one mount for every place that differs.

Learnt from bubblewrap 0.8 and 0.11 by running them. Mounts are made in the order of the words, so
the shorter path comes first. `bwrap` makes a place to mount on where there is none, and fails where
the disk is read-only: so only what exists is mounted.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from agent_runner.sandbox.confinement import Confinement, Overlay, Wrapped
from agent_runner.sandbox.environment import WITHOUT_SOCKETS
from agent_runner.sandbox.overlay_upper import UPPER, WORK
from agent_runner.sandbox.places import Place, Rule, places

EMPTIED = (Path("/tmp"), Path("/var/tmp"), Path("/run"))  # noqa: S108 - not ours: the command's
"""Folders that the command gets empty and writable ones for. In /run are the sockets by which it
could have a service work for it, outside: D-Bus, systemd, docker."""

_NEEDED_OF_RUN = tuple(
    Path("/run", name)
    for name in (
        *("systemd/resolve", "resolvconf", "NetworkManager/resolv.conf"),  # names of hosts
        *("current-system", "booted-system", "wrappers", "opengl-driver"),  # programs on NixOS
    )
)


def wrapped(program: str, command: Sequence[str], confinement: Confinement, cwd: Path) -> Wrapped:
    """The command under `bwrap`."""
    words = [program, "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL"]
    if not confinement.network:
        words.append("--unshare-net")
    words += ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    # root needs no capability to write there: a core_pattern names a program to run outside
    words += ["--remount-ro", "/proc"]
    for folder in EMPTIED:
        if folder.is_dir() and not folder.is_symlink():
            words += ["--tmpfs", str(folder)]
    for path in _NEEDED_OF_RUN:
        words += ["--ro-bind-try", str(path), str(path)]
    for place in places(confinement):
        words += _mounted(place, confinement)
    words += ["--chdir", str(cwd), "--", *command]
    return Wrapped(tuple(words), Path("/"), {**WITHOUT_SOCKETS, "TMPDIR": "/tmp"})  # noqa: S108 - its own


def _mounted(place: Place, confinement: Confinement) -> Iterator[str]:
    path, source = str(place.path), str(place.source)
    match place.rule, confinement.mount:
        case Rule.MOUNTED, Overlay(kept=None):
            yield from ("--overlay-src", source, "--tmp-overlay", path)
        case Rule.MOUNTED, Overlay(kept=Path() as kept):
            yield from ("--overlay-src", source, "--overlay")
            yield from (str(kept / UPPER), str(kept / WORK), path)
        case Rule.MOUNTED | Rule.WRITABLE, _:
            yield from ("--bind", source, path)
        case Rule.READ_ONLY, _:
            yield from ("--ro-bind", source, path)
        case Rule.MASKED, _ if place.source.is_dir():
            yield from ("--tmpfs", path)
        case Rule.MASKED, _:  # a device on a mount that allows none: whoever opens it is refused
            yield from ("--ro-bind", "/dev/null", path)
