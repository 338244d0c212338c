"""One commit, made from an index of our own, by a git that writes what a power cut cannot take."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO

import anyio
from anyio.abc import Process
from attrs import define, field

from agent_runner.ground.timings import part
from agent_runner.workspace.command import REDIRECTIONS, binary, joined, split
from agent_runner.workspace.git import Repository

_WRITING = {
    "core.fsync": "committed,loose-object,index,reference",
    "maintenance.auto": "false",  # it would go on after the commit, and leave a lock when killed
    "gc.auto": "0",
}
"""Settings of a git that writes: what it has made stays, and it ends when the commit is made.

Git's default leaves objects and references to the system; a power cut then takes the commit.
`core.fsync` is known since git 2.36; for an older one the whole disk is synced.
"""

_HELD = 'read -r go && exec "$@" < "$0"'
"""A shell that becomes the command when a line comes, and ends when none can come any more."""

_OUTPUT_KEPT = 4_000  # bytes of what git and its hooks said, enough to see why they refused
_GRACE = 5.0  # seconds that git has to take its lock files away after we ask it to stop


@define
class IndexOfOurs:
    """One commit in one repository; `before` is the commit that it is made on."""

    repository: Repository
    index: Path
    environment: Mapping[str, str]
    before: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.before = self.repository.head

    async def commit(self, paths: list[str], message: str, on_start: Callable[[int], None]) -> str:
        """Put the files over the last commit and commit that; why git refused, or "".

        Git's own index is copied, for it knows which files it need not read.
        """
        self._clear()
        try:
            own = self.repository.index
            if own.is_file():
                shutil.copy2(own, self.index)
            base = ["read-tree", "--reset", "HEAD"] if self.before else ["read-tree", "--empty"]
            stage = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"]
            commit = ["commit", "--quiet", "--cleanup=whitespace", "-m", message]
            code, said = await self._git(base)
            if not code:
                code, said = await self._git(stage, self._from_top(paths))
            if code or not await self._differs():
                return said if code else ""
            code, said = await self._git(commit, on_start=on_start)
            return "" if not code else said or f"git commit ended with exit code {code}"
        finally:
            self._clear()

    async def go_to(self, branch: str, on_start: Callable[[int], None]) -> str:
        """Make a branch at HEAD's commit if there is none, and let HEAD stand on it; or why not.

        Files and index stay. No hook is run. Safe to repeat: between the two there is a branch that
        nobody stands on, and the second step can still be made.
        """
        name, quiet = f"refs/heads/{branch}", ["-c", "core.hooksPath=/dev/null"]
        why = f"agent-runner: begin {branch}"
        there = self.repository.ask(["rev-parse", "--quiet", "--verify", name]).code == 0
        code, said = 0, ""
        if not there:  # the last word is what it has to be until now: nothing
            new = [name, self.before, "0" * self.repository.digits]
            code, said = await self._git([*quiet, "update-ref", "-m", why, *new], on_start=on_start)
        if not code:
            code, said = await self._git(
                [*quiet, "symbolic-ref", "-m", why, "HEAD", name], on_start=on_start
            )
        return said or f"git cannot make the branch {branch}" if code else ""

    async def tell_the_index(self, paths: Iterable[str], made: str) -> str:
        """Let git's own index have at `paths` what the last commit has; git's refusal, or "".

        A hook may have put more into the commit `made` than these.
        """
        names = set(split(self._from_top(paths)))
        if made:
            options = ["-r", "--root", "--no-commit-id", "--name-only", "--no-relative", "-z"]
            names.update(self.repository.ask(["diff-tree", *options, made]).paths)
        reset = ["reset", "--quiet", "HEAD", "--pathspec-from-file=-", "--pathspec-file-nul"]
        literal = joined(f":(literal){name}" for name in sorted(names))
        code, said = await self._git(reset, literal, private=False)
        return said or "git reset failed" if code else ""

    def standing(self, paths: Iterable[str]) -> tuple[tuple[int, ...], ...]:
        """What changes when one of the files does."""
        found: list[tuple[int, ...]] = []
        for path in paths:
            try:
                status = (self.repository.root / path).lstat()
            except OSError:
                found.append(())
            else:
                found.append((status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(found)

    def _from_top(self, paths: Iterable[str]) -> bytes:
        return joined(f"{self.repository.prefix}{path}" for path in paths)

    async def _differs(self) -> bool:
        if not self.before:
            return True
        code, _ = await self._git(["diff-index", "--cached", "--quiet", "HEAD", "--"])
        return code != 0

    def _clear(self) -> None:
        for file in (self.index, self.index.with_name(f"{self.index.name}.lock")):
            file.unlink(missing_ok=True)

    async def _git(
        self,
        args: list[str],
        stdin: bytes = b"",
        *,
        private: bool = True,
        on_start: Callable[[int], None] | None = None,
    ) -> tuple[int, str]:
        """Exit code and words of a git at the top, where no planted repository can be nearer.

        Output goes to a file, not a pipe: a hook may leave a child that would hold the pipe open
        for ever.
        """
        top = self.repository.git.work_tree
        own = {"GIT_INDEX_FILE": str(self.index)} if private else {}
        options = ["-c", "core.fsmonitor=false"] if private else []
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output:
            given.write(stdin)
            given.seek(0)
            command = [binary(top), "--no-pager", *options, *args]
            environment = _environment(self.environment) | own
            code = await _run(command, top, environment, given, output, on_start)
            output.seek(max(0, output.seek(0, os.SEEK_END) - _OUTPUT_KEPT))
            return code, output.read().decode(errors="replace").strip()


def sync_names(repository: Repository) -> str:
    """Make names durable: git syncs what is in files, but not the folders that they stand in.

    Gives what the disk refused, or "".
    """
    version = re.search(r"(\d+)\.(\d+)", repository.ask(["version"]).line)
    if version is None or (int(version[1]), int(version[2])) < (2, 36):
        os.sync()
    common, own = repository.common, repository.git.git_dir
    folders = [common / "objects", *common.glob("objects/[0-9a-f][0-9a-f]")]
    folders += [Path(folder) for folder, _, _ in os.walk(common / "refs")]
    for folder in dict.fromkeys([*folders, common, own]):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except FileNotFoundError:  # packed away meanwhile
            continue
        except OSError as error:
            return f"it is committed, but perhaps not on the disk: {folder}: {error.strerror}"
    return ""


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment for a git that writes: no other repository, nobody asked, durable."""
    env = {name: value for name, value in given.items() if name not in REDIRECTIONS}
    count = int(env.get("GIT_CONFIG_COUNT", "0") or "0")
    for number, (name, value) in enumerate(_WRITING.items(), count):
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        env["GIT_CONFIG_COUNT"] = str(number + 1)
    return env | {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"}


async def _run(
    args: list[str],
    folder: Path,
    environment: Mapping[str, str],
    stdin: IO[bytes],
    output: IO[bytes],
    on_start: Callable[[int], None] | None,
) -> int:
    """Run in a session of its own: it hears no Ctrl+C, and ends whole when we are cancelled.

    It begins when `on_start` has returned: were we killed in between, nobody would know whose locks
    it left.
    """
    held, gate = os.pipe()
    with contextlib.ExitStack() as opened:
        opened.callback(os.close, gate)
        with open(held, "rb") as waiting:  # noqa: PTH123  # a descriptor
            process = await anyio.open_process(
                ["/bin/sh", "-c", _HELD, f"/dev/fd/{stdin.fileno()}", *args],
                cwd=folder,
                env=environment,
                stdin=waiting,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(stdin.fileno(),),
            )
        try:
            if on_start is not None:
                on_start(process.pid)
            with contextlib.suppress(BrokenPipeError):  # it was ended meanwhile
                os.write(gate, b"\n")
            with part("git"):
                return await process.wait()
        except BaseException:
            await _end(process)
            raise


async def _end(process: Process) -> None:
    """End it with all that it started; git first takes its locks away."""
    with anyio.CancelScope(shield=True):
        _signal_group(process.pid, signal.SIGTERM)
        with anyio.move_on_after(_GRACE):
            await process.wait()
        _signal_group(process.pid, signal.SIGKILL)
        await process.wait()


def _signal_group(pid: int, number: signal.Signals) -> None:
    """Signal the group; one that is gone is fine."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
