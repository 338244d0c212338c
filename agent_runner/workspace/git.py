"""What git knows of a task's root: branch, head, status, what it ignores. Writes nothing."""

import functools
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from attrs import frozen

from agent_runner.workspace.command import Answer, Git, available, demanded, joined
from agent_runner.workspace.discovery import Programs, discover, resolved_head
from agent_runner.workspace.git_settings import stamp_of
from agent_runner.workspace.status import GitStatus, Report, asking


@frozen
class Repository:
    """A folder inside a git work tree. All paths, in and out, are relative to `root`, with `/`.

    `prefix`: where `root` lies in the work tree, "" or ending in `/`. `hashing`: `sha1` or
    `sha256`. `converts_all`: any file may be stored with other line ends than it has here.
    `sees_modes`: git takes from the tree what is executable and what is a link. `common`: git's
    folder with what all worktrees share. `obeyed`: files that git's configuration includes,
    existing or not, and those of attributes that it names. `programs`: what git runs when it
    commits.
    """

    root: Path
    git: Git
    prefix: str
    hashing: str
    converts_all: bool
    sees_modes: bool
    common: Path
    programs: Programs
    obeyed: tuple[Path, ...] = ()

    @classmethod
    def find(cls, root: Path) -> "Repository | None":
        """The repository that `root` lies in.

        None without git (or with one that is too old), in a bare one, and where git ignores `root`
        itself. Runs git once a repository and process, and once more if `root` lies below its top.

        Raises:
            UsageError: there is a repository, but git refuses to use it (foreign owner, damaged).
        """
        repository = cls.around(root)
        if repository and repository.prefix and repository.ignores_root():
            return None
        return repository

    @classmethod
    def around(cls, root: Path) -> "Repository | None":
        """The same, also where git ignores `root`; for those who find that out by themselves."""
        if not root.is_dir() or not available():
            return None
        found = discover(root.resolve())
        if found is None:
            return None
        git = Git(found.git_dir, found.work_tree, found.config)
        return cls(
            root,
            git,
            found.prefix,
            found.hashing,
            found.converts_all,
            found.sees_modes,
            found.common,
            found.programs,
            found.obeyed,
        )

    @property
    def digits(self) -> int:
        """How many hex digits git's names have here."""
        return 64 if self.hashing == "sha256" else 40

    @property
    def index(self) -> Path:
        """The file in which git keeps what is staged."""
        return self.git.git_dir / "index"

    @property
    def branch(self) -> str | None:
        """The branch, also before its first commit; None on a detached head."""
        answer = self.ask(["symbolic-ref", "--quiet", "--short", "HEAD"])
        return answer.line if answer.code == 0 else None

    @property
    def head(self) -> str:
        """The commit that HEAD names (hex), "" before the first one."""
        known = resolved_head(self.git.git_dir, self.common)
        if known:
            return known
        answer = self.ask(["rev-parse", "--quiet", "--verify", "HEAD^{commit}"])
        return answer.line if answer.code == 0 else ""

    def ask(self, args: list[str], stdin: bytes = b"") -> Answer:
        """Run git in the root, whatever its exit code."""
        return self.git.ask(self.root, args, stdin)

    def status(self, limit: int = 50) -> GitStatus:
        """Branch, head and what differs below `root`: at most `limit` lines, one for a new folder.

        One process. A file that a filter converts (git LFS) counts as changed once its time stamp
        is not what git remembers: no filter is run to find out.

        Raises:
            UsageError: git fails.
        """
        return self._reported("normal").status(limit)

    def modified_paths(self) -> frozenset[str]:
        """Every file below `root` that differs from the last commit, staged or not, or is new.

        Raises:
            UsageError: git fails.
        """
        return self._reported("all").modified

    def ignored(self, paths: Iterable[str]) -> set[str]:
        """Those of `paths` (existing or not) that git ignores. A tracked file is never ignored."""
        wanted = [path for path in dict.fromkeys(paths) if path not in {"", "."}]
        if not wanted:
            return set()
        answer = self.check_ignore(wanted)
        if answer.code in {0, 1}:
            return {path.removeprefix("./") for path in answer.paths}
        if len(wanted) > 1:  # git gives up at the first odd path: ask for each by itself
            return {path for path in wanted if self.ignored([path])}
        return self._ignored_by_nested(wanted[0])

    def ignores_root(self) -> bool:
        """Whether the work tree around `root` ignores it: git knows nothing then of what is in it.

        Of the root as a folder in which nothing is tracked, that is. Runs git once a process, as
        long as nobody changes what the folders above ignore.
        """
        above = self.root.resolve().parents[: self.prefix.count("/")]
        rules = (self.common / "info" / "exclude", *(folder / ".gitignore" for folder in above))
        return _ignores_root(self, tuple(stamp_of(file) for file in rules))

    def _ignored_by_nested(self, path: str) -> set[str]:
        """The path again if a repository inside this one (a submodule) ignores it."""
        for parent in list(PurePosixPath(path).parents)[:-1]:
            folder = self.root / parent
            if (folder / ".git").exists() and (nested := Repository.find(folder)):
                rest = path.removeprefix(f"{parent}/")
                return {path} if nested.ignored([rest]) else set()
        return set()

    def check_ignore(self, paths: Iterable[str]) -> Answer:
        """Ask which paths are ignored: exit code 0 some, 1 none, else git stopped at an odd one.

        The command takes no literal pathspecs; `./` in front keeps a `:` from having a meaning.
        """
        args = ["--no-literal-pathspecs", "check-ignore", "-z", "--stdin"]
        return self.ask(args, joined(f"./{path}" for path in paths))

    def _reported(self, untracked: str) -> Report:
        answer = demanded(self.ask(asking(untracked)), self.root)
        return Report.parsed(answer.out, self.prefix)


@functools.lru_cache(maxsize=64)
def _ignores_root(
    repository: Repository,
    stamps: tuple[tuple[int, ...], ...],  # noqa: ARG001 - changed rules are asked for again
) -> bool:
    name = PurePosixPath(repository.prefix).name
    return repository.check_ignore([f"../{name}"]).code == 0
