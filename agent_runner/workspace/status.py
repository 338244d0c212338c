"""What one `git status` says of a root: branch, head, what differs, and which files are new."""

import os
import re
from collections.abc import Callable, Iterator

from attrs import frozen

_OPTIONS = [
    *("--porcelain=v2", "--branch", "--no-ahead-behind", "-z", "--no-renames"),
    "--ignore-submodules=dirty",  # what lies in them is not looked at: it would run git there
]
_BEFORE_UNTRACKED = re.compile(rb"(?:[^?][^\0]*\0)*")
_FIELDS = {"1": 8, "u": 10}  # before the path in a record of a changed and of an unmerged file
_CODE, _UNCHANGED = slice(2, 4), "."
_SUBMODULE_AT = 5
_OID, _BRANCH = "# branch.oid ", "# branch.head "


@frozen
class GitStatus:
    """The repository in a few lines.

    `lines` are as in `git status --short`, `more` is how many were cut. `branch` is None on a
    detached head; `head` is "" before the first commit.
    """

    branch: str | None
    head: str
    lines: tuple[str, ...] = ()
    more: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing differs from the last commit."""
        return not self.lines


@frozen
class Report:
    """An answer of `git status`, taken apart; paths are relative to the root.

    `changed`: the two letters of `git status --short` and the path of each tracked file that
    differs. `doubted`: those of them that are not as in the index; no submodules. `untracked`: as
    records `? PATH` that end in NUL, which is how `git ls-files -t` writes them, too.
    """

    branch: str | None
    head: str
    changed: tuple[tuple[str, str], ...]
    doubted: frozenset[str]
    untracked: bytes

    @classmethod
    def parsed(cls, said: bytes, prefix: str) -> "Report":
        """Read the answer; `prefix` is where the root lies in the work tree."""
        match = _BEFORE_UNTRACKED.match(said)
        end = match.end() if match else 0
        branch, head = "", ""
        changed: list[tuple[str, str]] = []
        doubted: list[str] = []
        for record in os.fsdecode(said[:end]).split("\0")[:-1]:
            if record.startswith(_OID):
                head = record[len(_OID) :]
            elif record.startswith(_BRANCH):
                branch = record[len(_BRANCH) :]
            elif record[0] in _FIELDS:
                path = record.split(" ", _FIELDS[record[0]])[-1].removeprefix(prefix)
                changed.append((record[_CODE].replace(_UNCHANGED, " "), path))
                if record[_CODE][1] != _UNCHANGED and record[_SUBMODULE_AT] != "S":
                    doubted.append(path)
        return cls(
            None if branch == "(detached)" else branch,
            "" if head == "(initial)" else head,
            tuple(changed),
            frozenset(doubted),
            re.sub(rb"(?<![^\0])\? " + re.escape(os.fsencode(prefix)), b"? ", said[end:]),
        )

    @property
    def new(self) -> tuple[str, ...]:
        """Paths of what git does not track; of folders too, where the question was for them."""
        return tuple(record[2:] for record in os.fsdecode(self.untracked).split("\0")[:-1])

    @property
    def modified(self) -> frozenset[str]:
        """All paths that differ from the last commit, staged or not, or are new."""
        return frozenset((*(path for _, path in self.changed), *self.new))

    def status(self, limit: int = 50, is_tracked: Callable[[str], bool] | None = None) -> GitStatus:
        """The same in at most `limit` lines.

        `is_tracked`: whether git tracks anything in a folder ("": the root). With it, a folder in
        which git tracks nothing is one line, as it is in `git status`.
        """
        new = self.new if is_tracked is None else dict.fromkeys(_folded(self.new, is_tracked))
        entries = (*self.changed, *(("??", path) for path in new))
        lines = tuple(f"{code} {shown(path or './')}" for code, path in entries[:limit])
        return GitStatus(self.branch, self.head, lines, max(0, len(entries) - limit))


def asking(untracked: str) -> list[str]:
    """Git's arguments for a report on the folder it runs in; `untracked`: `all` or `normal`."""
    return ["status", *_OPTIONS, f"--untracked-files={untracked}", "--", "."]


def _folded(paths: tuple[str, ...], is_tracked: Callable[[str], bool]) -> Iterator[str]:
    """For each path the uppermost folder in which nothing is tracked, or the path itself."""
    known: dict[str, str | None] = {}
    for path in paths:
        place = path.rstrip("/").rpartition("/")[0]
        if place not in known:
            slashes = (at for at, letter in enumerate(f"{place}/") if letter == "/")
            above = ("", *(place[:end] for end in slashes if end))
            untracked = (one for one in above if not is_tracked(one))
            known[place] = next((f"{one}/" if one else "" for one in untracked), None)
        folder = known[place]
        yield path if folder is None else folder


def shown(path: str) -> str:
    """A path on one line: control characters and bytes that are no UTF-8 are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in path)
