"""Where a task lives: inside the project, whatever symlinks say."""

import os
from pathlib import Path

from attrs import frozen

_OURS = frozenset({".git", ".agent-runner"})
_LONGEST_NAME, _LONGEST_PATH = 255, 4000
"""Bytes of a folder's name, and of a whole path, which has to leave room for files below it."""


@frozen
class Root:
    """A task's absolute folder. `fault`: why it cannot be one, as the end of a sentence, or ""."""

    folder: Path
    fault: str = ""
    hint: str = ""


class Roots:
    """Finds roots below `project` (absolute, without symlinks); every path is looked up once."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._known: dict[str, Root] = {}

    def of(self, path: str) -> Root:
        """The root that `path` (relative to the project) means. A folder need not be there yet."""
        if path not in self._known:
            self._known[path] = self._find(path)
        return self._known[path]

    def _find(self, path: str) -> Root:
        relative = "it is relative to the task list's folder"
        is_long = len(os.fsencode(self._project / path)) > _LONGEST_PATH
        if "\0" in path or is_long or any(map(_is_long, path.split("/"))):
            return Root(self._project, "cannot be the name of a folder")
        if path.startswith("~"):
            return Root(self._project, "leaves the project", relative)
        # real paths on both sides: a symlink inside the project may lead out of it
        folder = Path(os.path.realpath(self._project / path))
        if not folder.is_relative_to(self._project):
            lexical = Path(os.path.normpath(self._project / path))
            linked = lexical.is_relative_to(self._project)
            hint = f"through a symlink, to {folder}" if linked else relative
            return Root(self._project, "leaves the project", hint)
        inside = folder.relative_to(self._project)
        if any(part.casefold() in _OURS for part in inside.parts):
            return Root(self._project, "lies in a folder that no task may change")
        if not _is_folder_or_free(folder):
            return Root(self._project, "is not a folder")
        return Root(folder)


def _is_long(name: str) -> bool:
    return len(os.fsencode(name)) > _LONGEST_NAME


def _is_folder_or_free(folder: Path) -> bool:
    """Whether it is a folder, or could be made one: the nearest thing that exists is a folder."""
    place = folder
    while not os.path.lexists(place):
        place = place.parent
    return place.is_dir()
