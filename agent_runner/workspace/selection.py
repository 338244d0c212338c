"""Which of a task's files a command is given, in a copy or over an overlay."""

import bisect
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from agent_runner.workspace.names import NEVER
from agent_runner.workspace.snapshots import SnapshotReader

_ENVIRONMENT = "pyvenv.cfg"  # a file in every virtual environment of Python's


@frozen
class Selection:
    """All files but the state folder, repositories, and those named in `left_out`, at any depth.

    `original` reads the task's root; it has looked before anything is asked here.
    """

    original: SnapshotReader
    left_out: frozenset[str] = frozenset()

    def has(self, path: str) -> bool:
        """Whether a file or folder, relative to the root, is given; its folder is."""
        name = path.rpartition("/")[2]
        return not self._is_left_out(name) and not self.original.scope.excludes(path)

    def is_installed(self, path: str) -> bool:
        """Whether a folder holds installed dependencies, and nothing that git does not ignore.

        Not in a repository inside, which would see a link in its place as a new file.
        """
        folder, inside = self.original.scope.root / path, self.original.sources[1:]
        if folder.name != "node_modules" and not is_environment(folder):
            return False
        if "\n" in path or any(path.startswith(source.prefix) for source in inside):
            return False
        names = self.original.names
        at = bisect.bisect(names, f"{path}/")
        return not names[at : at + 1] or not names[at].startswith(f"{path}/")

    def hidden(self) -> Iterator[str]:
        """All that there is and that is not given, the topmost alone; not in what is installed."""
        root, waiting = self.original.scope.root, [""]
        while waiting:
            prefix = waiting.pop()
            with contextlib.suppress(OSError), os.scandir(root / prefix) as entries:  # not readable
                for entry in entries:
                    path = f"{prefix}{entry.name}"
                    if not self.has(path):
                        yield path
                    elif entry.is_dir(follow_symlinks=False) and not self.is_installed(path):
                        waiting.append(f"{path}/")

    def _is_left_out(self, name: str) -> bool:
        return name in NEVER or name in self.left_out


def is_environment(folder: Path) -> bool:
    """Whether a folder is a virtual environment of Python's."""
    return (folder / _ENVIRONMENT).is_file()
