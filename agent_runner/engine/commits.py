"""Git commits of what a task changed, where the user asked for them."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
from attrs import define, field

from agent_runner.engine.core import Core
from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Work
from agent_runner.ground.processes import ProcessTable, this_machine
from agent_runner.model.errors import UsageError
from agent_runner.model.events import CommitStarted, Committed, NotCommitted
from agent_runner.model.record import TaskRecord
from agent_runner.model.settings import BranchRule, CommitRule, GitSettings
from agent_runner.model.signals import Said
from agent_runner.model.task import Task, TaskList
from agent_runner.workspace.branches import branch_of_list, branch_of_task
from agent_runner.workspace.commit import Chosen, Commit, Committer, chosen
from agent_runner.workspace.git import Repository


@define
class Commits:
    """Commits by path, never more than the tasks' own files.

    What git refuses is no failure of a task: nothing is lost and the task goes on. It is remembered
    in the journal, and tried again: at once where another git was in the way, else at the end of
    the run and at the beginning of the next. `redact` takes keys out of what git and its hooks say.
    """

    settings: GitSettings
    core: Core
    tasks: TaskList
    trees: Trees
    committer: Committer
    redact: Callable[[str], str]
    table: ProcessTable = field(factory=this_machine)
    _refused: set[str] = field(factory=set, init=False)

    async def after_attempt(self, work: Work, paths: tuple[str, ...]) -> None:
        """Commit what an attempt changed, if every attempt is to be committed."""
        if self.settings.commit is CommitRule.ATTEMPT:
            await self._after(work, paths)

    async def after_task(self, work: Work) -> None:
        """Commit what the task changed, now that its judges are green."""
        if self.settings.commit is not CommitRule.OFF:
            await self._after(work, work.record.change.paths)

    async def catch_up(self, run: str) -> None:
        """Try again what could not be committed; what a hook has refused in this run is left.

        One time-out is all that is spent on it, however many commits there are.
        """
        with anyio.move_on_after(self.settings.commit_timeout):
            for record in self._waiting():
                if self.settings.commit is CommitRule.OFF:  # the user has thought better of it
                    self.core.journal(record.id, NotCommitted((), ""))
                elif record.id not in self._refused:
                    await self._again(record, run)

    def uncommitted(self) -> tuple[TaskRecord, ...]:
        """The tasks whose files are still to be committed."""
        off = self.settings.commit is CommitRule.OFF
        return () if off else tuple(self._waiting())

    def uncommitted_below(self, root: Path) -> frozenset[str]:
        """Files still to be committed, relative to `root`: they are no work of the user's."""
        return frozenset(_below(root, self._paths(self._waiting())))

    def _waiting(self) -> list[TaskRecord]:
        records = tuple(self.core.store.state.tasks.values())
        return [one for one in records if one.change.uncommitted and one.id in self.tasks]

    def _paths(self, records: Iterable[TaskRecord]) -> set[Path]:
        return {self.tasks[one.id].root / p for one in records for p in one.change.uncommitted}

    async def _again(self, record: TaskRecord, run: str) -> None:
        task = self.tasks[record.id]
        await self._commit(task, Chosen(record.change.uncommitted, ()), run, ())

    async def _after(self, work: Work, paths: tuple[str, ...]) -> None:
        if not paths:
            return
        for record in self._waiting():  # another git was in the way, and may be gone
            if record.id not in self._refused and record.id != work.task.id:
                await self._again(record, work.run)
        start = self.trees.at_start(work.record)
        modified = start.modified if start else frozenset()
        pick = chosen(paths, modified, include_modified=self.settings.include_modified)
        done = await self._commit(work.task, pick, work.run, paths)
        if pick.left_out and not done.commit:  # else the entry of the commit says it
            names = ", ".join(pick.left_out)
            text = f"not committed, as they had changes before the task began: {names}"
            work.signal(Said(work.task.id, text, "warning"))

    async def _commit(self, task: Task, pick: Chosen, run: str, paths: tuple[str, ...]) -> Commit:
        """Commit for one task, and journal what came of it.

        Files that another task's commit has waited for go into this one where both changed them.
        """
        try:
            done = await self._made(task, pick, run, paths)
        except UsageError as error:  # git refuses the repository, or cannot read it
            done = Commit(problem=str(error))
        change = self.core.record(task.id).change
        if done.commit and (done.commit != change.commit or change.uncommitted):
            left_out = (*pick.left_out, *done.left_out)
            self.core.journal(task.id, Committed(done.commit, done.paths, left_out, done.branch))
        if done.problem:
            self.core.journal(task.id, NotCommitted(pick.paths, self.redact(done.problem)))
            if not done.busy:
                self._refused.add(task.id)
        return done

    async def _made(self, task: Task, pick: Chosen, run: str, paths: tuple[str, ...]) -> Commit:
        repository = await anyio.to_thread.run_sync(Repository.find, task.root)
        if repository is None:
            return Commit(problem=f"{task.root} is in no git repository")
        ours = {task.root / path for path in pick.paths}
        others = [one for one in self._waiting() if one.id != task.id]
        sharing = [one for one in others if self._paths([one]) & ours]
        record = self.core.record(task.id)
        done = await self.committer.commit(
            repository,
            pick.paths,
            _message(self.settings.message, task, record),
            (task.id, *(one.id for one in sharing)),
            branch=self._branch(task),
            changed=await anyio.to_thread.run_sync(self._changed, task, paths),
            killed=self._killed(),
            on_start=partial(self._started, task.id, run),
        )
        self.trees.expire()  # a git hook of the user's may have changed files
        if done.commit:
            self._share(sharing, ours, done.commit)
        elif record.change.uncommitted and not done.problem:  # the user has committed them
            return Commit(await anyio.to_thread.run_sync(lambda: repository.head), pick.paths)
        return done

    def _branch(self, task: Task) -> str:
        """The branch of ours that a task's files are committed on; "" for the user's own."""
        match self.settings.branch:
            case BranchRule.RUN:
                return branch_of_list(self.tasks.id)
            case BranchRule.TASK:
                return branch_of_task(task.id)
            case BranchRule.OFF:
                return ""

    def _share(self, others: Iterable[TaskRecord], ours: set[Path], commit: str) -> None:
        """Let the other tasks know what of theirs is committed with ours."""
        for other in others:
            root = self.tasks[other.id].root
            left = tuple(path for path in other.change.uncommitted if root / path not in ours)
            problem = other.change.commit_problem
            fact = (
                NotCommitted(left, problem) if left else Committed(commit, other.change.uncommitted)
            )
            self.core.journal(other.id, fact)

    def _changed(self, task: Task, paths: tuple[str, ...]) -> tuple[Path, ...]:
        """All that tasks of this list have changed: by replies, and this one also by commands."""
        since = self.trees.changed_since_start(task, self.core.record(task.id))
        found = [task.root / path for path in (*paths, *since)]
        for record in tuple(self.core.store.state.tasks.values()):
            if record.id in self.tasks:
                found += [self.tasks[record.id].root / path for path in record.change.paths]
        return tuple(dict.fromkeys(found))

    def _killed(self) -> float | None:
        """When the first git was started of which nobody knows how it ended."""
        started = (one.change.committing for one in self.core.store.state.tasks.values())
        return min((one.at for one in started if one), default=None)

    def _started(self, task: str, run: str, pid: int) -> None:
        at, start = self.trees.clock.now(), self.table.start_time(pid)
        self.core.journal(task, CommitStarted(pid, start, run, at))


def _below(root: Path, paths: Iterable[Path]) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths if path.is_relative_to(root)]


def _message(pattern: str, task: Task, record: TaskRecord) -> str:
    """The pattern with its names filled in; other braces are the user's own words."""
    words = {"id": task.id, "title": task.title, "attempt": str(record.counts.attempts)}
    return re.sub(r"\{(id|title|attempt)\}", lambda name: words[name[1]], pattern)
