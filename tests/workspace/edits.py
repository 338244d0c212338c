"""What people and programs do to a work tree: one thing each, to be put together at random."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from attrs import frozen
from hypothesis import strategies as st

PATHS = ["a", "b.txt", "d/a", "d/e/f", "-x", "né", "new\nline", ":(top)z", 'q"uote', "sp ace/ t"]
CONTENTS = [b"", b"one\n", b"two\n", b"one\r\n", b"\0\xff bin", b"long" * 50]


@frozen
class Edit:
    """One thing that is done to a work tree; `git` ones are left out where there is no git."""

    name: str
    path: str
    content: bytes

    @property
    def for_git(self) -> bool:
        return self.name in GIT_EDITS

    def __repr__(self) -> str:
        return f"{self.name}({self.path!r}, {self.content!r})"


def _clear(file: Path) -> None:
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    else:
        file.unlink(missing_ok=True)


def _room(root: Path, path: str) -> Path:
    """The place for `path`, whatever stood in its way."""
    file = root / path
    for parent in list(file.parents)[::-1]:
        if root in parent.parents and (parent.is_symlink() or parent.is_file()):
            parent.unlink()
    file.parent.mkdir(parents=True, exist_ok=True)
    _clear(file)
    return file


def write(root: Path, path: str, content: bytes) -> None:
    _room(root, path).write_bytes(content)


def rewrite_in_place(root: Path, path: str, content: bytes) -> None:
    """The same size and the old time of change: only the content and the inode's time tell."""
    file = root / path
    if file.is_file() and not file.is_symlink():
        times = file.stat()
        size = times.st_size
        file.write_bytes((content * (size + 1))[:size].ljust(size, b"x"))
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def delete(root: Path, path: str, _content: bytes) -> None:
    with contextlib.suppress(NotADirectoryError):
        _clear(root / path)


def executable(root: Path, path: str, _content: bytes) -> None:
    file = root / path
    if file.is_file() and not file.is_symlink():
        file.chmod(file.stat().st_mode ^ 0o111)


def link(root: Path, path: str, content: bytes) -> None:
    _room(root, path).symlink_to("d" if len(content) > 4 else "nowhere")


def link_for_folder(root: Path, _path: str, _content: bytes) -> None:
    """A folder goes, a link to the same files comes: the files below it are gone."""
    if (root / "d").is_dir() and not (root / "d").is_symlink():
        shutil.rmtree(root / "moved", ignore_errors=True)
        _clear(root / "moved")
        (root / "d").rename(root / "moved")
        (root / "d").symlink_to("moved")


def touch(root: Path, path: str, _content: bytes) -> None:
    if (root / path).is_file():
        os.utime(root / path, ns=(10**18, 10**18))


def _git(*args: str, named: bool = True) -> Callable[[Path, str, bytes], None]:
    def call(root: Path, path: str, _content: bytes) -> None:
        paths = ["--", path] if named else []
        subprocess.run(  # may refuse: nothing to add, nothing to commit
            ["git", "--literal-pathspecs", *args, *paths],
            cwd=root,
            capture_output=True,
            check=False,
            env=os.environ | ENV,
        )

    return call


ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
_FILE_EDITS = (write, rewrite_in_place, delete, executable, link, link_for_folder, touch)
FILE_EDITS = ["write", *(edit.__name__ for edit in _FILE_EDITS)]
GIT_EDITS: dict[str, Callable[[Path, str, bytes], None]] = {
    "add": _git("add", "-f"),
    "add_name": _git("add", "-N"),
    "add_all": _git("add", "-A", named=False),
    "forget": _git("rm", "-r", "-q", "--cached"),
    "commit": _git("commit", "-q", "-m", "x", named=False),
    "commit_all": _git("commit", "-q", "-a", "-m", "x", named=False),
    "amend": _git("commit", "-q", "--amend", "-a", "-m", "y", named=False),
    "soft_reset": _git("reset", "-q", "--soft", "HEAD^", named=False),
    "hide": _git("update-index", "--assume-unchanged"),
    "skip": _git("update-index", "--skip-worktree"),
    "refresh": _git("status", named=False),
}
EDITS: dict[str, Callable[[Path, str, bytes], None]] = {
    **{edit.__name__: edit for edit in _FILE_EDITS},
    **GIT_EDITS,
}


def sampled(names: Iterable[str], contents: Iterable[bytes] = CONTENTS) -> st.SearchStrategy[Edit]:
    """One of these edits, of any path."""
    return st.builds(
        Edit,
        st.sampled_from(list(names)),
        st.sampled_from(PATHS),
        st.sampled_from(list(contents)),
    )


def do(some: Iterable[Edit], roots: tuple[Path, ...]) -> None:
    """Do it in every root; what is for git only in the first."""
    for edit in some:
        for root in roots[:1] if edit.for_git else dict.fromkeys(roots):
            EDITS[edit.name](root, edit.path, edit.content)
