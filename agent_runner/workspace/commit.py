"""Commits exactly the files that a task changed; the user's index and other changes stay."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import anyio
from attrs import frozen

from agent_runner.ground.timings import part
from agent_runner.workspace.command import binary, environment, joined
from agent_runner.workspace.git import Repository

TRAILER = "Agent-Runner-Task"
"""The trailer that names the task in a commit's message."""

_OUTPUT_KEPT = 4_000  # bytes of what git and its hooks said, enough to see why they refused
_GRACE = 5.0  # seconds that git has to take its lock files away after we ask it to stop


@frozen
class Commit:
    """What came of it: `commit` is the new commit (hex), "" if there is none.

    `problem` then says why; it is "" too where nothing differed. `left_out`: paths that git
    ignores.
    """

    commit: str = ""
    paths: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    problem: str = ""


@frozen
class Chosen:
    """Which of a task's files go into a commit; `left_out` is the user's own unfinished work."""

    paths: tuple[str, ...]
    left_out: tuple[str, ...]


def chosen(
    changed: Iterable[str], modified_before: Iterable[str], *, include_modified: bool = False
) -> Chosen:
    """Leave out what the user had modified before the task began, unless told to include it."""
    before = frozenset() if include_modified else frozenset(modified_before)
    paths = sorted(set(changed))
    return Chosen(
        tuple(path for path in paths if path not in before),
        tuple(path for path in paths if path in before),
    )


async def commit(
    repository: Repository, paths: Iterable[str], message: str, task_id: str
) -> Commit:
    """Commit what stands at `paths`, deletions too, and nothing else.

    The user's hooks run as for any commit. A refusal (a hook, no name configured, a merge in
    progress) is told in `problem`: files and index are then as they were. Cancelling stops git and
    its hooks and leaves the same.

    Raises:
        UsageError: git cannot tell what differs.
    """
    asked = frozenset(paths)
    wanted = sorted(asked & repository.modified_paths())
    ignored = tuple(sorted(repository.ignored(asked.difference(wanted))))
    if not wanted:
        return Commit(left_out=ignored)
    new = sorted(repository.untracked_paths().intersection(wanted))
    problem = _announce(repository, new)
    if problem:
        return Commit(left_out=ignored, problem=problem)
    before = repository.head
    try:
        problem = await _commit_only(repository.root, wanted, _signed(message, task_id))
    finally:
        if repository.head == before:  # also when cancelled
            _withdraw(repository, new)
    if problem:
        return Commit(left_out=ignored, problem=problem)
    return Commit(repository.head, tuple(wanted), ignored)


def _signed(message: str, task_id: str) -> str:
    """The message with the trailer that names the task."""
    return f"{message.strip() or task_id}\n\n{TRAILER}: {task_id}\n"


def _announce(repository: Repository, new: list[str]) -> str:
    """Tell git the names of new files, for it commits by path only what it knows.

    Gives git's refusal, or "".
    """
    if not new:
        return ""
    from_stdin = ["--pathspec-from-file=-", "--pathspec-file-nul"]
    told = repository.ask(["add", "--intent-to-add", *from_stdin], joined(new))
    if told.code:
        _withdraw(repository, new)
    return told.err if told.code else ""


def _withdraw(repository: Repository, new: list[str]) -> None:
    """Take the names of new files out of the index again."""
    if new:
        repository.ask(["update-index", "--force-remove", "-z", "--stdin"], joined(new))


async def _commit_only(root: Path, paths: list[str], message: str) -> str:
    """Run `git commit --only`. Why it refused, or "".

    Output goes to a file, not a pipe: a hook may leave a child that would hold the pipe open for
    ever. Paths carry the word `literal` themselves, for git's option of that name would reach the
    user's hooks too.
    """
    args = ["commit", "--only", "--quiet", "--cleanup=whitespace", "-m", message]
    from_stdin = ["--pathspec-from-file=-", "--pathspec-file-nul"]
    with tempfile.TemporaryFile() as names, tempfile.TemporaryFile() as output:
        names.write(joined(f":(literal){path}" for path in paths))
        names.seek(0)
        code = await _run([binary(root), "--no-pager", *args, *from_stdin], root, names, output)
        output.seek(max(0, output.seek(0, os.SEEK_END) - _OUTPUT_KEPT))
        said = output.read().decode(errors="replace").strip()
    return "" if code == 0 else said or f"git commit ended with exit code {code}"


async def _run(args: list[str], root: Path, stdin: IO[bytes], output: IO[bytes]) -> int:
    """Run in a process group of its own, which is stopped whole when we are cancelled."""
    process = await anyio.open_process(
        args,
        cwd=root,
        env=environment(),
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        with part("git"):
            return await process.wait()
    except BaseException:
        with anyio.CancelScope(shield=True):
            _signal_group(process.pid, signal.SIGTERM)
            with anyio.move_on_after(_GRACE):
                await process.wait()
            _signal_group(process.pid, signal.SIGKILL)
            await process.wait()
        raise


def _signal_group(pid: int, number: signal.Signals) -> None:
    """Signal the group; one that is gone is fine."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
