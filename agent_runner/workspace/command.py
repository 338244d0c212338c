"""Runs git so that neither a tree nor a configuration can bend its answers or start a program."""

import contextlib
import functools
import os
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO

from attrs import field, frozen

from agent_runner.ground.timings import part
from agent_runner.model.errors import UsageError

FIXED = (
    "--no-pager",
    "--literal-pathspecs",
    *("-c", "safe.bareRepository=explicit"),  # a folder that looks like a repository is none
    *("-c", "core.fsmonitor=false"),  # a program; and a stale watcher would hide changes
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.untrackedCache=false"),  # it trusts the times of folders
    *("-c", "core.trustctime=true"),  # these two say when git looks into a file
    *("-c", "core.checkStat=default"),
    *("-c", "core.quotePath=false"),
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

_KEPT = (
    *("PATH", "HOME", "XDG_CONFIG_HOME", "USER", "LOGNAME", "TMPDIR", "LD_LIBRARY_PATH"),
    *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH"),
)
"""All that a reading git sees of our environment: where it is and its configuration; no keys."""


NOTHING_MORE: Mapping[str, str] = MappingProxyType({})
"""No variables beside those that every reading git has."""


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


@frozen
class Git:
    """Git for one repository, which is named to it: it looks for none, so that none can be planted.

    `work_tree` and `git_dir` are absolute. `config` are settings over all files (any name is safe
    here; on a command line a `=` in a name would cut it short). `limit`: seconds for one answer,
    for a named pipe in place of a `.gitignore` would hold git up for ever.
    """

    git_dir: Path
    work_tree: Path
    config: Mapping[str, str] = field(factory=dict, hash=False)
    limit: float = 300.0

    def ask(
        self,
        cwd: Path,
        args: Sequence[str],
        stdin: bytes = b"",
        environment: Mapping[str, str] = NOTHING_MORE,
    ) -> Answer:
        """Run git in `cwd` to its end, whatever its exit code.

        `environment`: variables that it sees beside those of every git that reads.

        Raises:
            UsageError: it did not end within the limit.
        """
        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            return self.start(cwd, args, given, environment).finish()

    def start(
        self,
        cwd: Path,
        args: Sequence[str],
        stdin: IO[bytes] | None = None,
        environment: Mapping[str, str] = NOTHING_MORE,
    ) -> "Running":
        """Start git in `cwd` so that we can do something else meanwhile; then `finish` it.

        It writes into a file, for a full pipe would stop it until somebody reads. In a session of
        its own it does not hear a Ctrl+C at the terminal.
        """
        out = tempfile.TemporaryFile()  # noqa: SIM115 - `finish` closes it
        process = subprocess.Popen(
            [binary(self.work_tree), *FIXED, *args],
            cwd=cwd,
            env={**environment, **reading_environment(), **self._named()},
            stdin=stdin or subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        return Running(process, out, f"git {args[0]}", self.limit)

    def _named(self) -> dict[str, str]:
        named = {"GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.work_tree)}
        for number, (name, value) in enumerate(self.config.items()):
            named |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return named | {"GIT_CONFIG_COUNT": str(len(self.config))}


@frozen
class Running:
    """A git command that was started; its answer goes into the file `out`."""

    process: "subprocess.Popen[bytes]"
    out: IO[bytes]
    what: str
    limit: float

    def finish(self) -> Answer:
        """Wait for it and take its answer; call it once.

        Raises:
            UsageError: it did not end within the limit, and was killed.
        """
        with self.out:
            try:
                with part("git"):
                    err = self._until_the_end()
            except BaseException:
                self.stop()
                raise
            code = self.process.wait()
            self.out.seek(0)
            return Answer(code, self.out.read(), os.fsdecode(err).strip())

    def stop(self) -> None:
        """End it without an answer."""
        with self.out, self.process, contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _until_the_end(self) -> bytes:
        """Stderr, read until it is closed: `wait` with a limit polls, and notices the end late."""
        said = b""
        pipe = self.process.stderr
        while pipe is not None:
            if not select.select([pipe], [], [], self.limit)[0]:
                raise UsageError(
                    f"`{self.what}` did not answer within {self.limit:.0f} seconds",
                    fix="look for named pipes in place of .gitignore or .gitattributes",
                )
            chunk = os.read(pipe.fileno(), 1 << 16)
            if not chunk:
                pipe.close()
                break
            said += chunk
        return said


def available() -> bool:
    """Whether there is a git binary."""
    return _located(os.environ.get("PATH", os.defpath)) is not None


def binary(work_tree: Path) -> str:
    """The git that is run for a work tree: the first one in PATH that is no file of the tree.

    With `node_modules/.bin` or `.` in PATH, a reply could else bring the git that we start.
    """
    return _binary(os.environ.get("PATH", os.defpath), work_tree)


@functools.lru_cache(maxsize=8)
def _located(path: str) -> str | None:
    return shutil.which("git", path=path)


@functools.lru_cache(maxsize=64)
def _binary(path: str, work_tree: Path) -> str:
    tree = work_tree.resolve()
    absolute = [Path(folder) for folder in path.split(os.pathsep) if folder.startswith("/")]
    outside = [folder for folder in absolute if not folder.resolve().is_relative_to(tree)]
    return shutil.which("git", path=os.pathsep.join(map(str, outside))) or "git"


def reading_environment() -> dict[str, str]:
    """What a git that only reads needs to know: answers in English, takes no lock, asks nobody.

    It fetches nothing either: in a partial clone a missing object would start a transport.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",  # git 2.44; before it, the next line does
        "GIT_ALLOW_PROTOCOL": "",
    }


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
    return tuple(field for field in os.fsdecode(out).split("\0") if field)
