"""Finds the repository around a folder, as git does, and checks whose it is."""

import os
import re
import stat
import subprocess
from pathlib import Path

from attrs import frozen

from agent_runner.workspace.command import FIXED, Answer, binary, reading_environment
from agent_runner.workspace.git_settings import GitSettings, refusal, settings_of

_SHA256 = re.compile(rb"^\s*objectformat\s*=\s*\"?sha256", re.IGNORECASE | re.MULTILINE)
_COMMIT = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")
_LONGEST = 1 << 14  # bytes of a small file of git's that are read


@frozen
class Programs:
    """What git's configuration lets git run when it commits.

    `hooks`: the folder of the hooks. `commands`: filters, what signs, what watches the files.
    """

    hooks: Path
    commands: tuple[str, ...] = ()


@frozen
class Discovered:
    """A repository as `Git` needs it: absolute folders, and where `root` lies in the work tree.

    `config` switches off every filter that is configured. `converts_all`: any file may be stored
    with other line ends than it has in the tree. `sees_modes`: git takes from the tree what is
    executable and what is a link. `common`: the folder that all worktrees share. `obeyed`: what
    git's configuration includes, existing or not, and files of attributes that it names.
    `programs`: what git runs when it commits.
    """

    work_tree: Path
    git_dir: Path
    prefix: str
    hashing: str
    config: dict[str, str]
    converts_all: bool
    sees_modes: bool
    common: Path
    obeyed: tuple[Path, ...]
    programs: Programs


def discover(root: Path) -> Discovered | None:
    """The repository around `root` (resolved); None if there is none, or git is too old.

    Raises:
        UsageError: there is one, but it belongs to somebody else, or is damaged.
    """
    known = _found.get(root)
    if known is not None and known.still_holds():
        return known.found
    place = _place(root)
    if place is None:
        return None
    work_tree, git_dir = place
    _check_owner(work_tree, git_dir)
    common = _common(git_dir)
    settings = settings_of(git_dir, work_tree, common)
    if settings is None:
        return None
    found = _described(root, work_tree, git_dir, common, settings)
    above = [folder for folder in (root, *root.parents) if folder.is_relative_to(work_tree)]
    seen = [work_tree, git_dir, *(folder / ".git" for folder in above)]
    seen += [git_dir / "HEAD", git_dir / "commondir", common / "objects", common / "refs"]
    _found[root] = _Found(found, settings, tuple((path, _identity(path)) for path in seen))
    return found


@frozen
class _Found:
    """A repository, what its configuration said, and what was seen of the folders on the way."""

    found: Discovered
    settings: GitSettings
    seen: tuple[tuple[Path, tuple[int, ...]], ...]

    def still_holds(self) -> bool:
        """Whether all of it is as it was."""
        if any(_identity(path) != as_it_was for path, as_it_was in self.seen):
            return False
        found = self.found
        return settings_of(found.git_dir, found.work_tree, found.common) is self.settings


_found: dict[Path, _Found] = {}
"""What was found in this process: each look at the files asks for it."""


def _identity(path: Path) -> tuple[int, ...]:
    """What changes when something else stands at a path; () for nothing.

    A folder is the same whatever comes and goes in it: git makes and removes locks in its own.
    """
    try:
        found = os.lstat(path)
    except OSError:
        return ()
    same = (found.st_dev, found.st_ino, found.st_uid)
    if stat.S_ISDIR(found.st_mode):
        return same
    return (*same, found.st_mtime_ns, found.st_ctime_ns, found.st_size)


def _described(
    root: Path, work_tree: Path, git_dir: Path, common: Path, settings: GitSettings
) -> Discovered:
    prefix = "" if root == work_tree else f"{root.relative_to(work_tree).as_posix()}/"
    hashing = "sha256" if _SHA256.search(_content(common / "config")) else "sha1"
    return Discovered(
        work_tree,
        git_dir,
        prefix,
        hashing,
        settings.config,
        settings.converts_all,
        settings.sees_modes,
        common,
        settings.obeyed,
        Programs(settings.hooks or common / "hooks", settings.commands),
    )


def resolved_head(git_dir: Path, common: Path) -> str:
    """The commit (hex) that HEAD names, read without git; "" if that takes git to know."""
    head = _content(git_dir / "HEAD").removesuffix(b"\n")
    branch = re.fullmatch(rb"ref: (refs/heads/(?:(?!\.\.)[^\0\n])+)", head)
    if branch is None:
        return head.decode() if _COMMIT.fullmatch(head) else ""
    loose = _content(common / os.fsdecode(branch[1])).removesuffix(b"\n")
    if _COMMIT.fullmatch(loose):
        return loose.decode()
    try:
        packed = (common / "packed-refs").read_bytes()
    except OSError:
        return ""
    row = re.search(rb"^([0-9a-f]+) %b$" % re.escape(branch[1]), packed, re.MULTILINE)
    return row[1].decode() if row and _COMMIT.fullmatch(row[1]) else ""


def _place(root: Path) -> tuple[Path, Path] | None:
    """Work tree and git folder around `root`, found as git does, but for bare repositories.

    Git itself takes any folder with HEAD, objects and refs for a bare repository and obeys its
    configuration: a reply could write one. Like git, it does not look beyond a mount point.
    """
    device = root.stat().st_dev
    for folder in (root, *root.parents):
        if folder.stat().st_dev != device:
            return None
        entry = folder / ".git"
        git_dir = entry
        if entry.is_file():
            link = re.fullmatch(rb"gitdir: (.+?)\n*", _content(entry), re.DOTALL)
            if link is None:
                return None
            git_dir = folder / os.fsdecode(link[1])
            if not _is_git_dir(git_dir):
                return None  # a link that leads nowhere ends the search, as with git
        if _is_git_dir(git_dir):
            git_dir = git_dir.resolve()
            return None if root.is_relative_to(git_dir) else (folder, git_dir)
    return None


def _is_git_dir(folder: Path) -> bool:
    common = _common(folder)
    return (os.path.lexists(folder / "HEAD") and (common / "objects").is_dir()) and (
        common / "refs"
    ).is_dir()


def _common(git_dir: Path) -> Path:
    """The folder that all worktrees of a repository share; it has objects and configuration."""
    link = _content(git_dir / "commondir")
    return (git_dir / os.fsdecode(link.rstrip(b"\n"))).resolve() if link else git_dir


def _content(path: Path) -> bytes:
    """The head of a small file; nothing of what is no file, so that no pipe holds us up."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.read(descriptor, _LONGEST) if is_file else b""
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _check_owner(work_tree: Path, git_dir: Path) -> None:
    """Refuse what belongs to somebody else, unless git's `safe.directory` allows it.

    Naming a repository to git passes by its own check, so it is asked here without a name.

    Raises:
        UsageError: git says whose it is.
    """
    user = os.geteuid()
    if all(path.lstat().st_uid == user for path in (work_tree, work_tree / ".git", git_dir)):
        return
    args = [binary(work_tree), *FIXED, "rev-parse", "--git-dir"]
    done = subprocess.run(
        args,
        cwd=work_tree,
        env=reading_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        check=False,
    )
    if done.returncode:
        raise refusal(work_tree, Answer(done.returncode, b"", os.fsdecode(done.stderr).strip()))
