"""Runs a command and kills it, all its threads and all its children, right before one system call.

    python -m tests.support.kill_at NUMBER COUNT_FILE COMMAND...

Calls that change something are counted over the whole family, in the order in which they are made;
before the NUMBER-th all are killed at once, as by a container that is removed. 0 kills none. Writes
how many calls there were into COUNT_FILE. `strace` counts for each thread alone, so that its n-th
call meets only the first that comes to n; and it lets the children live.

Syncs are not counted: what was written outlives its process, so that a kill before a sync leaves
what a kill before the next call leaves. Power cuts see them (`test_lost_writes.py`).

Linux on x86-64: a seccomp filter stops the family at those calls alone, which ptrace then sees.
"""

import contextlib
import ctypes
import os
import signal
import struct
import sys
from pathlib import Path

CALLS = {
    "write": 1,
    "pwrite64": 18,
    "writev": 20,
    "ftruncate": 77,
    "fallocate": 285,
    "rename": 82,
    "renameat": 264,
    "renameat2": 316,
    "mkdir": 83,
    "mkdirat": 258,
    "rmdir": 84,
    "unlink": 87,
    "unlinkat": 263,
    "link": 86,
    "linkat": 265,
    "symlink": 88,
    "symlinkat": 266,
    "chmod": 90,
    "fchmod": 91,
    "clone": 56,
    "fork": 57,
    "vfork": 58,
    "clone3": 435,
    "execve": 59,
}
"""The calls that change something, with their numbers."""

_CONT, _SEIZE, _LISTEN = 7, 0x4206, 0x4208
_FORK, _VFORK, _CLONE, _EXEC, _SECCOMP, _STOP = 1, 2, 3, 4, 7, 128
_OPTIONS = sum(1 << event for event in (_FORK, _VFORK, _CLONE, _EXEC, _SECCOMP)) | 1 << 20
"""Follow all that is started, stop where the filter says so, and kill all if this process ends."""
_WALL = 0x40000000
_STOPPING = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
_living: set[int] = set()
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def main(number: int, counted: Path, command: list[str]) -> int:
    """Run the command to its end, or to that call; its exit code as `subprocess` gives it."""
    try:
        first = fork_followed()
    except OSError as error:
        sys.exit(f"ptrace: {error.strerror}")
    if first == 0:
        os.execvp(command[0], command)
    return follow(first, number, counted)


def follow(first: int, number: int, counted: Path) -> int:
    """Let a followed process and all that it starts come to their end, or to that call."""
    count = code = 0
    while True:
        try:
            pid, status = os.waitpid(-1, _WALL)
        except ChildProcessError:  # all have ended
            counted.write_text(str(count))
            return code
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            _living.discard(pid)
            code = os.waitstatus_to_exitcode(status) if pid == first else code
            continue
        _living.add(pid)
        event = status >> 16
        count += event == _SECCOMP
        if number and count >= number:
            _kill()
        else:
            _go_on(pid, event, os.WSTOPSIG(status))


def fork_followed() -> int:
    """Fork; in the child, which `follow` sees from its first call on, this is 0.

    Raises OSError where nothing may be traced.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(reader, 1)
        os.close(reader)
        os.close(writer)
        _filter()
        return 0
    if _LIBC.ptrace(_SEIZE, pid, None, _OPTIONS):
        os.kill(pid, signal.SIGKILL)
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.write(writer, b"x")
    os.close(reader)
    os.close(writer)
    return pid


def _go_on(pid: int, event: int, number: int) -> None:
    """Let a stopped thread run, with the signal that stopped it; one that is to stop stays so."""
    if event == _STOP and number in _STOPPING:
        _LIBC.ptrace(_LISTEN, pid, None, None)
    else:
        _LIBC.ptrace(_CONT, pid, None, number if event == 0 and number != signal.SIGTRAP else 0)


def _kill() -> None:
    """All at once; whoever was being started meanwhile stops first, and is met here then."""
    for pid in _living:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _filter() -> None:
    """Stop at the calls that count, and at nothing else."""
    numbers = sorted(CALLS.values())
    words = [(0x20, 0, 0, 0)]  # the call's number
    words += [(0x15, len(numbers) - at, 0, one) for at, one in enumerate(numbers)]
    words += [(0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x7FF00000)]  # allow it; stop there
    program = b"".join(struct.pack("HBBI", *word) for word in words)
    kept = ctypes.create_string_buffer(program)
    about = struct.pack("HxxxxxxP", len(words), ctypes.addressof(kept))
    if _LIBC.prctl(38, 1, 0, 0, 0) or _LIBC.prctl(22, 2, about, 0, 0):
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    ended = main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
    sys.exit(ended if ended >= 0 else 128 - ended)
