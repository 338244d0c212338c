"""Where everything lies in the state folder."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agent_runner.ground.disk import Disk

FOLDER = ".agent-runner"
"""The state folder's name, beside the task list."""

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
        """One call's folder: prompt.md, request.json, response.json."""
        return self.attempt(task, attempt) / call

    def create(self, disk: "Disk") -> None:
        """Make the folder, private to the user, ignored by git (its own .gitignore included)."""
        from agent_runner.ground.disk import storage_errors  # lazy: status only needs the paths

        with storage_errors(self.folder):
            disk.create_folder(self.folder)
            self.folder.chmod(0o700)
            ignore = self.folder / ".gitignore"
            if not ignore.exists():
                disk.write_file(ignore, _GITIGNORE)
