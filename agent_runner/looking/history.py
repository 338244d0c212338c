"""Asks git about the past so that it runs nothing, writes nothing, and shows nothing hidden.

Which paths are hidden is decided by `Files`, path by path, as for every other tool: git is first
asked which paths there are, and then only for those that may be seen, named literally. A pathspec
that excludes would have to say the same a second time.
"""

from collections.abc import Sequence

from attrs import evolve, frozen

from agent_runner.looking.arguments import AskError
from agent_runner.looking.files import Files, shown
from agent_runner.model.errors import UsageError
from agent_runner.workspace.command import Answer
from agent_runner.workspace.git import Repository
from agent_runner.workspace.reading import MAX_BYTES
from agent_runner.workspace.secrets import holds_secret

LIMIT = 10.0
"""Seconds for one answer of git."""

NOTHING_RUN = ("--no-ext-diff", "--no-textconv")


@frozen
class Blob:
    """A content that git keeps: its hex name, or all zeros for what lies in the files."""

    name: str

    @property
    def is_stored(self) -> bool:
        """Whether git has it."""
        return bool(self.name.strip("0"))


@frozen
class History:
    """The repository around a task's root; answers are bounded in time."""

    repository: Repository
    files: Files

    @classmethod
    def of(cls, files: Files) -> "History":
        """The history of the task's folder. Raises AskError where there is none."""
        repository = Repository.find(files.root) if files.scope.git else None
        if repository is None:
            raise AskError("there is no git repository here.", "no repository")
        limited = evolve(repository.git, limit=LIMIT)
        return cls(evolve(repository, git=limited), files)

    def ask(self, args: Sequence[str], stdin: bytes = b"") -> Answer:
        """Git's answer. Raises AskError where it failed or took too long."""
        try:
            answer = self.repository.ask(list(args), stdin)
        except UsageError as error:
            message = f"git did not answer within {LIMIT:g} s: narrow it with path."
            raise AskError(message, "git took too long") from error
        if answer.code:
            first = answer.err.partition("\n")[0].removeprefix("fatal: ")
            raise AskError(f"git: {first or f'exit code {answer.code}'}", "git failed")
        return answer

    def commit(self, revision: str) -> str:
        """The hex name of the commit that is meant.

        Raises AskError for what names none; an option in its place (`--output=FILE` writes one) is
        a name like any other.
        """
        args = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
        try:
            return self.ask(args).line
        except AskError as error:
            message = (
                f"{shown(revision)} names no commit; git_log lists some, and HEAD~1 is the one"
                " before the last."
            )
            raise AskError(message, "no such revision") from error

    def path(self, spelling: str) -> str:
        """The path that history is asked of, `.` for all; it need not exist any more.

        Raises AskError for one that is hidden.
        """
        path = self.files.plain(spelling or ".")
        if path == ".":
            return path
        if self.files.hid(path) or (self._is_ignored(path) and not self.files.below(path)):
            raise self.files.missing(path)
        return path

    def shows(self, path: str) -> bool:
        """Whether a path out of history may be seen."""
        return not self.files.hid(path)

    def holds_secret(self, path: str, blobs: Sequence[Blob]) -> bool:
        """Whether one of the contents that a file had holds a secret, or cannot be judged."""
        for blob in blobs:
            if not blob.is_stored:
                continue
            if int(self.ask(["cat-file", "-s", blob.name]).line) > MAX_BYTES:
                return True
            content = self.ask(["cat-file", "blob", blob.name]).out
            if holds_secret(path, content.decode("utf-8", "replace")):
                return True
        return False

    def _is_ignored(self, path: str) -> bool:
        return not self.files.shows(path) and bool(self.repository.ignored([path]))
