"""Gives a copy of a work tree a repository of its own, with the history of the original."""

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import frozen

from agent_runner.sandbox.confinement import BORROWED, Seen
from agent_runner.workspace.command import Git, joined
from agent_runner.workspace.git import Repository
from agent_runner.workspace.tracked import Source

_CARRIED = r"^core\.(autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|excludesfile)$"
"""Settings without which git would see other changes in the copy; none of them names a program."""

_SPECIAL = re.compile(rb"[*?\[\\]|\s$")
"""What has a meaning in a pattern of what is ignored."""


@frozen
class OwnRepositories:
    """The repositories of a copy: one at `top`, and one for each repository inside of the root.

    Attributes:
        sources: The originals, outermost first; without any there is an empty one at the top.
        left_out: Names of files and folders that are not in the copy, at any depth.
        is_whole: Whether the rest of the work tree can be seen around the root.
    """

    top: Path
    sources: tuple[Source, ...]
    left_out: frozenset[str] = frozenset()
    is_whole: bool = False

    @property
    def prefix(self) -> str:
        """Where the task's root is below `top`, "" or ending in `/`."""
        return self.sources[0].repository.prefix if self.sources else ""

    def place(self, source: Source) -> Path:
        """The folder with the `.git` of one of them."""
        return self.top / self.prefix / source.prefix if source.prefix else self.top

    def give(self, ignored: Iterable[str] = ()) -> None:
        """Make them; where there is one already, it has to be removed before.

        They ignore the links `ignored`, which a pattern for folders (`node_modules/`) does not
        match. Objects stay where they are (the copy only refers to them); branch, index, tags and
        what is ignored are as in the original. There are no remotes, hooks and filters of its own.
        What is not in the copy does not count as deleted. Runs git twice a repository.

        Raises:
            OSError: the disk refused.
        """
        for source in self.sources:
            place = self.place(source)
            _make(place / ".git", source.repository)
            self._leave_out(place, source)
        if not (self.top / ".git").is_dir():
            _make_empty(self.top / ".git", {}, "sha1")
        with (self.top / ".git" / "info" / "exclude").open("ab") as file:
            for path in ignored:
                rule = os.fsencode(f"/{self.prefix}{path}")
                file.write(b"\n" + _SPECIAL.sub(rb"\\\g<0>", rule) + b"\n")

    def seen(self, *, by_root: bool) -> tuple[Seen, ...]:
        """What has to be seen elsewhere, where a copy or an overlay is seen at the original's root.

        `by_root`: those below the root are seen with it. A `.git` that is a file, as in a worktree
        and a submodule, is replaced by one. What a repository borrows is seen in it: its own path
        may be hidden. Raises OSError.
        """
        found = []
        for source in self.sources:
            own, original = self.place(source) / ".git", source.repository.git.work_tree / ".git"
            is_inside = bool(source.prefix) or not self.prefix
            if is_inside and by_root:
                where = original
            elif original.is_dir():
                where = original
                found.append(Seen(original, own))
            else:
                where, link = own, own.with_name(".git-link")
                link.write_text(f"gitdir: {own}\n")
                found += [Seen(own, own), Seen(original, link)]
            objects = source.repository.common / "objects"
            found.append(Seen(where / BORROWED, objects, is_writable=False))
        return tuple(found)

    def _leave_out(self, place: Path, source: Source) -> None:
        """Let git not miss the rest of a repository around the root, and what is not in the copy.

        What the folders above ignore still holds.
        """
        original = source.repository
        rest = [
            original.prefix + path
            for path in source.tracked.paths
            if not self.left_out.isdisjoint(path.split("/"))
        ]
        git = Git(place / ".git", place, original.git.config)
        if original.prefix and not self.is_whole:
            tracked = git.ask(place, ["ls-files", "-z"]).paths
            rest += [path for path in tracked if not path.startswith(original.prefix)]
            above = Path()
            for part in Path(original.prefix).parts:
                _copy(original.git.work_tree / above / ".gitignore", place / above / ".gitignore")
                above /= part
        if rest:
            git.ask(place, ["update-index", "--skip-worktree", "-z", "--stdin"], joined(rest))


def _make(git_dir: Path, original: Repository) -> None:
    head = original.head
    settings = original.ask(["config", "--local", "-z", "--get-regexp", _CARRIED])
    pairs = (pair.partition("\n") for pair in settings.paths)
    _make_empty(git_dir, {name: value for name, _, value in pairs}, original.hashing)
    common = original.common
    (git_dir / "objects" / "info").mkdir()
    (git_dir / BORROWED).mkdir()
    # the second for where the copy is mounted over the original, and hides what the first says
    alternates = os.fsencode(common / "objects") + f"\n../{BORROWED}\n".encode()
    (git_dir / "objects" / "info" / "alternates").write_bytes(alternates)
    shutil.copytree(common / "refs", git_dir / "refs", symlinks=True, dirs_exist_ok=True)
    for name in ("packed-refs", "shallow", "info/exclude"):
        _copy(common / name, git_dir / name)
    own = original.git.git_dir
    for file in (own / "index", *own.glob("sharedindex.*")):
        _copy(file, git_dir / file.name)
    branch = original.branch
    if branch is None:
        (git_dir / "HEAD").write_text(f"{head}\n")
    else:
        (git_dir / "HEAD").write_text(f"ref: refs/heads/{branch}\n")
        if head:
            place = git_dir / "refs" / "heads" / branch
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"{head}\n")


def _make_empty(git_dir: Path, core: Mapping[str, str], hashing: str) -> None:
    """What `git init` makes, without hooks and templates."""
    for folder in ("objects", "refs/heads", "info"):
        (git_dir / folder).mkdir(parents=True)
    lines = ["[core]", "repositoryformatversion = 1", "bare = false", "logallrefupdates = true"]
    for name, value in core.items():
        quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'{name.removeprefix("core.")} = "{quoted}"')
    lines += ["[extensions]", f"objectformat = {hashing}"] if hashing != "sha1" else []
    (git_dir / "config").write_text("\n".join(lines) + "\n", errors="surrogateescape")
    (git_dir / "HEAD").write_text("ref: refs/heads/main\n")


def _copy(source: Path, target: Path) -> None:
    """One small file of git's, if it is there."""
    if source.is_file() and not source.is_symlink():
        shutil.copyfile(source, target)
