"""Where everything lies in the state folder, and whether that is what is there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent_runner.ground.plain_files import kind_of
from agent_runner.model.errors import StateError

if TYPE_CHECKING:
    from agent_runner.ground.disk import Disk

FOLDER = ".agent-runner"
"""The state folder's name, beside the task list."""

_FILES = {
    "journal.jsonl",
    "state.json",
    "list.json",
    "lock",
    "holder.json",
    ".gitignore",
    "commit.index",
    "report.html",
    "tasks.schema.json",
    "config.schema.json",
}
_FOLDERS = {"blobs", "snapshots", "archive", "logs"}

_GITIGNORE = b"# kept out of git, so that `git clean -fd` leaves it alone\n*\n!config.yml\n"


class Layout(NamedTuple):
    """The paths inside one state folder."""

    folder: Path

    @property
    def journal(self) -> Path:
        """The journal: what happened, in order; everything else follows from it."""
        return self.folder / "journal.jsonl"

    @property
    def snapshot(self) -> Path:
        """The state as the journal says it, kept so that opening is quick."""
        return self.folder / "state.json"

    @property
    def list_outline(self) -> Path:
        """Ids and titles of the list, a cache."""
        return self.folder / "list.json"

    @property
    def commit_index(self) -> Path:
        """The index of the commit that is being made."""
        return self.folder / "commit.index"

    @property
    def lock(self) -> Path:
        """Held while a command changes the state."""
        return self.folder / "lock"

    @property
    def holder(self) -> Path:
        """Who holds the lock, for the message that the next command gives."""
        return self.folder / "holder.json"

    @property
    def report(self) -> Path:
        """The page that `report` writes where no other file is named."""
        return self.folder / "report.html"

    @property
    def blobs(self) -> Path:
        """Images of files and long payloads, named by their sha256."""
        return self.folder / "blobs"

    @property
    def snapshots(self) -> Path:
        """What the tasks' files were at one time and another."""
        return self.folder / "snapshots"

    @property
    def archive(self) -> Path:
        """States that `run --fresh` has put aside."""
        return self.folder / "archive"

    def logs(self, task: str) -> Path:
        """Everything about one task that people may want to read."""
        return self.folder / "logs" / task

    def attempt(self, task: str, attempt: int) -> Path:
        """One attempt's folder: the diff of its change, and a folder for each call."""
        return self.logs(task) / f"attempt-{attempt:02}"

    def call(self, task: str, attempt: int, call: str) -> Path:
        """One call's folder, for people: response.json, or what came of one that broke off."""
        return self.attempt(task, attempt) / call

    def check(self) -> None:
        """Refuse what is none of ours in the folder's place, or in place of what belongs in it.

        A downloaded project may bring a state folder with links to the user's own files, and one
        of another user may say what it likes about the files here. Of what lies deeper each piece
        is looked at when it is opened (`ground/plain_files.py`).

        Raises StateError; nothing was changed.
        """
        try:
            self._check_folder()
            for path, wanted in self.misplaced():
                raise _misplaced(path, wanted)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StateError(
                f"the state in {self.folder} cannot be read: {error.strerror or error}"
                f"{_owned(self.folder)}; nothing was changed",
                fix="fix the permissions, or keep another state: --state-dir DIR",
            ) from error

    def misplaced(self) -> Iterator[tuple[Path, str]]:
        """What is of another kind than it should be, and which that is. Raises OSError."""
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name in _FILES and not entry.is_file(follow_symlinks=False):
                    yield Path(entry), "a file"
                elif entry.name in _FOLDERS and not entry.is_dir(follow_symlinks=False):
                    yield Path(entry), "a folder"

    def _check_folder(self) -> None:
        status = self.folder.lstat()
        if not stat.S_ISDIR(status.st_mode):
            raise _misplaced(
                self.folder, "a folder", ", or name the folder itself: --state-dir DIR"
            )
        # the owner of the project is trusted: its hooks are run, and some file systems know one
        # owner only; root may look after everybody's
        trusted = {os.geteuid(), self.folder.parent.stat().st_uid}
        if os.geteuid() and status.st_uid not in trusted:
            raise StateError(
                f"the state in {self.folder} is not yours{_owned(self.folder)};"
                " nothing was changed",
                fix="run it as that user, or keep another state: --state-dir DIR",
            )

    def create(self, disk: "Disk") -> None:
        """Make the folder, private to the user, ignored by git (its own .gitignore included).

        One that is there keeps its mode: it may be the user's own. All that is put into it is
        private by itself.
        """
        from agent_runner.ground.disk import storage_errors  # lazy: status only needs the paths

        self.check()
        with storage_errors(self.folder):
            disk.create_folder(self.folder)
            ignore = self.folder / ".gitignore"
            if not ignore.exists():
                disk.write_file(ignore, _GITIGNORE)


def _misplaced(path: Path, wanted: str, more: str = "") -> StateError:
    return StateError(
        f"{path} is {kind_of(path.lstat().st_mode)}, not {wanted}; nothing was changed",
        fix=f"look where it comes from, and move it away{more}",
        command=() if more else ("doctor",),
    )


def _owned(folder: Path) -> str:
    """Whose the folder is, behind a comma, where it is somebody else's."""
    try:
        owner = folder.lstat().st_uid
    except OSError:
        return ""
    if owner == os.geteuid():
        return ""
    import pwd  # lazy: for one message

    try:
        return f", it belongs to {pwd.getpwuid(owner).pw_name}"
    except KeyError:
        return f", it belongs to user {owner}"
