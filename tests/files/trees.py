"""Real folders as values, to be written and compared.

Contents in memory as the blobs of a change set.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from agent_runner.edits.plan import Planned
from agent_runner.files.apply import Conflict, OnWrite, apply
from agent_runner.model.changes import ChangeSet

Tree = dict[str, tuple[bytes, int]]
"""Path to content and permission bits; folders end with a slash."""


@frozen
class MemoryBlobs:
    """Blobs held in memory."""

    contents: Mapping[str, bytes]

    def get(self, name: str) -> bytes:
        return self.contents[name]


def write_tree(root: Path, files: Mapping[str, bytes | str]) -> None:
    """Write the files, and the folders they need."""
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(0o644)


def read_tree(root: Path) -> Tree:
    """All that is below the root; links are named by their target."""
    found: Tree = {}
    for folder, folders, names in os.walk(root):
        base = Path(folder)
        for name in folders:
            found[(base / name).relative_to(root).as_posix() + "/"] = (b"", 0)
        for name in names:
            path = base / name
            mode = path.lstat().st_mode
            content = path.read_bytes() if stat.S_ISREG(mode) else b"(no file)"
            found[path.relative_to(root).as_posix()] = (content, stat.S_IMODE(mode))
    return found


def apply_planned(planned: Planned, root: Path, on_write: OnWrite | None = None) -> Conflict | None:
    """Apply with the images that the plan holds."""
    return apply(planned.change_set, root, MemoryBlobs(planned.blobs), on_write)


def undo(change_set: ChangeSet, planned: Planned, root: Path) -> Conflict | None:
    """Take the change set back."""
    return apply(change_set.inverted("back"), root, MemoryBlobs(planned.blobs))
