"""What git knows of a task's root: branch, head, status, what it ignores. Writes nothing."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from attrs import frozen

from agent_runner.model.errors import UsageError
from agent_runner.workspace.command import Answer, ask, available, demanded, joined, split


@frozen
class GitStatus:
    """The repository in a few lines.

    `lines` are as in `git status --short`, `more` is how many were cut. `branch` is None on a
    detached head; `head` is "" before the first commit.
    """

    branch: str | None
    head: str
    lines: tuple[str, ...] = ()
    more: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing differs from the last commit."""
        return not self.lines


@frozen
class Repository:
    """A folder inside a git work tree. All paths, in and out, are relative to `root`, with `/`.

    `prefix`: where `root` lies in the work tree, "" or ending in `/`. `hashing`: `sha1` or
    `sha256`.
    """

    root: Path
    prefix: str
    hashing: str

    @classmethod
    def find(cls, root: Path) -> "Repository | None":
        """The repository that `root` lies in.

        None without git, in a bare one, and where git ignores `root` itself.

        Raises:
            UsageError: there is a repository, but git refuses to use it (foreign owner, damaged).
        """
        if not root.is_dir() or not available():
            return None
        asked = ["--is-inside-work-tree", "--show-object-format", "--show-prefix"]
        inside = ask(root, ["rev-parse", *asked])
        if inside.code != 0:
            if "not a git repository" in inside.err:
                return None
            raise _refusal(root, inside)
        in_work_tree, hashing, prefix = inside.line.split("\n", 2)
        if in_work_tree != "true":
            return None
        if prefix and _ignores_itself(root, prefix):
            return None
        return cls(root, prefix, hashing)

    @property
    def branch(self) -> str | None:
        """The branch, also before its first commit; None on a detached head."""
        told = ask(self.root, ["symbolic-ref", "--quiet", "--short", "HEAD"])
        return told.line if told.code == 0 else None

    @property
    def head(self) -> str:
        """The commit that HEAD names (hex), "" before the first one."""
        told = ask(self.root, ["rev-parse", "--quiet", "--verify", "HEAD^{commit}"])
        return told.line if told.code == 0 else ""

    def status(self, limit: int = 50) -> GitStatus:
        """Branch, head and what differs below `root`: at most `limit` lines, one for a new folder.

        Raises:
            UsageError: git fails.
        """
        entries = self._status("normal")
        lines = tuple(f"{code} {shown(path or './')}" for code, path in entries[:limit])
        return GitStatus(self.branch, self.head, lines, max(0, len(entries) - limit))

    def modified_paths(self) -> frozenset[str]:
        """Every file below `root` that differs from the last commit, staged or not, or is new.

        Raises:
            UsageError: git fails.
        """
        return frozenset(path for _, path in self._status("all"))

    def untracked_paths(self) -> frozenset[str]:
        """The files below `root` that git neither tracks nor ignores.

        Raises:
            UsageError: git fails.
        """
        return frozenset(path for code, path in self._status("all") if code == "??")

    def ignored(self, paths: Iterable[str]) -> set[str]:
        """Those of `paths` (existing or not) that git ignores. A tracked file is never ignored."""
        wanted = [path for path in dict.fromkeys(paths) if path not in {"", "."}]
        if not wanted:
            return set()
        told = _check_ignore(self.root, wanted)
        if told.code in {0, 1}:
            return {path.removeprefix("./") for path in told.paths}
        if len(wanted) > 1:  # git gives up at the first odd path: ask for each by itself
            return {path for path in wanted if self.ignored([path])}
        return self._ignored_by_nested(wanted[0])

    def _ignored_by_nested(self, path: str) -> set[str]:
        """The path again if a repository inside this one (a submodule) ignores it."""
        for parent in list(PurePosixPath(path).parents)[:-1]:
            folder = self.root / parent
            if (folder / ".git").exists() and (nested := Repository.find(folder)):
                rest = path.removeprefix(f"{parent}/")
                return {path} if nested.ignored([rest]) else set()
        return set()

    def _status(self, untracked: str) -> list[tuple[str, str]]:
        """The two letters and the path of everything that differs, in git's order."""
        options = ["--porcelain=v1", "-z", "--no-renames", f"--untracked-files={untracked}"]
        told = demanded(ask(self.root, ["status", *options, "--", "."]), self.root)
        return [
            (entry[:2], entry[3:].removeprefix(self.prefix))
            for entry in split(told.out)
            if entry[3:].startswith(self.prefix)
        ]


def shown(path: str) -> str:
    """A path on one line: control characters and bytes that are no UTF-8 are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in path)


def _ignores_itself(root: Path, prefix: str) -> bool:
    """Whether the work tree around `root` ignores it: then git knows nothing of what lies in it."""
    return _check_ignore(root, [f"../{PurePosixPath(prefix).name}"]).code == 0


def _check_ignore(root: Path, paths: Iterable[str]) -> Answer:
    """Ask which paths are ignored: exit code 0 some, 1 none, else git stopped at one it refuses.

    The command takes no literal pathspecs; `./` in front keeps a `:` from having a meaning.
    """
    args = ["--no-literal-pathspecs", "check-ignore", "-z", "--stdin"]
    return ask(root, args, joined(f"./{path}" for path in paths))


def _refusal(root: Path, answer: Answer) -> UsageError:
    """Git's refusal, with the way out where there is a known one."""
    fix = f"try `git -C {root} status` and mend what it says"
    if "dubious ownership" in answer.err:
        fix = f"git config --global --add safe.directory {root}"
    first = answer.err.partition("\n")[0]
    return UsageError(f"git refuses the repository at {root}: {first}", fix=fix)
