"""A disk that remembers what was synced, so that a test sees what a power cut would leave."""

import os
from collections.abc import Collection
from pathlib import Path

from agent_runner.ground.disk import Disk


class LossyDisk(Disk):
    """Works like the real one; `power_cut` rolls the folder back to what had been synced.

    The strictest reading: content counts after a sync of its file, a name after a sync of its
    folder. `keep` bytes of what was appended since may survive (a torn tail), as a real disk may
    have written some of it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._content: dict[int, bytes] = {}  # by inode
        self._names: dict[Path, int] = {}
        for path in root.rglob("*"):  # what is there before counts as durable
            self._names[path] = path.stat().st_ino
            if path.is_file():
                self._content[path.stat().st_ino] = path.read_bytes()

    def sync(self, descriptor: int) -> None:
        super().sync(descriptor)
        self._content[os.fstat(descriptor).st_ino] = _read(descriptor)

    def sync_folder(self, folder: Path) -> None:
        super().sync_folder(folder)
        self._names = {p: i for p, i in self._names.items() if p.parent != folder}
        for path in folder.iterdir():
            self._names[path] = path.stat().st_ino

    def power_cut(self, *, keep: int = 0, of: Collection[str] | None = None) -> None:
        """Leave only what was synced; of unsynced appends keep the first `keep` bytes.

        `of`: only of files with these names, since pages reach a disk in any order.
        """
        files = [p for p in self.root.rglob("*") if p.is_file()]
        now = {p: p.read_bytes() for p in files}
        for path in files:
            path.unlink()
        for path, inode in self._names.items():
            if self.root not in path.parents or path.is_dir() or not path.parent.is_dir():
                continue
            if path.name == "lock":
                continue
            content = self._content.get(inode, b"")
            written = now.get(path, b"")
            if written.startswith(content) and (of is None or path.name in of):
                content += written[len(content) : len(content) + keep]
            path.write_bytes(content)


def _read(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0)
