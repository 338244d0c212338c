"""What runs on this machine: start times, sessions, environments; from /proc or from `ps`.

A pid alone names nobody: it is given anew once its program is gone, so it is always kept together
with the program's start time. psutil (7.2) would save about 90 lines here; it was measured and left
out: 15 ms more at every start (this file: 1 ms) and 0.9 MB of compiled extension to install.
"""

import contextlib
import functools
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

_PROC = Path("/proc")
_LONGEST_STAT = 4096  # bytes: 52 numbers and a name of at most 64
_DEAD = frozenset("ZXx")  # states of what has exited but is not reaped yet


class ProcessTable(Protocol):
    """The running programs of this machine."""

    def start_time(self, pid: int) -> str:
        """When `pid` started, in the system's own words; "" if nothing has that pid.

        Equal for two looks at the same program, different for another that got its pid later.
        """

    def lives(self, pid: int, start_time: str) -> bool:
        """Whether the program that got `pid` at `start_time` still runs; a zombie does not."""

    def session(self, leader: int) -> tuple[int, ...]:
        """Pids of the living members of the session that `leader` began, in order."""

    def carries(self, pid: int, wanted: Mapping[str, str]) -> bool:
        """Whether `pid` was started with all of these environment variables; False if unknown."""

    def carriers(self, wanted: Mapping[str, str]) -> tuple[int, ...]:
        """Pids of the living programs that were started with all of these, in order.

        A variable is handed on to all that a program starts, into whatever session or group it
        goes: only one that clears its environment slips through.
        """

    def may_work_in(self, program: str, folders: Sequence[Path]) -> bool:
        """Whether a program whose name begins so has its current folder below one of `folders`.

        True in doubt. `folders`: resolved. Programs of other users do not count where the system
        does not say where they are.
        """


class ProcTable:
    """Linux's process table, from /proc."""

    def start_time(self, pid: int) -> str:
        """Clock ticks since boot, and which boot: ticks alone come again after the next one."""
        fields = _stat(pid)
        return f"{_boot()}:{fields[19]}" if fields else ""

    def lives(self, pid: int, start_time: str) -> bool:
        """See `ProcessTable`."""
        return _is_alive(_stat(pid)) and self.start_time(pid) == start_time

    def session(self, leader: int) -> tuple[int, ...]:
        """See `ProcessTable`. Asking getsid first is 15 times quicker than reading every stat."""
        pids = sorted(int(name) for name in os.listdir(_PROC) if name.isdigit())
        return tuple(pid for pid in pids if _session_of(pid) == leader and _is_alive(_stat(pid)))

    def carries(self, pid: int, wanted: Mapping[str, str]) -> bool:
        """See `ProcessTable`."""
        try:
            given = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
        except OSError:
            return False
        return all(os.fsencode(f"{name}={value}") in given for name, value in wanted.items())

    def carriers(self, wanted: Mapping[str, str]) -> tuple[int, ...]:
        """See `ProcessTable`."""
        pids = sorted(int(name) for name in os.listdir(_PROC) if name.isdigit())
        return tuple(pid for pid in pids if self.carries(pid, wanted) and _is_alive(_stat(pid)))

    def may_work_in(self, program: str, folders: Sequence[Path]) -> bool:
        """See `ProcessTable`."""
        pids = [name for name in os.listdir(_PROC) if name.isdigit()]
        for pid in pids:
            with contextlib.suppress(OSError):  # it has ended, or is somebody else's
                if (_PROC / pid / "comm").read_text(errors="replace").startswith(program):
                    place = (_PROC / pid / "cwd").readlink()
                    if any(map(place.is_relative_to, folders)):
                        return True
        return not pids  # mounted so that nobody is seen


class PsTable:
    """What every Unix tells through `ps`: start times to the second, and slower."""

    def start_time(self, pid: int) -> str:
        """See `ProcessTable`."""
        return " ".join(_ps("-o", "lstart=", "-p", str(pid)).split())

    def lives(self, pid: int, start_time: str) -> bool:
        """See `ProcessTable`."""
        state = _ps("-o", "stat=", "-p", str(pid))
        return bool(state) and state[0] not in _DEAD and self.start_time(pid) == start_time

    def session(self, leader: int) -> tuple[int, ...]:
        """See `ProcessTable`. The `sess` column of macOS's ps is an address: getsid knows."""
        rows = [row.split() for row in _ps("-A", "-o", "pid=,stat=").splitlines()]
        living = sorted(int(pid) for pid, state in rows if state[0] not in _DEAD)
        return tuple(pid for pid in living if _session_of(pid) == leader)

    def carries(self, pid: int, wanted: Mapping[str, str]) -> bool:
        """See `ProcessTable`. A neighbour could forge a value with blanks; ours have none."""
        given = _ps("eww", "-o", "command=", "-p", str(pid)).split()
        return all(f"{name}={value}" in given for name, value in wanted.items())

    def carriers(self, wanted: Mapping[str, str]) -> tuple[int, ...]:
        """See `ProcessTable`."""
        rows = [row.split() for row in _ps("-A", "eww", "-o", "pid=,stat=,command=").splitlines()]
        return tuple(
            sorted(
                int(pid)
                for pid, state, *given in rows
                if state[0] not in _DEAD
                and all(f"{name}={value}" in given for name, value in wanted.items())
            )
        )

    def may_work_in(self, program: str, folders: Sequence[Path]) -> bool:
        """See `ProcessTable`. `ps` knows no folders; `lsof`, which macOS has too, does.

        Where `lsof` says less than was asked, the program has ended or is hidden: in doubt it is
        taken for one that works there.
        """
        rows = [row.split(None, 2) for row in _ps("-A", "-o", "pid=,stat=,comm=").splitlines()]
        if not rows:
            return True
        pids = {
            pid
            for pid, state, *name in rows
            if state[0] not in _DEAD and Path(*name).name.startswith(program)
        }
        if not pids:
            return False
        said = _answer("lsof", "-a", "-w", "-d", "cwd", "-p", ",".join(sorted(pids)), "-F", "pn")
        seen = {line[1:] for line in said.splitlines() if line[:1] == "p"}
        places = [Path(line[1:]) for line in said.splitlines() if line[:1] == "n"]
        return seen != pids or any(one.is_relative_to(f) for one in places for f in folders)


@functools.cache
def this_machine() -> ProcessTable:
    """The table of the system we run on."""
    return ProcTable() if (_PROC / "self" / "stat").exists() else PsTable()


def _session_of(pid: int) -> int:
    """The pid of its session's leader, 0 for a program that is gone or not ours to ask about."""
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _is_alive(fields: list[str]) -> bool:
    return bool(fields) and fields[0] not in _DEAD


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty if there is no such pid.

    proc(5): the name before them stands in parentheses and may hold anything. Counted from the
    state as 0, 19 is the start time.
    """
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            said = os.read(descriptor, _LONGEST_STAT)
        finally:
            os.close(descriptor)
    except OSError:
        return []
    return said.decode(errors="replace").rpartition(")")[2].split()


@functools.cache
def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:
        return ""


def _ps(*arguments: str) -> str:
    """What `ps` prints; "" if it fails or finds nobody."""
    return _answer("ps", *arguments)


def _answer(*words: str) -> str:
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
