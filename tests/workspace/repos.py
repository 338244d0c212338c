"""A repository to test with, and what its files are, found out without the code under test."""

import os
import stat
import subprocess
from pathlib import Path

from attrs import frozen


@frozen
class Repo:
    """A work tree; git is called as a person would."""

    root: Path

    @classmethod
    def created(cls, root: Path, *options: str) -> "Repo":
        root.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "-q", "-b", "main", *options, root], check=True)
        return cls(root)

    def git(self, *args: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            ["git", *args],
            cwd=self.root,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (args, done.stderr)
        return done.stdout

    def write(self, path: str, content: str | bytes = "text\n") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def commit_all(self, message: str = "state") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def staged(self) -> set[str]:
        """Paths staged against the last commit."""
        return set(self.git("diff", "--cached", "--name-only", "-z").split("\0")) - {""}


@frozen
class FixedClock:
    """A clock that stands still. At 0 every file is too new to be remembered; far ahead none is."""

    at: float = 0.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


def snapshot(root: Path) -> dict[str, tuple[str, bytes]]:
    """Kind (with the executable bit) and content of every file below the root, read plainly."""
    found: dict[str, tuple[str, bytes]] = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in [*files, *(f for f in folders if (Path(folder) / f).is_symlink())]:
            file = Path(folder) / name
            path = os.path.relpath(file, root)
            mode = file.lstat().st_mode
            if stat.S_ISLNK(mode):
                found[path] = ("link", os.fsencode(file.readlink()))
            elif stat.S_ISREG(mode) and name != ".git":
                found[path] = ("x" if mode & stat.S_IXUSR else "-", file.read_bytes())
    return found


def differing(a: dict[str, tuple[str, bytes]], b: dict[str, tuple[str, bytes]]) -> tuple[str, ...]:
    """The paths at which two snapshots differ, sorted."""
    return tuple(sorted(path for path in a.keys() | b.keys() if a.get(path) != b.get(path)))
