"""One folder per task outside of the project, in the same place always, held by one process."""

import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from attrs import define, field

from agent_runner.ground.disk import storage_errors
from agent_runner.model.errors import UsageError
from agent_runner.workspace.removing import remove

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 40
_LOCK, _GONE = ".lock", ".gone-"


@define(eq=False)
class TaskFolder:
    """The folder of one task and root; there is nothing in it until something is put there.

    `home` is the folder of all of them, private to the user. `root`: the task's, absolute.
    """

    home: Path
    root: Path
    task_id: str
    _lock: int = field(init=False, default=-1)

    @property
    def place(self) -> Path:
        """The folder, below `home`."""
        root = os.fsencode(self.root.resolve())
        digest = hashlib.sha256(root + b"\0" + self.task_id.encode()).hexdigest()[:12]
        name = _UNSAFE.sub("-", self.task_id)[:_LONGEST_NAME]
        return self.home / f"{name}-{digest}"

    def take(self) -> None:
        """Hold it.

        Raises:
            UsageError: another process has it, or `home` lies inside the project.
            StorageError: the disk refused.
        """
        root, home = self.root.resolve(), self.home.resolve()
        if home.is_relative_to(root) or root.is_relative_to(home):
            raise UsageError(
                f"scratch copies of {root} cannot be kept in {home}",
                fix="choose a folder for them outside of the project",
            )
        with storage_errors(self.home):
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _locked(_lock_of(self.place))
        if lock is None:
            raise UsageError(f"the scratch copy {self.place} is used by another process")
        self._lock = lock

    def remove(self) -> None:
        """Give it back and remove it with all that is in it.

        Raises:
            StorageError: it cannot be removed; the next run tries again.
        """
        with storage_errors(self.place):
            remove_at(self.give_up())

    def give_back(self) -> None:
        """Give it back as it is, for whoever takes it next."""
        lock, self._lock = self._lock, -1
        os.close(lock)

    def give_up(self) -> Path:
        """Give it back, empty; what is in it goes somewhere else, to be removed by `remove_at`.

        To remove 50,000 files can take minutes (2 ms each on a disk mounted with `discard`).

        Raises:
            StorageError: the disk refused.
        """
        lock, self._lock = self._lock, -1
        with storage_errors(self.place):
            return _given_up(self.place, lock)


def sweep(home: Path, spared: Callable[[Path], bool] = lambda _: False) -> tuple[Path, ...]:
    """Remove the folders that no living process holds, as those of a runner that was killed.

    `spared`: whether one is still wanted. What cannot be removed is left for the next time. All are
    free at once, and then their contents are removed: it can be left at any moment.
    """
    given_up, gone = [], []
    with contextlib.suppress(OSError):  # usually there is no such folder
        for name in sorted(os.listdir(home)):
            if _GONE in name:  # whoever removes it was ended, or is at it: both may
                gone.append(home / name)
            if name.endswith(_LOCK) and (lock := _locked(home / name)) is not None:
                place = home / name.removesuffix(_LOCK)
                if spared(place):
                    os.close(lock)
                    continue
                with contextlib.suppress(OSError):
                    gone.append(_given_up(place, lock))
                    given_up.append(place)
    for place in gone:
        with contextlib.suppress(OSError):
            remove_at(place)
    return tuple(given_up)


def remove_at(place: Path) -> None:
    """Remove a folder with all that is in it. Raises OSError."""
    home = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        remove(home, place.name)
    finally:
        os.close(home)


def _lock_of(place: Path) -> Path:
    return place.with_name(place.name + _LOCK)


def _locked(path: Path) -> int | None:
    """Hold a lock that ends with this process; None if another one has it."""
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.lexists(path) and os.path.samestat(os.fstat(descriptor), path.lstat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        os.close(descriptor)  # its last holder removed it just now


def _given_up(place: Path, lock: int) -> Path:
    """Move away a folder whose lock we hold, and remove the lock; where it is now."""
    gone = place.with_name(f"{place.name}{_GONE}{os.urandom(4).hex()}")
    try:
        with contextlib.suppress(FileNotFoundError):
            os.rename(place, gone)  # noqa: PTH104  # as a whole
        _lock_of(place).unlink()
    finally:
        os.close(lock)
    return gone
