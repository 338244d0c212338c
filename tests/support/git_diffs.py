"""What git says of changed files."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENV = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}


def git_diff(root: Path, files: Mapping[str, tuple[bytes | None, bytes | None]]) -> str:
    """The diff from the first contents to the second (None: not there); `root` then has the first.

    `root` is an empty folder; the repository in it is removed again.
    """
    work = {"GIT_DIR": str(root / ".git"), "GIT_WORK_TREE": str(root)}

    def git(*words: str) -> str:
        env = {"PATH": os.environ["PATH"], **_ENV, **work}
        options = ("-c", "core.quotepath=off", "-c", "core.autocrlf=false")
        done = subprocess.run(
            ["git", *options, *words], cwd=root, env=env, capture_output=True, check=True
        )
        return done.stdout.decode()

    git("init", "-q")
    _lay(root, {name: before for name, (before, _) in files.items()})
    git("add", "-A")
    tree = git("write-tree").strip()
    _lay(root, {name: after for name, (_, after) in files.items()})
    git("add", "-A")
    diff = git("diff", "--cached", "-M100%", tree)
    _lay(root, {name: before for name, (before, _) in files.items()})
    subprocess.run(["rm", "-rf", str(root / ".git")], check=True)
    return diff


def _lay(root: Path, files: Mapping[str, bytes | None]) -> None:
    for name, content in files.items():
        path = root / name
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
