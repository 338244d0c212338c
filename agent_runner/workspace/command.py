"""Runs the `git` binary so that no configuration and no environment bends its answers."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import frozen

from agent_runner.ground.timings import part
from agent_runner.model.errors import UsageError

GIT = "git"
"""The binary, looked for in PATH."""

FIXED = (
    "--no-pager",
    "--literal-pathspecs",
    *("-c", "core.quotePath=false"),
    *("-c", "core.fsmonitor=false"),  # a stale watcher would hide changes
    *("-c", "core.trustctime=true"),  # the same: these say when git looks into a file
    *("-c", "core.checkStat=default"),
    *("-c", "color.ui=false"),
    *("-c", "status.renames=false"),
    *("-c", "diff.renames=false"),
    *("-c", "submodule.recurse=false"),
)
"""Options before the subcommand; git takes them over every configuration file."""

REDIRECTIONS = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
)
"""Variables that point git elsewhere; they are set where we are started from a git hook."""


@frozen
class Answer:
    """How a git command ended: exit code, stdout as bytes, stderr as text."""

    code: int
    out: bytes
    err: str

    @property
    def line(self) -> str:
        """Stdout without its last newline."""
        return os.fsdecode(self.out.removesuffix(b"\n"))

    @property
    def paths(self) -> tuple[str, ...]:
        """Stdout as NUL-separated paths."""
        return split(self.out)


def available() -> bool:
    """Whether there is a git binary."""
    return shutil.which(GIT) is not None


def environment() -> dict[str, str]:
    """This process's environment, but it points git to no other repository. For running hooks."""
    env = {name: value for name, value in os.environ.items() if name not in REDIRECTIONS}
    env.update(GIT_TERMINAL_PROMPT="0", GIT_EDITOR="true")
    return env


def _reading() -> dict[str, str]:
    """The environment for questions: answers in English, no locks taken."""
    return environment() | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat"}


def start(root: Path, args: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a git command without input, so that several run side by side; then `finish` it."""
    return subprocess.Popen(
        [GIT, *FIXED, *args],
        cwd=root,
        env=_reading(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(running: "subprocess.Popen[bytes]") -> Answer:
    """Wait for a started command and take its answer."""
    with part("git"):
        out, err = running.communicate()
    return Answer(running.returncode, out, os.fsdecode(err).strip())


def ask(root: Path, args: Sequence[str], stdin: bytes = b"") -> Answer:
    """Run git in `root` to its end, whatever its exit code."""
    with part("git"):
        done = subprocess.run(
            [GIT, *FIXED, *args],
            cwd=root,
            env=_reading(),
            input=stdin,
            capture_output=True,
            check=False,
        )
    return Answer(done.returncode, done.stdout, os.fsdecode(done.stderr).strip())


def demanded(answer: Answer, root: Path) -> Answer:
    """The answer, if git could give one.

    Raises:
        UsageError: git failed; its own words say why.
    """
    if answer.code != 0:
        raise UsageError(
            f"git cannot be used in {root}: {answer.err or f'exit code {answer.code}'}",
            fix=f"try `git -C {root} status` and mend what it says",
        )
    return answer


def joined(paths: Iterable[str]) -> bytes:
    """Paths for git's `-z --stdin`."""
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


def split(out: bytes) -> tuple[str, ...]:
    """NUL-separated (or NUL-ended) fields as text; bytes that are no UTF-8 survive the way back."""
    return tuple(os.fsdecode(field) for field in out.split(b"\0") if field)
