"""Tells when a child has exited: a file descriptor that becomes readable, whatever the system.

Linux has one for every child (a pidfd). Elsewhere a thread waits for the child and closes a pipe.
Both reap through `os.waitpid` themselves: `subprocess` reports success for a child whose exit
status was lost (SIGCHLD ignored by whoever started us), and a judge must never pass that way.
"""

import contextlib
import os
import threading
from collections.abc import Callable
from typing import Protocol


class ExitWatch(Protocol):
    """Watches one child. `fd` becomes readable when the child has exited, and stays so."""

    fd: int

    def reap(self) -> int | None:
        """The exit code, -n for a death by signal n; None: the status was lost.

        Call it once, when `fd` is readable: else it waits.
        """

    def close(self) -> None:
        """Give back what the watch holds."""


class PidfdWatch:
    """Linux's way. The child stays a zombie until `reap`, so its pid cannot become another's."""

    def __init__(self, pid: int) -> None:
        self.fd = os.pidfd_open(pid)
        self._pid = pid

    def reap(self) -> int | None:
        """See `ExitWatch`."""
        return _reaped(self._pid)

    def close(self) -> None:
        """See `ExitWatch`."""
        os.close(self.fd)


class ThreadWatch:
    """The portable way: a thread reaps the child and then closes its end of a pipe."""

    def __init__(self, pid: int) -> None:
        self.fd, self._signal = os.pipe()
        self._pid = pid
        self._code: int | None = None
        # a daemon: a child that even SIGKILL does not end must not keep the program from leaving
        self._thread = threading.Thread(target=self._wait, daemon=True, name=f"child {pid}")
        self._thread.start()

    def reap(self) -> int | None:
        """See `ExitWatch`."""
        self._thread.join()
        return self._code

    def close(self) -> None:
        """See `ExitWatch`."""
        os.close(self.fd)

    def _wait(self) -> None:
        try:
            self._code = _reaped(self._pid)
        finally:
            os.close(self._signal)


WatchFactory = Callable[[int], ExitWatch]
"""Makes a watch for the child with that pid."""


def watch_exit(pid: int) -> ExitWatch:
    """The best watch that this system has for our child `pid`."""
    if hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):  # old kernels, and sandboxes that forbid the call
            return PidfdWatch(pid)
    return ThreadWatch(pid)


def _reaped(pid: int) -> int | None:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return None
