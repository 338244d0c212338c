"""The files by which a git keeps others out, and what is known of who left them."""

import contextlib
import os
from pathlib import Path

from agent_runner.workspace.git import Repository

_CLOCKS = 2.0
"""Seconds by which a file system's clock may be behind ours."""


def locks(repository: Repository) -> tuple[Path, ...]:
    """The files by which another git would keep ours from committing, whether they are there."""
    own, branch = repository.git.git_dir, repository.branch
    found = (own / "index.lock", own / "HEAD.lock")
    return found if branch is None else (*found, repository.common / f"refs/heads/{branch}.lock")


def identity(lock: Path) -> tuple[int, int] | None:
    """What is another where somebody else takes the lock; None if nobody holds it."""
    try:
        found = lock.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def remove_ours(repository: Repository, since: float) -> None:
    """Remove locks that a git of ours left when it was killed; it was started at `since`.

    Git writes into no lock who holds it. So one counts as ours only if it was made since then, and
    no git is at work in this work tree now: whoever took it has ended without giving it back.
    """
    held = [lock for lock in locks(repository) if _made_at(lock) >= since - _CLOCKS]
    if held and not _git_is_at_work(repository):
        for lock in held:
            lock.unlink(missing_ok=True)


def _made_at(lock: Path) -> float:
    try:
        return lock.lstat().st_mtime
    except OSError:
        return float("-inf")


def _git_is_at_work(repository: Repository) -> bool:
    """Whether a git process stands in the work tree; in doubt, and without /proc, yes."""
    top, git_dir = repository.git.work_tree.resolve(), repository.git.git_dir.resolve()
    try:
        pids = [name for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return True
    for pid in pids:
        with contextlib.suppress(OSError):  # it has ended, or is somebody else's
            if Path(f"/proc/{pid}/comm").read_text().startswith("git"):
                place = Path(f"/proc/{pid}/cwd").readlink()
                if place.is_relative_to(top) or place.is_relative_to(git_dir):
                    return True
    return not pids
