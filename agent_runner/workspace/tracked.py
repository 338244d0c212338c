"""What git tracks below a root: the paths and contents that its index names."""

import os
from bisect import bisect_left
from collections.abc import Callable

from attrs import define, field, frozen

from agent_runner.workspace.git import Repository

_GITLINK = b"160000"  # the mode of a submodule's entry, which is no file
_MODE_AT, _HASH_AT = 2, 9  # where they begin in a record of a tracked file


@frozen
class Tracked:
    """The tracked files of one repository: their paths, and what git said of them, to be read."""

    paths: frozenset[str] = frozenset()
    links: tuple[str, ...] = ()
    _rows: tuple[str, ...] = field(default=(), repr=False, eq=False)
    _start: int = 0

    @classmethod
    def parsed(
        cls, said: bytes, digits: int, counted: Callable[[list[str]], list[str]]
    ) -> "Tracked":
        """Read records `TAG MODE HASH STAGE` tab PATH.

        `digits` is the length of a hash; `counted` picks the paths that count.
        """
        rows = os.fsdecode(said).split("\0")[:-1]
        start = _HASH_AT + digits + 3
        links: list[str] = []
        if _GITLINK in said:
            mode = _GITLINK.decode()
            links = [row[start:] for row in rows if row.startswith(mode, _MODE_AT)]
            rows = [row for row in rows if not row.startswith(mode, _MODE_AT)]
        paths = counted([row[start:] for row in rows])
        return cls(frozenset(paths), tuple(links), tuple(rows), start)

    def is_in(self, folder: str) -> bool:
        """Whether anything in a folder ("": the root) is tracked, also what does not count."""
        if not folder:
            return bool(self._rows or self.links)
        start, below = self._start, f"{folder}/"
        at = bisect_left(self._rows, os.fsencode(below), key=lambda row: os.fsencode(row[start:]))
        found = at < len(self._rows) and self._rows[at].startswith(below, start)
        return found or any(link.startswith(below) for link in self.links)

    def hashes(self, digits: int) -> frozenset[str]:
        """The hex names of all contents that the index has."""
        return frozenset(row[_HASH_AT : _HASH_AT + digits] for row in self._rows)


@define(eq=False)
class Source:
    """A repository whose files count: `prefix` is "", or ends in `/` for one inside the root."""

    prefix: str
    repository: Repository
    tracked: Tracked
    _hashes: frozenset[str] | None = None

    def keeps(self, name: bytes) -> bool:
        """Whether the repository has a content, by git's name, and will have it for some time.

        Not one whose `.git` folder lies in its own folder inside the root: what takes away its
        files may take away its contents as well.
        """
        if self._hashes is None:
            git = self.repository.git
            if self.prefix and git.git_dir.is_relative_to(git.work_tree):
                self._hashes = frozenset()
            else:
                self._hashes = self.tracked.hashes(self.repository.digits)
        return name.hex() in self._hashes
