"""The log of one task's hooks: bytes, appended as they come, a header and a trailer per try."""

import contextlib
import os
from pathlib import Path
from typing import Self

from attrs import define, field

from agent_runner.ground.disk import create_folder_below, storage_errors, write_all
from agent_runner.ground.plain_files import open_plain


@define(eq=False)
class HookLog:
    """One log file, open for appending. Raises StorageError where the disk refuses.

    What it reads back it reads through the same descriptor: a hook that removes the file takes
    nothing from the run. `offset` and `length` are the output's place in the file, in bytes.
    """

    path: Path
    _fd: int
    offset: int = 0
    length: int = 0
    _ends_line: bool = field(default=True, init=False)

    @classmethod
    def open(cls, top: Path, name: str) -> Self:
        """Open or create the file `name` below `top`, with its folders; only the user may read it.

        No link below `top` is followed.
        """
        path = top / name
        with storage_errors(path):
            if not top.is_dir():
                top.mkdir(mode=0o700, parents=True, exist_ok=True)
            create_folder_below(top, path.parent)
            return cls(path, open_plain(path, os.O_RDWR | os.O_APPEND | os.O_CREAT))

    def begin(self, header: str) -> None:
        """Write the header of a try; its output stands from here on."""
        self._append(header.encode(errors="surrogateescape"))
        with storage_errors(self.path):
            self.offset = os.fstat(self._fd).st_size
        self.length = 0
        self._ends_line = True

    def write(self, piece: bytes) -> None:
        """Append a piece of output as it is."""
        if piece:
            self._append(piece)
            self.length += len(piece)
            self._ends_line = piece.endswith(b"\n")

    def finish(self, trailer: str) -> None:
        """Write the trailer of a try, on a line of its own."""
        self._append((("" if self._ends_line else "\n") + trailer).encode())

    def read(self, at: int, size: int) -> bytes:
        """At most `size` bytes of this try's output, from its byte `at`."""
        with contextlib.suppress(OSError):  # a disk that no longer reads: the result says less
            return os.pread(self._fd, max(0, min(size, self.length - at)), self.offset + at)
        return b""

    def close(self) -> None:
        """Close the file; what was written to it stays."""
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, content: bytes) -> None:
        with storage_errors(self.path):
            write_all(self._fd, content)
