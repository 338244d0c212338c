"""A provider for agent-runner that lets an installed agent CLI change files, in a scratch copy.

The CLI sees a copy of the task's folder and may change what it likes there. What it changed comes
back as a diff, which the runner applies like any reply: all or nothing, inside the task's folder,
not what is protected. Nothing below the task's folder is touched here.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import IO

import anyio
import anyio.to_thread

from agent_runner.clock import Clock
from agent_runner.model.agent import AgentResponse, Prompt
from agent_runner.model.errors import FatalError, UnknownOutcomeError
from agent_runner.model.settings import Settings
from agent_runner.model.tokens import tokens_of
from agent_runner.model.usage import Usage
from agent_runner.providers.client import CallContext
from agent_runner.providers.keys import key_variables
from agent_runner.providers.profiles import Profile

LEFT_OUT = {".git", ".agent-runner", ".venv", "venv", "node_modules", "__pycache__", ".nox", ".tox"}
"""Folders that no agent needs a copy of."""

PREFACE = """\
You work in a copy of a project, in the current folder. Change its files directly; where the text
below asks for a reply in some form, change the files instead. Do not commit.

"""

_GRACE = 5.0  # seconds between asking the CLI to stop and making it
_SHOWN = 4_000  # bytes of its output that are kept


class CliAgent:
    """Runs `params.command` (a list of words; `{instructions}` in one of them is filled in).

    Without that word the instructions go to its standard input. `params.keys`: environment
    variables with keys that it needs; it gets no others. The provider's `timeout` is for the whole.
    """

    def __init__(self, profile: Profile, clock: Clock) -> None:
        del clock
        self._name = profile.name
        self._command = [str(word) for word in profile.params.get("command", ())]
        self._keys = {str(name) for name in profile.params.get("keys", ())}
        self._timeout = profile.timeout

    async def generate_completion(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        """Not what this provider does."""
        del prompt, context
        raise FatalError(f"{self._name} changes files itself and answers no prompts")

    async def apply_code_changes(self, repo_path: Path, instructions: str) -> AgentResponse:
        """Let the CLI work on a copy; the answer's `edits` is one diff of all that it changed."""
        if not self._command:
            raise FatalError(
                f"{self._name} has no command",
                fix=f"providers: {{{self._name}: {{params: {{command: [claude, -p]}}}}}}",
            )
        with tempfile.TemporaryDirectory(prefix="agent-runner-scratch-") as scratch:
            root = Path(scratch) / "work"
            await anyio.to_thread.run_sync(_copy, repo_path, root)
            begin = await anyio.to_thread.run_sync(_begin, root)
            said = await self._run(root, PREFACE + instructions)
            diff = await anyio.to_thread.run_sync(_changes, root, begin)
        usage = Usage(input=tokens_of(instructions), output=tokens_of(diff), estimated=True)
        text = "See the changes." if diff else "Nothing was changed."
        return AgentResponse(text, usage=usage, edits=(diff,) if diff else (), logs=(said,))

    async def aclose(self) -> None:
        """There is nothing to close."""

    async def _run(self, root: Path, instructions: str) -> str:
        """Run the CLI to its end; the end of what it said."""
        asked_by_word = any("{instructions}" in word for word in self._command)
        words = [word.replace("{instructions}", instructions) for word in self._command]
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output:
            if not asked_by_word:
                given.write(instructions.encode())
                given.seek(0)
            code = await self._finish(words, root, given, output)
            output.seek(max(0, output.seek(0, os.SEEK_END) - _SHOWN))
            said = output.read().decode(errors="replace").strip()
        if code != 0:
            raise FatalError(
                f"{self._command[0]} ended with exit code {code}: {said[-500:] or 'it said nothing'}",
                fix=f"try it by hand: {self._command[0]}",
            )
        return said

    async def _finish(
        self, words: list[str], root: Path, given: IO[bytes], output: IO[bytes]
    ) -> int:
        withheld = key_variables(Settings()) - self._keys
        env = {name: value for name, value in os.environ.items() if name not in withheld}
        try:
            process = await anyio.open_process(
                words,
                cwd=root,
                env=env,
                stdin=given,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise FatalError(
                f"{words[0]} cannot be started: {error.strerror}",
                fix=f"install it, or name another in providers.{self._name}.params.command",
            ) from error
        try:
            with anyio.fail_after(self._timeout):
                return await process.wait()
        except TimeoutError:
            raise UnknownOutcomeError(
                f"{words[0]} did not end within {self._timeout:g} seconds"
            ) from None
        finally:
            with anyio.CancelScope(shield=True):
                await _end_group(process)


async def _end_group(process: anyio.abc.Process) -> None:
    """Nothing that the CLI started may outlive its call."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        with anyio.move_on_after(_GRACE):
            await process.wait()
            break
    await process.wait()


def _copy(source: Path, target: Path) -> None:
    """All files but those no agent needs; links only where they stay inside."""
    inside = source.resolve()

    def left_out(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if name in LEFT_OUT or _leaves(Path(folder) / name, inside)}

    shutil.copytree(source, target, symlinks=True, ignore=left_out)


def _leaves(path: Path, inside: Path) -> bool:
    """Whether it is a link by which a write in the copy could reach the original or beyond."""
    if not path.is_symlink():
        return False
    return path.readlink().is_absolute() or not path.resolve().is_relative_to(inside)


def _begin(root: Path) -> str:
    """Make the copy a repository of its own, so that git can tell what changes; its first commit."""
    _git(root, "init", "-q")
    _git(root, "add", "-A", "-f")
    who = ("-c", "user.name=agent-runner", "-c", "user.email=agent-runner@localhost")
    _git(root, *who, "commit", "-q", "--allow-empty", "--no-verify", "-m", "as it was")
    return _git(root, "rev-parse", "HEAD").strip()


def _changes(root: Path, begin: str) -> str:
    """What differs from the beginning, as a diff; files that its .gitignore names do not count."""
    _git(root, "add", "-A")
    diff = _git(root, "diff", "--cached", "--no-renames", "--no-color", "--no-ext-diff", begin)
    binary = [line for line in diff.splitlines() if line.startswith("Binary files ")]
    if binary:
        raise FatalError(f"the agent changed files that are no text: {'; '.join(binary)[:500]}")
    return diff


def _git(root: Path, *words: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-c", "core.quotepath=off", "-c", "core.autocrlf=false", *words],
            cwd=root,
            env={**env, "GIT_CONFIG_GLOBAL": os.devnull},
            capture_output=True,
            check=True,
        )
    except FileNotFoundError:
        raise FatalError("this provider needs git", fix="install git") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise FatalError(f"git {words[0]} failed in the scratch copy: {said}") from error
    return done.stdout.decode(errors="surrogateescape")
