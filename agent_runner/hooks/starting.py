"""Starts a command in a session of its own: at once, or held until its start is written down."""

import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from agent_runner.ground.processes import ProcessTable, this_machine
from agent_runner.hooks.child import Child
from agent_runner.hooks.session import Graces, Session
from agent_runner.hooks.watch import WatchFactory, watch_exit

SHELL = "/bin/sh"
"""POSIX's place for it; the hook's own PATH may lack one."""

_HELD = 'read -r go && exec "$@" < /dev/null'
"""What stands in for a held command until a line lets it go; without one it never begins."""


def start_command(  # noqa: PLR0913 - what a command is started with, and what watches it, by name
    command: str | tuple[str, ...],
    *,
    cwd: Path | None,
    env: Mapping[str, str],
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    watch: WatchFactory = watch_exit,
    graces: Graces | None = None,
    table: ProcessTable | None = None,
) -> Child:
    """Start `command`: a string by `sh -c`, a tuple directly. Output and errors go into one pipe.

    Raises OSError (no such program, not executable, too many arguments) and ValueError (a NUL).
    """
    words = words_of(command)
    output, written = os.pipe()
    try:
        # no preexec_fn: it would fork the whole interpreter (2 ms, 35 ms from a large parent)
        popen = subprocess.Popen(
            words,
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            close_fds=True,
        )
    except BaseException:
        os.close(output)
        raise
    finally:
        os.close(written)
    session = Session(popen.pid, table or this_machine())
    try:
        os.set_blocking(output, False)
        return Child(popen.pid, watch(popen.pid), output, popen, graces or Graces(), session)
    except BaseException:  # no descriptor left to watch it with: it must not run unwatched
        os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()
        os.close(output)
        raise


def start_held_command(
    command: str | tuple[str, ...],
    *,
    cwd: Path,
    env: Mapping[str, str],
    watch: WatchFactory = watch_exit,
    graces: Graces | None = None,
    table: ProcessTable | None = None,
) -> Child:
    """Start `command` as `start_command` does, but let it begin only at `Child.release`.

    So its start can be written down first: if we die before that, it never runs, and no command
    that nobody knows of outlives us.
    """
    words = words_of(command)
    require_program(words[0], cwd, env)
    held, gate = os.pipe()
    try:
        child = start_command(
            (SHELL, "-c", _HELD, SHELL, *words),
            cwd=cwd,
            env=env,
            stdin=held,
            watch=watch,
            graces=graces,
            table=table,
        )
    except BaseException:
        os.close(gate)
        raise
    finally:
        os.close(held)
    child.gate = gate  # the child owns it from here on
    return child


def words_of(command: str | tuple[str, ...]) -> tuple[str, ...]:
    """The words that are started: a string is run by the shell."""
    return (SHELL, "-c", command) if isinstance(command, str) else command


def require_program(name: str, cwd: Path, env: Mapping[str, str]) -> None:
    """Raise what the system would: the shell that holds the command could only say it in words."""
    if "/" not in name and shutil.which(name, path=env.get("PATH")):
        return
    if "/" not in name or not (cwd / name).exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    if (cwd / name).is_dir() or not os.access(cwd / name, os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
