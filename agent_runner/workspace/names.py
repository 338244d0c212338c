"""Which files below a root count: those git does not ignore, without what tools leave behind."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import field, frozen

from agent_runner.workspace.command import ask, demanded
from agent_runner.workspace.git import Repository

NEVER = frozenset({".git", ".agent-runner"})
"""Names of folders (and of git's link files) that are never looked into."""

LEAVINGS = frozenset(
    {
        *("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
        *(".tox", ".nox", ".venv", "venv", "node_modules", ".gradle", ".DS_Store", ".coverage"),
    }
)
"""What tools leave behind without being told; looked at only where git tracks it."""


@frozen
class Scope:
    """A root and the folders in it that do not count, such as the state folder. Absolute paths."""

    root: Path
    excluded: tuple[Path, ...] = ()
    _below: tuple[str, ...] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        """Work out once where the excluded folders lie below the root."""
        below = (os.path.relpath(path, self.root) for path in self.excluded)
        inside = tuple(path for path in below if path != "." and not path.startswith(".."))
        object.__setattr__(self, "_below", inside)

    def counts(self, path: str, *, tracked: bool = False) -> bool:
        """Whether `path` (relative to the root) counts."""
        parts = path.split("/")
        if not NEVER.isdisjoint(parts) or not (tracked or LEAVINGS.isdisjoint(parts)):
            return False
        return not any(path == below or path.startswith(f"{below}/") for below in self._below)

    def counts_tracked(self, path: bytes) -> bool:
        """The same for a path that git tracks, as bytes: quick, for it is asked of every file."""
        if b".agent-runner" not in path and not self._below:
            return True
        return self.counts(os.fsdecode(path), tracked=True)


def file_names(scope: Scope) -> list[str]:
    """Paths of all files and links below the root that count, sorted; some may be gone already.

    Raises:
        UsageError: there is a repository, but git refuses to use it.
    """
    repository = Repository.find(scope.root)
    if repository is None:
        return sorted(path for path, _ in walked(scope))
    return sorted(_known_to_git(scope, repository))


def _known_to_git(scope: Scope, repository: Repository) -> Iterator[str]:
    """Tracked and untracked paths; those of repositories inside this one as well."""
    options = ["-z", "--cached", "--others", "--exclude-standard"]
    told = demanded(ask(scope.root, ["ls-files", *options]), repository.root)
    tracked = set(demanded(ask(scope.root, ["ls-files", "-z"]), repository.root).paths)
    for path in told.paths:
        if not scope.counts(path.rstrip("/"), tracked=path in tracked):
            continue
        folder = scope.root / path
        if path.endswith("/") or (folder / ".git").exists():
            yield from nested_names(scope, path.rstrip("/"))
        else:
            yield path


def nested_names(scope: Scope, path: str) -> Iterator[str]:
    """The files of a repository that lies at `path` inside the root, relative to the root."""
    inner = Scope(scope.root / path, scope.excluded)
    if (inner.root / ".git").exists():
        yield from (f"{path}/{name}" for name in file_names(inner))


def walked(scope: Scope) -> Iterator[tuple[str, os.stat_result]]:
    """Files and links below the root, without asking git, each with its `lstat`, in no order.

    Folders that cannot be read and files that vanish meanwhile are passed over; no link is
    followed.
    """
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        for entry in _entries(scope.root / folder):
            path = f"{folder}{entry.name}"
            if not scope.counts(path):
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{path}/")
                    continue
                stat = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            yield path, stat


def _entries(folder: Path) -> Iterable["os.DirEntry[str]"]:
    """What the folder holds; nothing if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return ()
