"""Gives a copy of a work tree a repository of its own, with the history of the original."""

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from agent_runner.sandbox.confinement import BORROWED
from agent_runner.workspace.command import Git, joined
from agent_runner.workspace.git import Repository
from agent_runner.workspace.tracked import Source

_CARRIED = r"^core\.(autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|excludesfile)$"
"""Settings without which git would see other changes in the copy; none of them names a program."""

_SPECIAL = re.compile(rb"[*?\[\\]|\s$")
"""What has a meaning in a pattern of what is ignored."""


def give_repository(
    top: Path, sources: Iterable[Source], prefix: str, ignored: Iterable[str]
) -> None:
    """Make a repository at `top`, and one for each repository inside; an empty one without sources.

    `prefix` is where the task's root is below `top`, "" or ending in `/`. It ignores the links
    `ignored`, which a pattern for folders (`node_modules/`) does not match. Objects stay where they
    are (the copy only refers to them); branch, index, tags and what is ignored are as in the
    original. There are no remotes, hooks and filters of its own. Runs git twice a repository.

    Raises:
        OSError: the disk refused.
    """
    for source in sources:
        place = top / prefix / source.prefix if source.prefix else top
        _make(place / ".git", source.repository)
        if source.repository.prefix:
            _leave_out_siblings(place, source.repository)
    if not (top / ".git").is_dir():
        _make_empty(top / ".git", {}, "sha1")
    with (top / ".git" / "info" / "exclude").open("ab") as file:
        for path in ignored:
            file.write(b"\n" + _SPECIAL.sub(rb"\\\g<0>", os.fsencode(f"/{prefix}{path}")) + b"\n")


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


def _leave_out_siblings(top: Path, original: Repository) -> None:
    """Below a root that is part of a repository, let git not miss the rest of it.

    What the folders above ignore still holds.
    """
    git = Git(top / ".git", top, original.git.config)
    tracked = git.ask(top, ["ls-files", "-z"]).paths
    rest = [path for path in tracked if not path.startswith(original.prefix)]
    git.ask(top, ["update-index", "--skip-worktree", "-z", "--stdin"], joined(rest))
    place = Path()
    for part in Path(original.prefix).parts:
        _copy(original.git.work_tree / place / ".gitignore", top / place / ".gitignore")
        place /= part


def _copy(source: Path, target: Path) -> None:
    """One small file of git's, if it is there."""
    if source.is_file() and not source.is_symlink():
        shutil.copyfile(source, target)
