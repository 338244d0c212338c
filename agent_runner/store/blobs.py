"""Contents by their sha256: images of files and payloads too long for the journal."""

import hashlib
from pathlib import Path

from attrs import frozen

from agent_runner.ground.disk import Disk, storage_errors
from agent_runner.model.errors import StateError


@frozen
class Blobs:
    """A folder of files named by the sha256 of their content; written once, never changed."""

    folder: Path
    disk: Disk

    def put(self, content: bytes) -> str:
        """Store the content durably and return its sha256 (64 hex digits)."""
        name = hashlib.sha256(content).hexdigest()
        path = self._path(name)
        if not self._holds(path, content):
            with storage_errors(path):
                self.disk.create_folder(path.parent)
                self.disk.write_file(path, content)
        return name

    def get(self, name: str) -> bytes:
        """The content. Raises StateError if it is gone or damaged."""
        path = self._path(name)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise StateError(f"{path}: {error.strerror}: a stored content is missing") from error
        if hashlib.sha256(content).hexdigest() != name:
            raise StateError(f"{path}: the stored content is damaged (its sha256 differs)")
        return content

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name[2:]

    @staticmethod
    def _holds(path: Path, content: bytes) -> bool:
        """Compare, not just look: a power cut may have left the name with half of the content."""
        try:
            return path.read_bytes() == content
        except OSError:
            return False
