"""The task's files as the agent may see them: without what is hidden, with its drafts over them.

Every tool asks here, so that all hide alike: what is not in `names` is not there for any of them.
"""

import os
import posixpath
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from attrs import define, field

from agent_runner.ground.escaping import on_one_line
from agent_runner.ground.globs import Globs, is_plain
from agent_runner.ground.suggestions import near_paths
from agent_runner.looking.arguments import AskError
from agent_runner.model.shown_files import NotShown
from agent_runner.workspace.names import Scope
from agent_runner.workspace.reading import read_text, why_not
from agent_runner.workspace.secrets import holds_secret, looks_secret

Drafted = Mapping[str, bytes | None]
"""Files that differ from the disk, with what they would hold; None: they would be gone."""

_NO_TEXT = frozenset({"it is a binary file", "it is not UTF-8 text"})


@define
class Files:
    """The files below a root.

    Attributes:
        scope: The root and the folders in it that do not count.
        hide: Files that the user wants no agent to see.
        all_names: Paths of all files that count, hidden ones included, sorted.
        drafted: What the agent has drafted by now.
    """

    scope: Scope
    hide: Globs
    all_names: Sequence[str]
    drafted: Callable[[], Drafted] = dict
    _names: tuple[str, ...] | None = field(init=False, default=None)
    _drafted: Drafted | None = field(init=False, default=None)

    @property
    def root(self) -> Path:
        """The task's folder."""
        return self.scope.root

    @property
    def drafts(self) -> Drafted:
        """What is drafted, read once until `changed`."""
        if self._drafted is None:
            self._drafted = self.drafted()
        return self._drafted

    @property
    def names(self) -> tuple[str, ...]:
        """Paths of all files that may be seen, sorted, drafted ones included."""
        if self._names is None:
            drafts = self.drafts
            self._names = _visible(tuple(self.all_names), self.hide)
            if drafts:
                names = [name for name in self._names if name not in drafts]
                names += [n for n, raw in drafts.items() if raw is not None and not self.hides(n)]
                self._names = tuple(sorted(names))
        return self._names

    def changed(self) -> None:
        """Something was drafted: look anew."""
        self._names = self._drafted = None

    def hides(self, path: str) -> bool:
        """Whether the path of a file that counts is hidden by its name."""
        return _hides(path, self.hide)

    def hides_text(self, path: str, text: str) -> bool:
        """Whether a file is hidden, by its path or by the text that it holds."""
        return self.hides(path) or holds_secret(path, text)

    def hid(self, path: str) -> bool:
        """Whether a path that only git's history knows, perhaps, is hidden by its name."""
        return self.hides(path) or not self.scope.counts(path, tracked=True)

    def shows(self, path: str) -> bool:
        """Whether the file is one that may be seen."""
        at = bisect_left(self.names, path)
        return at < len(self.names) and self.names[at] == path

    def text(self, path: str) -> str:
        """The text of one of `names`, as it stands or as it is drafted.

        Raises AskError where it is none, or holds a secret.
        """
        if path in self.drafts:
            return self._drafted_text(path, self.drafts[path] or b"")
        try:
            found = read_text(self.root, path)
        except (OSError, ValueError) as error:
            raise AskError(f"{shown(path)} cannot be read.", "cannot be read") from error
        if isinstance(found, NotShown):
            raise _not_shown(path, found.reason)
        return found.text

    def check_move(self, path: str) -> None:
        """Refuse to give a file that holds a secret another name, by which it might be read.

        Raises AskError.
        """
        try:
            self.text(path)
        except AskError as error:
            if error.outcome not in _NO_TEXT:
                raise

    def size(self, path: str) -> int:
        """How many bytes the file has; 0 for one that is gone meanwhile."""
        if path in self.drafts:
            return len(self.drafts[path] or b"")
        try:
            return (self.root / path).lstat().st_size
        except (OSError, ValueError):
            return 0

    def plain(self, spelling: str) -> str:
        """The path relative to the root, `.` for the root itself, however it was spelled.

        An absolute one is taken if it lies below the root. Raises AskError for one that lies
        outside. Whether anything is there is not looked at.
        """
        path = spelling.strip().replace("\\", "/") if "/" not in spelling else spelling.strip()
        for root in (str(self.root), os.path.realpath(self.root)):
            if path == root or path.startswith(f"{root}/"):
                path = path[len(root) :].lstrip("/")
                break
        path = posixpath.normpath(path) if path else "."
        if path.startswith(("/", "~", "../")) or path == "..":
            raise AskError(
                f"{shown(spelling)} lies outside the task's folder; paths are relative to it.",
                "outside the folder",
            )
        return path

    def below(self, folder: str) -> Sequence[str]:
        """The names of all files below a folder."""
        if folder == ".":
            return self.names
        low = bisect_left(self.names, f"{folder}/")
        high = bisect_left(self.names, f"{folder}0")  # "0" is what follows "/"
        return self.names[low:high]

    def selected(self, spelling: str) -> Sequence[str]:
        """The files that a path, a folder or a glob means.

        Raises AskError where none does, with names that come near.
        """
        path = self.plain(spelling)
        if self.shows(path):
            return (path,)
        found = self.below(path)
        if found or path == ".":
            return found
        if is_plain(path):
            raise self.missing(path)
        anchor = "/" if spelling.startswith("./") else ""  # else a lone name holds at any depth
        found = Globs((f"{anchor}{path}",)).covered(self.names)
        if not found:
            raise AskError(
                f"no file matches {shown(spelling)} ({counted(len(self.names), 'file')} in all).",
                "no file",
            )
        return found

    def missing(self, path: str) -> AskError:
        """Why a plain path is none of the files, with names that come near."""
        if path == ".":
            return AskError("`.` is the task's folder, not a file.", "a folder")
        if below := self.below(path):
            count = counted(len(below), "file")
            return AskError(
                f'{shown(path)} is a folder with {count}: ask list_files with path "{path}".',
                "a folder",
            )
        if self.hides(path):
            return _not_shown(path, "it is hidden, as it may hold a secret")
        if path in self.drafts:
            return _not_shown(path, "you deleted or moved it")
        if not self.scope.counts(path, tracked=True):
            return _not_shown(path, "it is not part of the task's files")
        try:
            reason = why_not(self.scope, path, ()).reason
        except (OSError, ValueError):
            reason = "there is no such file"
        near = self.near(path) if reason == "there is no such file" else ()
        hint = f"; did you mean {', '.join(map(shown, near))}?" if near else ""
        return _not_shown(path, f"{reason}{hint}")

    def near(self, path: str) -> tuple[str, ...]:
        """At most three paths that it may be meant for: of the same name first."""
        return near_paths(path, [*self.names, *self._folders()])

    def _folders(self) -> Iterable[str]:
        return {posixpath.dirname(name) for name in self.names} - {""}

    def _drafted_text(self, path: str, content: bytes) -> str:
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise _not_shown(path, "it is not UTF-8 text") from error
        if "\0" in text:
            raise _not_shown(path, "it is a binary file")
        if holds_secret(path, text):
            raise _not_shown(path, "it holds a key or an access token")
        return text


@lru_cache(maxsize=4)  # most replies leave the names of 50,000 files as they were
def _visible(names: tuple[str, ...], hide: Globs) -> tuple[str, ...]:
    return tuple(name for name in names if not _hides(name, hide))


def _hides(path: str, hide: Globs) -> bool:
    return looks_secret(path) or (bool(hide.patterns) and hide.covers(path))


def shown(path: str) -> str:
    """A path within a sentence."""
    return f"`{on_one_line(path[:300])}`"


def counted(number: int, word: str) -> str:
    """A number with its noun: `1 file`, `2,300 files`, `3 matches`."""
    plural = f"{word}es" if word.endswith(("ch", "s")) else f"{word}s"
    return f"{number:,} {word if number == 1 else plural}"


def _not_shown(path: str, reason: str) -> AskError:
    end = "" if reason.endswith("?") else "."
    return AskError(f"{shown(path)} is not shown: {reason}{end}", reason.partition(";")[0])
