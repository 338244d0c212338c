"""The files by which a git keeps others out, and what is known of who left them."""

from pathlib import Path

from agent_runner.ground.processes import ProcessTable
from agent_runner.workspace.git import Repository

_CLOCKS = 2.0
"""Seconds by which a file system's clock may be behind ours."""


def locks(repository: Repository, to_make: str = "") -> tuple[Path, ...]:
    """The files by which another git would keep ours from committing, whether they are there.

    `to_make`: the branch that is made for the commit, if one is.
    """
    own, branches = repository.git.git_dir, (repository.branch, to_make)
    refs = (repository.common / f"refs/heads/{one}.lock" for one in branches if one)
    return (own / "index.lock", own / "HEAD.lock", *refs)


def identity(lock: Path) -> tuple[int, int] | None:
    """What is another where somebody else takes the lock; None if nobody holds it."""
    try:
        found = lock.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def remove_ours(
    repository: Repository, since: float, table: ProcessTable, to_make: str = ""
) -> None:
    """Remove locks that a git of ours left when it was killed; it was started at `since`.

    Git writes into no lock who holds it. So one counts as ours only if it was made since then, and
    no git is at work in this work tree now: whoever took it has ended without giving it back.
    """
    left = [lock for lock in locks(repository, to_make) if _made_at(lock) >= since - _CLOCKS]
    held = {lock: identity(lock) for lock in left}
    places = (repository.git.work_tree.resolve(), repository.git.git_dir.resolve())
    if held and not table.may_work_in("git", places):
        for lock, seen in held.items():
            if identity(lock) == seen:  # nobody else has taken it meanwhile
                lock.unlink(missing_ok=True)


def _made_at(lock: Path) -> float:
    try:
        return lock.lstat().st_mtime
    except OSError:
        return float("-inf")
