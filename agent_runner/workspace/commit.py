"""Commits exactly the files that a task changed; the user's index and other changes stay.

The commit is made from an index of our own. While the user's hooks run, git's index is then not
locked, and when all is killed, no lock is left that nobody dares to remove. Git's own index learns
of the commit afterwards, in a moment and without a hook. All of it may be done again at any time.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import anyio
import anyio.to_thread
from attrs import define, field, frozen

from agent_runner.ground.processes import ProcessTable, this_machine
from agent_runner.workspace.branches import branch_to_make, why_no_branch
from agent_runner.workspace.git import Repository
from agent_runner.workspace.locks import identity, locks, remove_ours
from agent_runner.workspace.own_index import IndexOfOurs, sync_names
from agent_runner.workspace.programs import run_by_a_commit

TRAILER = "Agent-Runner-Task"
"""The trailer that names the task in a commit's message."""

_UNFINISHED = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
}
_POLL = 0.05  # seconds between two looks whether a lock is gone


@frozen
class Commit:
    """What came of it: `commit` is the commit (hex) that has the files, "" if there is none.

    `problem`: what keeps some of `paths` from being committed, or git's index from knowing it; ""
    where nothing is left to do, also because nothing differed. `left_out`: paths that git ignores.
    `busy`: another git was in the way, so that trying again costs nothing. `branch`: one that was
    made for it.
    """

    commit: str = ""
    paths: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    problem: str = ""
    busy: bool = False
    branch: str = ""


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


