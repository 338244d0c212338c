"""The step before the agent: pre-hooks, then, where asked for, what the judges say already."""

from attrs import define

from agent_runner.engine.hooks import Hooks, KnownGreen, failure_text, ran
from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Halt, Work
from agent_runner.model.events import (
    AlreadyGreen,
    BaselineTaken,
    HookBroken,
    PreHooksFailed,
    PreHooksPassed,
    TaskEvent,
)
from agent_runner.model.hooks import HookOutcome, Phase
from agent_runner.model.settings import BaselineRule
from agent_runner.model.signals import Working


@define
class PreHooksStep:
    """Runs the pre-hooks and takes the baseline."""

    hooks: Hooks
    trees: Trees
    rule: BaselineRule
    skip_if_green: bool
    known_green: KnownGreen

    async def __call__(self, work: Work) -> TaskEvent | Halt:
        """Run the pre-hooks, then the judges for a baseline where one is wanted."""
        results = await self.hooks.run(work, Phase.PRE, work.task.pre_hooks)
        if results and not results[-1].green:
            red = results[-1]
            hook = self.hooks.configured[red.hook]
            if red.outcome is HookOutcome.BROKEN:
                return HookBroken(red.hook, failure_text(hook, red))
            return PreHooksFailed(red.hook, failure_text(hook, red))
        green = await self._baseline(work)
        if green is not None and self.skip_if_green:
            return AlreadyGreen(green)
        return PreHooksPassed()

    async def _baseline(self, work: Work) -> str | None:
        """Run the judges once before the first call; returns the tree's hash if they are green.

        Where their `when` leaves none of them to run, nothing is known: that is not green.
        """
        taken = work.record.judgement.baseline
        if taken is not None:
            return taken.tree if taken.green else None
        if not work.task.post_hooks or not await self._is_wanted(work):
            return None
        work.signal(Working(work.task.id, "baseline"))
        results = await self.hooks.run(work, Phase.POST, work.task.post_hooks)
        if not ran(results):
            return None
        tree = (await self.trees.last(work.task)).id
        red = next((r for r in results if not r.green), None)
        if red is None:
            work.journal(BaselineTaken(green=True, tree=tree))
            return tree
        work.journal(
            BaselineTaken(green=False, tree=tree, failing=red.failing, fingerprint=red.fingerprint)
        )
        return None

    async def _is_wanted(self, work: Work) -> bool:
        if self.rule is BaselineRule.NEVER:
            return self.skip_if_green
        if self.rule is BaselineRule.ALWAYS or self.skip_if_green:
            return True
        if not self.known_green.includes(work.task.post_hooks):  # no look is needed to know
            return True
        tree = await self.trees.last(work.task)
        return not self.known_green.covers(work.task.post_hooks, tree.id)
