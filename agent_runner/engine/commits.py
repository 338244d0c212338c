"""Git commits of what a task changed, where the user asked for them."""

import re

import anyio.to_thread
from attrs import frozen

from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Work
from agent_runner.model.events import Committed
from agent_runner.model.settings import CommitRule, GitSettings
from agent_runner.model.signals import Said
from agent_runner.workspace.commit import chosen, commit
from agent_runner.workspace.git import Repository


@frozen
class Commits:
    """Commits by path, never more than the task's own files.

    Where git refuses, that is said: nothing is lost, and the task goes on.
    """

    settings: GitSettings
    trees: Trees

    async def after_attempt(self, work: Work, paths: tuple[str, ...]) -> None:
        """Commit what an attempt changed, if every attempt is to be committed."""
        if self.settings.commit is CommitRule.ATTEMPT:
            await self._commit(work, paths)

    async def after_task(self, work: Work) -> None:
        """Commit what the task changed, now that its judges are green."""
        if self.settings.commit is not CommitRule.OFF:
            await self._commit(work, work.record.change.paths)

    async def _commit(self, work: Work, paths: tuple[str, ...]) -> None:
        repository = await anyio.to_thread.run_sync(Repository.find, work.task.root)
        if repository is None or not paths:
            return
        start = self.trees.at_start(work.record)
        modified = start.modified if start else frozenset()
        pick = chosen(paths, modified, include_modified=self.settings.include_modified)
        message = _message(self.settings.message, work)
        done = await commit(repository, pick.paths, message, work.task.id)
        self.trees.expire()  # a git hook of the user's may have changed files
        if pick.left_out and not done.commit:  # else the entry of the commit says it
            names = ", ".join(pick.left_out)
            text = f"not committed, because you had changed them before the task began: {names}"
            work.signal(Said(work.task.id, text, "warning"))
        if done.problem:
            text = f"git refused the commit, nothing is lost: {done.problem}"
            work.signal(Said(work.task.id, text, "warning"))
        if done.commit:
            work.journal(Committed(done.commit, done.paths, (*pick.left_out, *done.left_out)))


def _message(pattern: str, work: Work) -> str:
    """The pattern with its names filled in; other braces are the user's own words."""
    words = {
        "id": work.task.id,
        "title": work.task.title,
        "attempt": str(work.record.counts.attempts),
    }
    return re.sub(r"\{(id|title|attempt)\}", lambda name: words[name[1]], pattern)
