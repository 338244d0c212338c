"""What runs on this machine: start times, sessions, environments; from /proc or from `ps`."""

import functools
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

_PROC = Path("/proc")
_DEAD = frozenset("ZXx")  # states of what has exited but is not reaped yet


class Table(Protocol):
    """The running programs of this machine."""

    def began(self, pid: int) -> str:
        """When `pid` started, in the system's own words; "" if nothing has that pid.

        Equal for two looks at the same program, different for another that got its pid later.
        """

    def lives(self, pid: int, began: str) -> bool:
        """Whether the program that has `pid` since `began` still runs; a zombie does not."""

    def session(self, leader: int) -> tuple[int, ...]:
        """Pids of the living members of the session that `leader` began, in order."""

    def carries(self, pid: int, wanted: Mapping[str, str]) -> bool:
        """Whether `pid` was started with all of these environment variables; False if unknown."""


class ProcTable:
    """Linux's, from /proc."""

    def began(self, pid: int) -> str:
        """Clock ticks since boot, and which boot: ticks alone come again after the next one."""
        fields = _stat(pid)
        return f"{_boot()}:{fields[19]}" if fields else ""

    def lives(self, pid: int, began: str) -> bool:
        """See `Table`."""
        fields = _stat(pid)
        return bool(fields) and fields[0] not in _DEAD and self.began(pid) == began

    def session(self, leader: int) -> tuple[int, ...]:
        """See `Table`."""
        pids = sorted(int(name) for name in os.listdir(_PROC) if name.isdigit())
        return tuple(pid for pid in pids if self._is_member(pid, leader))

    def carries(self, pid: int, wanted: Mapping[str, str]) -> bool:
        """See `Table`."""
        try:
            given = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
        except OSError:
            return False
        return all(os.fsencode(f"{name}={value}") in given for name, value in wanted.items())

    def _is_member(self, pid: int, leader: int) -> bool:
        fields = _stat(pid)
        return bool(fields) and fields[0] not in _DEAD and int(fields[3]) == leader


class PsTable:
    """What every Unix has, through `ps`: start times to the second, and slower."""

    def began(self, pid: int) -> str:
        """See `Table`."""
        return " ".join(_ps("-o", "lstart=", "-p", str(pid)).split())

    def lives(self, pid: int, began: str) -> bool:
        """See `Table`."""
        state = _ps("-o", "stat=", "-p", str(pid))
        return bool(state) and state[0] not in _DEAD and self.began(pid) == began

    def session(self, leader: int) -> tuple[int, ...]:
        """The leader's group and the descendants of its members.

        macOS tells no session ids: somebody in a group of its own whose parent is gone is missed.
        """
        rows = [row.split() for row in _ps("-A", "-o", "pid=,ppid=,pgid=,stat=").splitlines()]
        found: set[int] = set()
        for _ in rows:  # each round finds the children of the one before
            more = {
                int(pid)
                for pid, parent, group, _state in rows
                if int(group) == leader or int(parent) in found
            }
            if more <= found:
                break
            found |= more
        dead = {int(pid) for pid, _, _, state in rows if state[0] in _DEAD}
        return tuple(sorted(found - dead))

    def carries(self, pid: int, wanted: Mapping[str, str]) -> bool:
        """See `Table`. A value with blanks could be forged by a neighbour; ours have none."""
        given = _ps("eww", "-o", "command=", "-p", str(pid)).split()
        return all(f"{name}={value}" in given for name, value in wanted.items())


@functools.cache
def this_machine() -> Table:
    """The table of the system we run on."""
    return ProcTable() if (_PROC / "self" / "stat").exists() else PsTable()


def began(pid: int) -> str:
    """When `pid` started, by which it is known again after a crash; "" if it is gone."""
    return this_machine().began(pid)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty if there is no such pid.

    proc(5): the name before them stands in parentheses and may hold anything. Counted from the
    state as 0: 3 is the session, 19 the start time.
    """
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


@functools.cache
def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:
        return ""


def _ps(*arguments: str) -> str:
    """What `ps` prints; "" if it fails or finds nobody."""
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    try:
        done = subprocess.run(
            ["ps", *arguments],
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