@define
class Committer:
    """Makes the commits of a run, one after the other.

    Attributes:
        index: Where our own index may stand: a file in a folder that is ours alone.
        environment: What git, the user's hooks and filters see.
        timeout: Seconds for all of one commit.
        patience: Seconds to wait for another git to release its lock; once for each lock.
        table: Says whether another git is at work, where locks may be left of a killed one.
    """

    index: Path
    environment: Mapping[str, str]
    timeout: float = 300.0
    patience: float = 10.0
    table: ProcessTable = field(factory=this_machine)
    _given_up: set[tuple[int, int]] = field(factory=set, init=False)

    async def commit(  # noqa: PLR0913 - each is another fact of the commit, given by name
        self,
        repository: Repository,
        paths: Iterable[str],
        message: str,
        tasks: Sequence[str],
        *,
        branch: str = "",
        changed: Iterable[Path] = (),
        killed: float | None = None,
        on_start: Callable[[int], None] = lambda _pid: None,
    ) -> Commit:
        """Commit what stands at `paths`, deletions too, and nothing else; safe to repeat.

        `tasks` are named in the message. `branch`: one of our own (`branches.py`) to commit on. The
        user's hooks and filters run as for any commit, but not if they lie in the tree and are
        among `changed` (absolute paths). Whatever keeps the commit from being made is in `problem`,
        and files and index are as they were. `killed`: when a git of ours was started that was
        killed (epoch seconds), and may have left locks. `on_start` gets the pid of the git that
        runs the hooks. Cancelling leaves all as it was.

        Raises:
            UsageError: git cannot tell what differs.
        """
        asked = frozenset(paths)
        look = anyio.to_thread.run_sync
        wanted = sorted(asked & await look(repository.modified_paths))
        ignored = tuple(sorted(await look(repository.ignored, asked.difference(wanted))))
        if not wanted:
            ours = await look(_head_of, repository, tasks)
            return Commit(ours, left_out=ignored)
        problem = _unfinished(repository) or await look(_led_astray, repository, tuple(changed))
        if problem:
            return Commit(left_out=ignored, problem=problem)
        to_make = await look(branch_to_make, repository, branch) if branch else ""
        lock = await self._wait(repository, killed, to_make)
        if lock:
            return Commit(left_out=ignored, problem=lock, busy=True)
        work = await look(IndexOfOurs, repository, self.index, self.environment)
        problem = await self._branch_out(work, to_make, on_start)
        if problem:
            return Commit(left_out=ignored, problem=problem)
        problem = await self._within_the_limit(work, wanted, _signed(message, tasks), on_start)
        head = await look(lambda: repository.head)
        ours = await look(_head_of, repository, tasks)
        if problem and (head == work.before or not ours):
            return Commit(left_out=ignored, problem=problem)
        made = ours or (head if head != work.before else "")  # a hook may have changed the message
        busy = await self._tell_the_index(work, wanted, made)
        problem = busy or await look(sync_names, repository)
        paths = tuple(wanted) if made else ()
        return Commit(made, paths, ignored, problem, bool(busy), to_make)

    async def _branch_out(
        self, work: IndexOfOurs, branch: str, on_start: Callable[[int], None]
    ) -> str:
        """Let HEAD stand on a branch of ours; what keeps it from that, or ""."""
        if not branch:
            return ""
        why = await anyio.to_thread.run_sync(why_no_branch, work.repository)
        return why or await work.go_to(branch, on_start)

    async def _within_the_limit(
        self, work: IndexOfOurs, paths: list[str], message: str, on_start: Callable[[int], None]
    ) -> str:
        """Make the commit; why there is none, or ""."""
        limit = f"{self.timeout:.0f} s (`git.commit_timeout`)"
        problem = f"git and the hooks that it runs did not end within {limit}"
        try:
            with anyio.move_on_after(self.timeout):
                before = work.standing(paths)
                problem = await work.commit(paths, message, on_start)
                if problem and work.standing(paths) != before:  # a formatter; what it made passes
                    problem = await work.commit(paths, message, on_start)
        except OSError as error:
            problem = f"{error.filename or self.index}: {error.strerror}"
        return problem

    async def _tell_the_index(self, work: IndexOfOurs, paths: list[str], made: str) -> str:
        """Let git's own index know what was committed; what is in the way, or ""."""
        said = await work.tell_the_index(paths, made)
        if said and not await self._wait(work.repository):
            said = await work.tell_the_index(paths, made)
        return f"it is committed, but git's index does not know it: {said}" if said else ""

    async def _wait(
        self, repository: Repository, killed: float | None = None, to_make: str = ""
    ) -> str:
        """Wait until no other git holds index or branch; the lock that stays, in words, or ""."""
        files = await anyio.to_thread.run_sync(locks, repository, to_make)

        async def is_free() -> bool:
            if killed is not None:  # each time: what was killed with us may not be gone yet
                await anyio.to_thread.run_sync(remove_ours, repository, killed, self.table, to_make)
            return {*map(identity, files)} <= {None, *self._given_up}

        with anyio.move_on_after(self.patience):
            while not await is_free():  # noqa: ASYNC110  # another program holds them
                await anyio.sleep(_POLL)
        held = {lock: seen for lock in files if (seen := identity(lock))}
        self._given_up.update(held.values())
        names = " and ".join(map(str, held))
        return f"another git holds {names}; if none is running, remove it" if held else ""


def _signed(message: str, tasks: Sequence[str]) -> str:
    """The message with a trailer for each task."""
    trailers = "\n".join(f"{TRAILER}: {task}" for task in tasks)
    return f"{message.strip() or tasks[0]}\n\n{trailers}\n"


def _head_of(repository: Repository, tasks: Sequence[str]) -> str:
    """The last commit if it is one of ours for these tasks, else ""."""
    key = f"--format=%H%n%(trailers:key={TRAILER},valueonly)"
    answer = repository.ask(["log", "-1", "--no-show-signature", key])
    head, *named = answer.line.split("\n")
    return head if answer.code == 0 and set(tasks) <= set(named) else ""


def _unfinished(repository: Repository) -> str:
    """What the user is in the middle of, so that a commit would be part of it."""
    git_dir = repository.git.git_dir
    found = [what for name, what in _UNFINISHED.items() if os.path.lexists(git_dir / name)]
    return f"{found[0]} is in progress in {repository.git.work_tree}" if found else ""


def _led_astray(repository: Repository, changed: tuple[Path, ...]) -> str:
    """Why git must not run its hooks and filters now, or ""."""
    top = repository.git.work_tree
    inside = [path.relative_to(top).as_posix() for path in changed if path.is_relative_to(top)]
    led = run_by_a_commit(repository, inside)
    if not led:
        return ""
    names = ", ".join(led[:5])
    return f"git would run or obey what was changed here: {names}; look at it, commit it yourself"
