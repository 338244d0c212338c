"""A provider for agent-runner that lets an installed agent CLI change files, in a scratch copy.

The CLI sees a copy of the task's folder and may change what it likes there. What it changed comes
back as a diff, which the runner applies like any reply: all or nothing, inside of the task's folder,
not what is protected. Nothing below the task's folder is touched here.

Of agent-runner it imports `agent_runner.plugin` alone.
"""

import errno
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import anyio
import anyio.abc
import anyio.to_thread

from agent_runner.plugin import (
    IN_PLACE, LEAVINGS, AgentResponse, CallContext, CallTooLargeError, Clock, FatalError, Finish,
    Profile, Prompt, Usage, UsageError, ignored_files, instructions_of, task_files, tokens_of,
)

WORD = "{instructions}"
"""Stands in `params.command` where the instructions go; without it they go to standard input."""

PARAMS = {"command", "also_copy", "max_diff"}

_NO_COMMAND = "set providers.{name}.params.command, such as [claude, -p]"
_EXACT = "* -text !eol !filter !ident !working-tree-encoding !diff\n"
"""Git attributes that win over all others, so that git compares the files as they are."""
_GRACE = 2.0  # seconds between asking the CLI to stop and making it
_POLL = 0.05  # seconds between two looks whether its process group is empty
_SHOWN = 16_000  # bytes of its output that are kept, from the end
_MAX_DIFF = 4_000_000  # characters


