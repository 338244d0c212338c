"""One run at a time: a lock on the state folder, and one on the project against another state."""

import contextlib
import fcntl
import json
import os
from pathlib import Path

import filelock
from attrs import define, field

from agent_runner.ground.clock import local
from agent_runner.ground.disk import storage_errors
from agent_runner.ground.plain_files import open_plain, read_plain
from agent_runner.model.errors import StateLockedError
from agent_runner.store.layout import Layout

_PATIENCE = 0.2  # seconds


@define
class StateLock:
    """The lock on the state folder and the one on the project, taken and given back together.

    Both are the system's: it drops them when the process ends, however it ends, so that there is
    never a stale one. flock, not lockf: with lockf, closing any other descriptor of the file would
    drop the lock.
    """

    layout: Layout
    project: Path
    _lock: filelock.FileLock | None = None
    _project_descriptor: int | None = field(default=None)
    after_crash: bool = field(default=False, init=False)
    """Whether the command that held it last did not give it back."""

    def acquire(self, now: float) -> None:
        """Take both or none.

        Raises StateLockedError naming the holder's process and start, StorageError.
        """
        with storage_errors(self.layout.lock):
            self._acquire(now)

    def _acquire(self, now: float) -> None:
        lock = filelock.FileLock(self.layout.lock, mode=0o600, fallback_to_soft=False)
        try:
            # not at the first try: `status` holds it for a moment to see whether anybody else does
            lock.acquire(timeout=_PATIENCE, poll_interval=_PATIENCE / 10)
        except filelock.Timeout:
            raise StateLockedError(
                f"the state in {self.layout.folder} is in use by another command{self._holder()}",
                fix="wait for it, or stop it with Ctrl+C there",
            ) from None
        self._lock = lock
        try:
            self._lock_project()
            self.after_crash = self.layout.holder.exists()
            self._write_holder(now)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Give both locks back; without them held, do nothing."""
        if self._project_descriptor is not None:
            os.close(self._project_descriptor)
            self._project_descriptor = None
        if self._lock is not None:
            with contextlib.suppress(OSError):  # it is only read where the lock is held
                self.layout.holder.unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def _lock_project(self) -> None:
        """Lock the folder itself: no file in the user's project that `git clean` could remove."""
        descriptor = os.open(self.project, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StateLockedError(
                f"another run, with its own state folder, is using {self.project}",
                fix="wait for it, or stop it",
            ) from None
        except OSError:
            os.close(descriptor)
            raise
        self._project_descriptor = descriptor

    def _write_holder(self, now: float) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(open_plain(self.layout.holder, flags), "w") as file:
            file.write(json.dumps({"pid": os.getpid(), "since": now}))

    def _holder(self) -> str:
        try:
            holder = json.loads(read_plain(self.layout.holder))
            pid, since = int(holder["pid"]), local(float(holder["since"]), seconds=True)
        except (OSError, ArithmeticError, ValueError, LookupError, TypeError, RecursionError):
            return ""
        return f" (process {pid}, since {since})"
