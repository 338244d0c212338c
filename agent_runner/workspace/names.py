"""Which files below a root count: those git does not ignore, without what tools leave behind."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from attrs import field, frozen

from agent_runner.workspace.command import Running, demanded
from agent_runner.workspace.git import Repository
from agent_runner.workspace.git_settings import stamp_of
from agent_runner.workspace.status import Report, asking
from agent_runner.workspace.tracked import Source, Tracked

NEVER = frozenset({".git", ".agent-runner"})
"""Names of folders (and of git's link files) that are never looked into."""

LEAVINGS = frozenset(
    {
        *("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
        *(".tox", ".nox", ".venv", "venv", "node_modules", ".gradle", ".DS_Store", ".coverage"),
    }
)
"""What tools leave behind without being told; looked at only where git tracks it."""

_DEEPEST = 128  # folders within folders; beyond that nobody works, and descriptors run out
_OTHERS = ["ls-files", "-z", "-t", "--others", "--exclude-standard"]
_TRACKED = ["ls-files", "-z", "-t", "-s", "--cached"]
_ALL = [*_OTHERS, "-s", "--cached"]
_UNTRACKED = re.compile(rb"(?:\?[^\0]*\0)*")


@frozen
class Scope:
    """A root and the folders in it that do not count, such as the state folder. Absolute paths.

    Without `git` nobody is asked which files are ignored.
    """

    root: Path
    excluded: tuple[Path, ...] = ()
    git: bool = True
    _below: tuple[str, ...] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        """Work out once where the excluded folders lie below the root."""
        below = (os.path.relpath(path, self.root) for path in self.excluded)
        inside = tuple(path for path in below if path != "." and not path.startswith(".."))
        object.__setattr__(self, "_below", inside)

    def counts(self, path: str, *, tracked: bool = False) -> bool:
        """Whether `path` (relative to the root) counts."""
        parts = path.split("/")
        if len(parts) > _DEEPEST:
            return False
        if not NEVER.isdisjoint(parts) or not (tracked or LEAVINGS.isdisjoint(parts)):
            return False
        return not self.excludes(path)

    def excludes(self, path: str) -> bool:
        """Whether `path` is, or lies in, one of the excluded folders."""
        return any(path == below or path.startswith(f"{below}/") for below in self._below)

    def counted(self, paths: list[str]) -> list[str]:
        """Those of the paths, all of which git tracks, that count: quick, for they are many."""
        below = self._below
        return [
            path
            for path in paths
            if (
                ".agent-runner" not in path
                and path.count("/") < _DEEPEST
                and not path.startswith(below)
            )
            or self.counts(path, tracked=True)
        ]

    def inside(self, path: str) -> "Scope":
        """The scope of a folder below the root."""
        return Scope(self.root / path, self.excluded, self.git)


@frozen
class Names:
    """Paths of files and links; some may be gone already, or folders by now.

    `tracked` is the same object as long as nothing came or went among them. `sources`: outermost
    first. `nested`: where repositories are inside the root.
    """

    tracked: frozenset[str]
    others: frozenset[str]
    sources: tuple[Source, ...] = ()
    nested: tuple[str, ...] = ()

    def since(self, earlier: "Names") -> tuple[frozenset[str], frozenset[str]]:
        """The paths that came and those that went since an earlier listing."""
        if self is earlier:
            return frozenset(), frozenset()
        now, then = self.others, earlier.others
        if self.tracked is not earlier.tracked:
            now, then = now | self.tracked, then | earlier.tracked
        return now - then, then - now


NO_NAMES = Names(frozenset(), frozenset())


class Lister:
    """Lists the files that count, again and again; what git said before is not taken apart again.

    Git is asked for the tracked files only where its index is another one than before. Runs git
    once a listing and repository, once more where it lists nothing below the top of one.

    `may_report`: whether git may be asked for its status instead of the untracked files alone, for
    those who want to know that, too: `report`. It is one process more where the index is new.
    `reads_much`: git would read many files again and again for it, since it may not note that they
    are as they were; it is not asked for it then.
    """

    def __init__(self, scope: Scope, *, may_report: bool = False) -> None:
        self.repository: Repository | None = None
        self.report: Report | None = None
        self.reads_much = False
        self._scope = scope
        self._may_report = may_report
        self._reports = False
        self._running: list[Running] = []
        self._said = self._said_of_tracked = b""
        self._outer = NO_NAMES
        self._stamp: tuple[int, ...] = ()
        self._knows_tracked = False
        self._inner: dict[str, Lister] = {}

    @property
    def reports(self) -> bool:
        """Whether git was asked for its status in the listing that was started last."""
        return self._reports

    def start(self, *, in_one: bool = False) -> "Lister":
        """Start git, so that there is time for something else before `finish`.

        `in_one`: with one process, whose answer is of one time.

        Raises:
            UsageError: there is a repository, but git refuses to use it.
        """
        repository = Repository.around(self._scope.root) if self._scope.git else None
        self.report = None
        if repository != self.repository:
            self.repository = repository
            self._forget()
        if repository is None:
            return self
        stamp = stamp_of(repository.index)
        self._knows_tracked = stamp != () and stamp == self._stamp
        self._stamp = stamp
        may_report = self._may_report and repository.sees_modes and not self.reads_much
        self._reports = may_report and not in_one
        if self._reports:
            asked = [asking("all")] if self._knows_tracked else [asking("all"), _TRACKED]
        else:
            asked = [_OTHERS if self._knows_tracked else _ALL]
        for one in asked:
            self._running.append(repository.git.start(self._scope.root, one))
        return self

    def finish(self) -> Names:
        """What there is, waiting for git. The same object as before if nothing came or went.

        Raises:
            UsageError: git fails.
        """
        if self.repository is None or not self._running:
            return self._walked()
        said = self._answered(self.repository)
        of_two_times = self._knows_tracked or self._reports
        if of_two_times and stamp_of(self.repository.index) != self._stamp:
            self._forget()  # a file may be in neither list
            return self.start(in_one=True).finish()
        if not said and self.repository.prefix and self.repository.ignores_root():
            self.report = None
            return self._walked()
        if said != self._said or not self._outer.sources:
            self._outer = self._parsed(said, self.repository)
            self._said = said
        return self._with_nested() if self._outer.nested else self._outer

    def stop(self) -> None:
        """Give up a listing that was started, if one was."""
        while self._running:
            self._running.pop().stop()

    def _answered(self, repository: Repository) -> bytes:
        """What git said of the names: the untracked ones, then those of the tracked files."""
        answer = self._running.pop(0).finish()
        if self._reports and answer.code == 0:
            self.report = Report.parsed(answer.out, repository.prefix)
            said = self.report.untracked
        else:
            if self._reports:  # a HEAD that leads nowhere has no status, but there are files
                answer = repository.ask(_OTHERS)
            said = demanded(answer, self._scope.root).out
        if self._running:
            return said + demanded(self._running.pop().finish(), self._scope.root).out
        return said + self._said_of_tracked if self._knows_tracked else said

    def _forget(self) -> None:
        self._said = self._said_of_tracked = b""
        self._outer = NO_NAMES
        self._stamp = ()

    def _walked(self) -> Names:
        return Names(frozenset(), frozenset(walked(self._scope)))

    def _parsed(self, said: bytes, repository: Repository) -> Names:
        """Untracked files come first, as `? PATH`; the tracked ones seldom differ from before."""
        head = _UNTRACKED.match(said)
        start = head.end() if head else 0
        source = self._outer.sources[0] if self._outer.sources else None
        rest = said[start:]
        if source is None or rest != self._said_of_tracked:
            tracked = Tracked.parsed(rest, repository.digits, self._scope.counted)
            source = Source("", repository, tracked)
            self._said_of_tracked = rest
        rows = os.fsdecode(said[:start]).split("\0")[:-1]
        others = [r[2:] for r in rows if self._scope.counts(r[2:].rstrip("/"))]
        nested = [path.rstrip("/") for path in others if path.endswith("/")]
        files = frozenset(path for path in others if not path.endswith("/"))
        links = source.tracked.links
        return Names(source.tracked.paths, files, (source,), (*nested, *links))

    def _with_nested(self) -> Names:
        """The files of repositories inside as well, each listed by its own rules."""
        outer = self._outer
        others, sources = set(outer.others), list(outer.sources)
        for path in outer.nested:
            inside = self._scope.root / path
            if not inside.is_dir():  # a file in place of a submodule
                others.add(path)
            elif os.path.lexists(inside / ".git"):
                lister = self._inner.setdefault(path, Lister(self._scope.inside(path)))
                found = lister.start().finish()
                others.update(f"{path}/{name}" for name in found.tracked | found.others)
                sources += [
                    Source(f"{path}/{inner.prefix}", inner.repository, inner.tracked)
                    for inner in found.sources
                ]
        return Names(outer.tracked, frozenset(others), tuple(sources), outer.nested)


def file_names(scope: Scope) -> tuple[str, ...]:
    """Paths of all files and links below the root that count, sorted; some may be gone already.

    Raises:
        UsageError: there is a repository, but git refuses to use it.
    """
    names = Lister(scope).start().finish()
    return tuple(sorted(names.tracked | names.others))


def walked(scope: Scope) -> Iterator[str]:
    """Paths of files and links below the root, without asking git, in no order.

    Folders that cannot be read and files that vanish meanwhile are passed over; no link is
    followed.
    """
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(scope.root / folder) as entries:
                for entry in entries:
                    path = f"{folder}{entry.name}"
                    if not scope.counts(path):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{path}/")
                    else:
                        yield path
        except OSError:
            continue
