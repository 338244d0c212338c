"""The project files that the user has trusted, kept in the home folder by their content.

A file is trusted as it stands: any change of it asks again, and then says what changed, for which a
copy of the text is kept. Nothing in a project can change this record; only the user's commands do.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from agent_runner.ground.disk import Disk, storage_errors
from agent_runner.ground.plain_files import read_plain

NAME = "trusted.json"
_LONGEST_DIFF = 40


@frozen
class Trusted:
    """One file that was trusted: where it lies, and what it said then."""

    file: Path
    text: str

    @property
    def sha256(self) -> str:
        """The hash of its content."""
        return _hash(self.text)


@frozen
class TrustedFiles:
    """The record below `folder`, the user's own `~/.agent-runner`."""

    folder: Path
    disk: Disk

    def all(self) -> tuple[Trusted, ...]:
        """Every trusted file. A record that cannot be read trusts nothing."""
        try:
            content: Any = json.loads(read_plain(self.folder / NAME, follow=True))
            return tuple(Trusted(Path(one["file"]), str(one["text"])) for one in content["files"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return ()

    def trusts(self, files: Mapping[Path, str]) -> bool:
        """Whether each of these files was trusted with the very text that it has now."""
        known = {(one.file, one.sha256) for one in self.all()}
        return all((file, _hash(text)) in known for file, text in files.items())

    def changes(self, files: Mapping[Path, str]) -> tuple[str, ...]:
        """What changed in files that were trusted before, as lines of a diff; () for new ones."""
        known = {one.file: one.text for one in self.all()}
        lines: list[str] = []
        for file, text in files.items():
            if file in known and known[file] != text:
                lines += difflib.unified_diff(
                    known[file].splitlines(),
                    text.splitlines(),
                    f"{file.name} as you trusted it",
                    f"{file.name} now",
                    lineterm="",
                    n=1,
                )
        if len(lines) > _LONGEST_DIFF:
            more = len(lines) - _LONGEST_DIFF
            lines = [*lines[:_LONGEST_DIFF], f"... and {more} lines more"]
        return tuple(lines)

    def add(self, files: Mapping[Path, str]) -> None:
        """Trust these files as they stand. Raises StorageError."""
        kept = [one for one in self.all() if one.file not in files]
        self._write([*kept, *(Trusted(file, text) for file, text in files.items())])

    def remove(self, files: Mapping[Path, str]) -> bool:
        """Trust these files no longer; whether one of them was. Raises StorageError."""
        known = self.all()
        kept = [one for one in known if one.file not in files]
        if len(kept) < len(known):
            self._write(kept)
        return len(kept) < len(known)

    def _write(self, trusted: list[Trusted]) -> None:
        files = [{"file": str(one.file), "sha256": one.sha256, "text": one.text} for one in trusted]
        content = json.dumps({"format": 1, "files": files}, indent=1)
        with storage_errors(self.folder):
            self.disk.create_folder(self.folder)
            self.disk.write_file(self.folder / NAME, f"{content}\n".encode())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
