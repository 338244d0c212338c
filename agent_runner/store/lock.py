"""One run at a time: a lock on the state folder, and one on the project against another state."""

import fcntl
import json
import os
from pathlib import Path

import filelock
from attrs import define, field

from agent_runner.ground.clock import local
from agent_runner.model.errors import StateLockedError
from agent_runner.store.layout import Layout


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

    def acquire(self, now: float) -> None:
        """Take both or none. Raises StateLockedError naming the holder's process and start."""
        lock = filelock.FileLock(self.layout.lock, timeout=0, fallback_to_soft=False)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise StateLockedError(
                f"the state in {self.layout.folder} is in use by another command{self._holder()}",
                fix="wait for it, or stop it with Ctrl+C there",
            ) from None
        self._lock = lock
        try:
            self._lock_project()
        except BaseException:
            self.release()
            raise
        self.layout.holder.write_text(json.dumps({"pid": os.getpid(), "since": now}))

    def release(self) -> None:
        """Give both locks back; without them held, do nothing."""
        if self._project_descriptor is not None:
            os.close(self._project_descriptor)
            self._project_descriptor = None
        if self._lock is not None:
            self.layout.holder.unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def _lock_project(self) -> None:
        """Lock the folder itself: no file in the user's project that `git clean` could remove."""
        descriptor = os.open(self.project, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise StateLockedError(
                f"another run, with its own state folder, is using {self.project}",
                fix="wait for it, or stop it",
            ) from None
        self._project_descriptor = descriptor

    def _holder(self) -> str:
        try:
            holder = json.loads(self.layout.holder.read_text())
            return f" (process {holder['pid']}, since {local(holder['since'], seconds=True)})"
        except (OSError, ValueError, KeyError, TypeError):
            return ""
