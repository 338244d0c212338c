"""Counts the processes that a command starts: with strace, else with programs first in PATH."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_EXEC = re.compile(
    r'^(\d+) +(?:execve\("([^"]*)"|<\.\.\. execve resumed>).*?( = 0)?$', re.MULTILINE
)


def programs_started(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], notes: Path
) -> list[str]:
    """The programs of the processes that a command started, in order; itself is not among them.

    A process that replaced its program (`sh` that became `true`) counts once, with the last one.
    `notes` is a folder to write in. Without strace only `git` and `true` are seen.

    Raises:
        CalledProcessError: the command failed.
    """
    if _can_trace():
        return _traced(command, cwd, env, notes / "trace")
    return _noted(command, cwd, env, notes)


def _can_trace() -> bool:
    """Whether strace is there and the system lets it work (in some containers it does not)."""
    strace = shutil.which("strace")
    if strace is None:
        return False
    tried = subprocess.run(
        [strace, "-f", "-o", os.devnull, "true"], capture_output=True, check=False
    )
    return tried.returncode == 0


def _traced(command: Sequence[str], cwd: Path, env: Mapping[str, str], log: Path) -> list[str]:
    strace = ["strace", "-f", "-qq", "-e", "trace=execve", "-e", "signal=none", "-o", str(log)]
    _run([*strace, *command], cwd, env)
    programs: dict[str, str] = {}
    tried: dict[str, str] = {}  # strace breaks a line in two where other threads go on meanwhile
    for process, program, worked in _EXEC.findall(log.read_text(errors="replace")):
        tried[process] = program or tried.get(process, "")
        if worked:
            programs[process] = Path(tried[process]).name
    return list(programs.values())[1:]


def _noted(command: Sequence[str], cwd: Path, env: Mapping[str, str], notes: Path) -> list[str]:
    log, folder = notes / "log", notes / "bin"
    folder.mkdir()
    log.touch()
    for name in ("git", "true"):
        script = folder / name
        script.write_text(f'#!/bin/sh\necho {name} >> "{log}"\nexec "{shutil.which(name)}" "$@"\n')
        script.chmod(0o755)
    _run(command, cwd, {**env, "PATH": f"{folder}{os.pathsep}{env['PATH']}"})
    return log.read_text().split()


def _run(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
    done.check_returncode()