class CliAgent:
    """Runs `params.command` once a call. docs: README.md beside this file.

    `params.also_copy`: paths below the task's folder that are copied though git ignores them.
    `params.max_diff`: characters of a change that is still taken. The provider's `timeout` is for
    the whole call; the variable in `api_key_env` is the only one with a key that the CLI gets.
    """

    capabilities = IN_PLACE

    def __init__(self, profile: Profile, clock: Clock) -> None:
        """Raises UsageError for params that cannot work, and where the command is not installed."""
        del clock
        self._name, params = profile.name, profile.params
        where = f"providers.{self._name}.params"
        if unknown := sorted(set(params) - PARAMS):
            raise UsageError(
                f"{where}: {unknown[0]} means nothing", fix=f"known are {', '.join(sorted(PARAMS))}"
            )
        self._command = _command(params.get("command"), self._name)
        self._also = _strings(params.get("also_copy", ()), f"{where}.also_copy")
        self._max_diff = params.get("max_diff", _MAX_DIFF)
        if not isinstance(self._max_diff, int):
            raise UsageError(f"{where}.max_diff: a number of characters is needed")
        self._timeout, self._withheld = profile.timeout, profile.withheld

    async def generate_completion(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        """Let the CLI work on a copy of the task's folder; `edits` is one diff of what it changed.

        Without a task, for `agent-runner providers check`, it is asked for words in an empty folder.
        """
        instructions = instructions_of(prompt)
        with tempfile.TemporaryDirectory(prefix="agent-runner-scratch-") as scratch:
            if context.root is None:
                return await self._answer(Path(scratch), instructions)
            copy = ScratchCopy(context.root.resolve(), Path(scratch) / "work", Path(scratch) / "git")
            await anyio.to_thread.run_sync(copy.make, self._also)
            output, trouble = await self._run(copy.work, instructions)
            diff = "" if trouble else await anyio.to_thread.run_sync(copy.diff)
        if len(diff) > self._max_diff:
            most = f"providers.{self._name}.params.max_diff ({self._max_diff})"
            trouble = (Finish.TRUNCATED, f"its changes have {len(diff)} characters, more than {most}")
            diff = ""
        finish, detail = trouble or (Finish.COMPLETE, "")
        return AgentResponse(
            output or "It said nothing.",
            finish,
            _usage(instructions, output + diff),
            detail=detail,
            edits=(diff,) if diff else (),
            logs=tuple(output.splitlines()),
        )

    async def aclose(self) -> None:
        """There is nothing to close."""

    async def _answer(self, folder: Path, question: str) -> AgentResponse:
        output, trouble = await self._run(folder, question)
        finish, detail = trouble or (Finish.COMPLETE if output else Finish.EMPTY, "")
        return AgentResponse(output, finish, _usage(question, output), detail=detail)

    async def _run(self, folder: Path, instructions: str) -> tuple[str, tuple[Finish, str] | None]:
        """Run the CLI to its end: the last of what it printed, and what is bad about its end."""
        words = [word.replace(WORD, instructions) for word in self._command]
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output:
            if words == self._command:
                given.write(instructions.encode())
                given.seek(0)
            code = await self._finish(words, folder, given, output)
            output.seek(max(0, output.seek(0, os.SEEK_END) - _SHOWN))
            printed = output.read().decode(errors="replace").strip()
        if code is None:
            return printed, (
                Finish.CUT,
                f"{words[0]} did not end within {self._timeout:g} seconds "
                f"(providers.{self._name}.timeout)",
            )
        if code != 0:
            last = printed[-500:] or "it said nothing"
            return printed, (Finish.FAILED, f"{words[0]} ended with exit code {code}: {last}")
        return printed, None

    async def _finish(
        self, words: list[str], folder: Path, given: IO[bytes], output: IO[bytes]
    ) -> int | None:
        """Its exit code; None: it was ended because it took too long."""
        process = await self._start(words, folder, given, output)
        try:
            with anyio.move_on_after(self._timeout):
                return await process.wait()
            return None
        finally:
            with anyio.CancelScope(shield=True):
                await _end_group(process)

    async def _start(
        self, words: list[str], folder: Path, given: IO[bytes], output: IO[bytes]
    ) -> anyio.abc.Process:
        try:
            return await anyio.open_process(
                words,
                cwd=folder,
                env={name: value for name, value in os.environ.items() if not self._hidden(name)},
                stdin=given,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            if error.errno == errno.E2BIG:
                raise CallTooLargeError(
                    "the instructions are too long for the command line",
                    fix=f"leave {WORD} out of providers.{self._name}.params.command: they then go "
                    "to its standard input",
                ) from error
            raise FatalError(
                f"{words[0]} cannot be started: {error.strerror}",
                fix=f"install it, or name another in providers.{self._name}.params.command",
            ) from error

    def _hidden(self, name: str) -> bool:
        """Whether an environment variable holds a key of somebody else, as far as can be told."""
        ours = name.startswith("AGENT_RUNNER_") and name.endswith("API_KEY")
        return ours or name in self._withheld


class ScratchCopy:
    """A copy (`work`) of `source`, and what differs in it, as git sees it.

    The repository that it is compared by lies outside of the copy (`outside`), where no agent
    changes it by accident; the one in the copy is for the agent.
    """

    def __init__(self, source: Path, work: Path, outside: Path) -> None:
        self.source, self.work, self.outside = source, work, outside

    def make(self, also: tuple[str, ...]) -> None:
        """Copy what git does not ignore, and `also`; remember it as it is."""
        self.work.mkdir()
        for name in dict.fromkeys([*task_files(self.source), *_below(self.source, also)]):
            _copy(self.source, self.work, name)
        _git(self.work, "init", "-q")
        inner = self.work / ".git"
        (inner / "info").mkdir(exist_ok=True)
        (inner / "info" / "attributes").write_text(_EXACT)
        (inner / "info" / "exclude").write_text("".join(f"{name}\n" for name in sorted(LEAVINGS)))
        _git(self.work, "add", "-A", "-f")
        who = ("-c", "user.name=agent-runner", "-c", "user.email=agent-runner@localhost")
        message = ("--allow-empty", "--no-verify", "--no-gpg-sign", "-m", "as it was")
        _git(self.work, *who, "commit", "-q", *message)
        shutil.copytree(inner, self.outside)

    def diff(self) -> str:
        """All that differs now, but for new files that git ignores. Exact renames are moves."""
        here = (f"--git-dir={self.outside}", f"--work-tree={self.work}")
        _git(self.work, *here, "add", "-A", "--", ".")
        made = _git(
            self.work, *here, "diff", "--cached", "--name-only", "-z", "--diff-filter=A", "HEAD"
        )
        ignored = ignored_files(self.source, [name for name in made.split("\0") if name])
        if ignored:
            _git(self.work, *here, "rm", "-q", "--cached", "--", *sorted(ignored))
        shown = ("-M100%", "-l0", "-D", "--no-color", "--no-ext-diff", "--no-textconv")
        return _git(self.work, *here, "diff", "--cached", *shown, "HEAD")


def _command(command: object, name: str) -> list[str]:
    """The command as words, the first of which is a program that is there."""
    where, fix = f"providers.{name}.params.command", _NO_COMMAND.format(name=name)
    try:
        words = shlex.split(command) if isinstance(command, str) else _strings(command or (), where)
    except ValueError as error:
        raise UsageError(f"{where}: {error}", fix=fix) from None
    if not words:
        raise UsageError(f"{where}: there is no command", fix=fix)
    program = shutil.which(words[0])
    if program is None:
        raise UsageError(
            f"{where}: {words[0]} is not installed, or not in PATH", fix=f"install it, or {fix}"
        )
    return [os.path.abspath(program), *words[1:]]  # it runs in another folder


def _strings(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise UsageError(f"{where}: a list of texts is needed")
    return tuple(value)


def _below(root: Path, wanted: tuple[str, ...]) -> Iterator[str]:
    """The files at and below the wanted paths, relative to the root, links not followed."""
    for name in wanted:
        path = root / name
        if not path.resolve().is_relative_to(root):
            raise FatalError(f"also_copy: {name} is not inside of the task's folder")
        files = path.rglob("*") if path.is_dir() and not path.is_symlink() else (path,)
        yield from (file.relative_to(root).as_posix() for file in files)


def _copy(source: Path, target: Path, name: str) -> None:
    """One file; a link only where it stays inside; nothing of what else there is."""
    old, new = source / name, target / name
    if old.is_symlink():
        place = os.path.normpath(os.path.join(os.path.dirname(name), os.readlink(old)))
        stays = not os.path.isabs(place) and place.split(os.sep)[0] not in {"..", ".git"}
        if not stays or not old.resolve().is_relative_to(source):
            return
    elif not old.is_file():
        return
    new.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(old, new, follow_symlinks=False)


async def _end_group(process: anyio.abc.Process) -> None:
    """Nothing that the CLI started may outlive its call."""
    for number, grace in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, _GRACE)):
        _signal(process.pid, number)
        with anyio.move_on_after(grace):
            await process.wait()  # until it is reaped the number is still its own
            while _signal(process.pid, 0):
                await anyio.sleep(_POLL)
            break


def _signal(group: int, number: int) -> bool:
    """Signal the group; False if nobody is left in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS: only zombies are left
        return False
    return True


def _usage(given: str, came: str) -> Usage:
    """A guess: the CLI does not tell."""
    return Usage(input=tokens_of(given), output=tokens_of(came), estimated=True)


def _git(root: Path, *words: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    fixed = ("core.quotepath=off", "core.autocrlf=false", "core.fsmonitor=false", "gc.auto=0")
    options = [option for one in fixed for option in ("-c", one)]
    try:
        done = subprocess.run(
            ["git", *options, *words], cwd=root, env=env, capture_output=True, check=True
        )
    except FileNotFoundError:
        raise FatalError("this provider needs git", fix="install git") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise FatalError(f"git {words[0]} failed in the scratch copy: {said}") from error
    return done.stdout.decode(errors="surrogateescape")
