"""The step before the agent: pre-hooks, then, where asked for, what the judges say already."""

import re
from posixpath import join, normpath

from attrs import define

from agent_runner.engine.hooks import Hooks, KnownGreen, broken, failure_text, ran
from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Halt, Work
from agent_runner.ground.globs import Globs
from agent_runner.hooks.programs import RUNNERS
from agent_runner.model.events import (
    AlreadyGreen,
    BaselineTaken,
    PreHooksFailed,
    PreHooksPassed,
    TaskEvent,
)
from agent_runner.model.hooks import HookResult, Phase
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
            if red.could_not_start:
                return broken(hook, red)
            return PreHooksFailed(red.hook, failure_text(hook, red))
        if work.record.judgement.baseline is None:
            unable = await self._judge(work)
            if unable is not None:
                return broken(self.hooks.configured[unable.hook], unable)
        baseline = work.latest().judgement.baseline
        if baseline is not None and baseline.green and self.skip_if_green:
            return AlreadyGreen(baseline.tree)
        return PreHooksPassed()

    async def _judge(self, work: Work) -> HookResult | None:
        """Run the judges once before the first call, if that is wanted, and keep what they say.

        Returns one that cannot start: that is nobody's work, and known before a call is paid for.
        Judges that did not run (a red one came first, their `when` does not hold) are only looked
        at. Where none has run, nothing is known: that is not green.
        """
        wanted = work.task.post_hooks and await self._is_wanted(work)
        if wanted:
            work.signal(Working(work.task.id, "baseline"))
        results = await self.hooks.run(work, Phase.POST, work.task.post_hooks) if wanted else ()
        unable = next((result for result in results if result.could_not_start), None)
        if unable is not None and self._is_to_be_made(work, unable):
            unable = None
        done = {result.hook for result in ran(results)}
        unable = unable or self.hooks.absent(x for x in work.task.post_hooks if x not in done)
        if unable is None and done:
            await self._keep(work, results)
        return unable

    def _is_to_be_made(self, work: Work, result: HookResult) -> bool:
        """Whether what is missing is for the task to make, and no tool of this machine.

        That is a file that it may make, more of a package that is there, and what its own words
        name: "write the module `ladle.cli`" is red before, and green after.
        """
        hook, settings = self.hooks.configured[result.hook], work.settings.apply
        may_change = Globs((*settings.may_change, *work.task.may_change))
        module = result.missing.replace(".", "/")
        names = (result.missing, f"{module}.py", f"{module}/__main__.py")
        paths = (normpath(join(hook.cwd or "", name)) for name in names if result.missing)
        if any(map(may_change.covers, paths)):
            return True
        first, task = module.partition("/")[0], work.task
        if not first.isidentifier() or first in RUNNERS:
            return False
        folder = task.root / (hook.cwd or "")
        words = " ".join((task.title, task.description, *task.files))
        is_named = re.search(rf"(?<![\w-]){re.escape(first)}(?![\w-])", words) is not None
        return is_named or any((folder / part / first).is_dir() for part in ("", "src", "lib"))

    async def _keep(self, work: Work, results: tuple[HookResult, ...]) -> None:
        tree = (await self.trees.last(work.task)).id
        red = next((r for r in results if not r.green), None)
        if red is None:
            work.journal(BaselineTaken(green=True, tree=tree))
        else:
            work.journal(BaselineTaken(False, tree, red.failing, red.fingerprint))

    async def _is_wanted(self, work: Work) -> bool:
        if self.rule is BaselineRule.NEVER:
            return self.skip_if_green
        if self.rule is BaselineRule.ALWAYS or self.skip_if_green:
            return True
        if not self.known_green.includes(work.task.post_hooks):  # no look is needed to know
            return True
        tree = await self.trees.last(work.task)
        return not self.known_green.covers(work.task.post_hooks, tree.id)
