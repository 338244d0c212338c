"""The step that judges: only green hooks make a task done, never what the model says."""

import anyio.to_thread
from attrs import define

from agent_runner.engine.commits import Commits
from agent_runner.engine.halt import Halt
from agent_runner.engine.steps.judging import Hooks, failure_text
from agent_runner.engine.steps.pre_hooks import KnownGreen
from agent_runner.engine.steps.step import Work
from agent_runner.engine.trees import Trees
from agent_runner.model.events import (
    HookBroken,
    Judged,
    PostHooksFailed,
    PostHooksPassed,
    TaskEvent,
)
from agent_runner.model.hooks import HookOutcome, HookResult, Phase
from agent_runner.workspace.git import Repository


@define
class PostHooksStep:
    """Runs the post-hooks on what stands in the tree."""

    hooks: Hooks
    trees: Trees
    commits: Commits
    known_green: KnownGreen

    async def __call__(self, work: Work) -> TaskEvent | Halt:
        """Run the judges and say what they say."""
        service = await self.hooks.serve(work)
        if service is not None:
            return HookBroken(service.hook, "a service that it starts could not be started again")
        results = await self.hooks.run(work, Phase.POST, work.task.post_hooks)
        if results and not results[-1].green:
            return await self._red(work, results[-1])
        tree = (await self.trees.read(work.task)).id
        self.known_green.saw(work.task.post_hooks, tree)
        await self.commits.after_task(work)
        head = await anyio.to_thread.run_sync(_head, work)
        return PostHooksPassed(_proof(results), tree, head)

    async def _red(self, work: Work, red: HookResult) -> TaskEvent:
        reason = failure_text(self.hooks.configured[red.hook], red)
        if red.outcome is HookOutcome.BROKEN:
            return HookBroken(red.hook, reason)
        record = work.record
        # the tree as the attempt left it: what the hooks themselves write (caches) is no progress
        tree = (await self.trees.read(work.task)).id if record.judging else record.tree
        unchanged = not record.judging and not record.attempt_changed
        return PostHooksFailed(red.hook, reason, tree, unchanged, red.fingerprint, red.failing)


def _proof(results: tuple[HookResult, ...]) -> tuple[Judged, ...]:
    ran = (r for r in results if r.outcome is not HookOutcome.SKIPPED)
    return tuple(Judged(r.hook, r.exit_code, r.seconds) for r in ran)


def _head(work: Work) -> str:
    repository = Repository.find(work.task.root)
    return repository.head if repository else ""
