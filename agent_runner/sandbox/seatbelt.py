"""The profile of macOS's `sandbox-exec`: all may be read, little written.

The last rule that fits a path holds. Deprecated by Apple, and used by Codex, Claude Code and
gemini-cli. Not run by us: the tests compare texts. It has no mounts, so
a copy is used at its own path, and no processes of its own: what a command starts in a session of
its own may outlive it.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent_runner.sandbox.confinement import Confinement, Wrapped
from agent_runner.sandbox.environment import WITHOUT_SOCKETS
from agent_runner.sandbox.places import Place, Rule, relocated, unmounted

_DEVICES = (
    "/dev/null",
    "/dev/zero",
    "/dev/tty",
    "/dev/dtracehelper",
    "/dev/random",
    "/dev/urandom",
)
_TEMPORARY = ("/private/tmp", "/private/var/tmp", "/private/var/folders")


def wrapped(program: str, command: Sequence[str], confinement: Confinement, cwd: Path) -> Wrapped:
    """The command under `sandbox-exec`."""
    gaps = ("what it starts in a session of its own may outlive it",)
    argv = (program, "-p", profile(confinement), *command)
    return Wrapped(argv, relocated(cwd, confinement.mount), WITHOUT_SOCKETS, gaps)


def profile(confinement: Confinement) -> str:
    """The profile as text."""
    return "\n".join(_rules(confinement)) + "\n"


def _rules(confinement: Confinement) -> Iterator[str]:
    yield "(version 1)"
    yield "(allow default)"
    yield "(deny file-write*)"
    for folder in _TEMPORARY:
        yield f"(allow file-write* (subpath {json.dumps(folder)}))"
    for device in _DEVICES:
        yield f"(allow file-write* (literal {json.dumps(device)}))"
    yield '(allow file-write* (regex #"^/dev/(ttys|fd/)"))'
    for place in unmounted(confinement):
        yield from _rule(place)
    if not confinement.network:
        yield "(deny network*)"
        yield '(allow network* (local ip "localhost:*"))'
        yield '(allow network* (remote ip "localhost:*"))'


def _rule(place: Place) -> Iterator[str]:
    where = f"(subpath {json.dumps(str(place.source), ensure_ascii=False)})"
    match place.rule:
        case Rule.WRITABLE | Rule.MOUNTED:
            yield f"(allow file-read* file-write* {where})"
        case Rule.READ_ONLY:
            yield f"(deny file-write* {where})"
        case Rule.MASKED:
            yield f"(deny file-read* file-write* {where})"
