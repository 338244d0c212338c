"""The step that judges: only green hooks make a task done, never what the model says."""

from collections.abc import Mapping

from attrs import define

from agent_runner.engine.commits import Commits
from agent_runner.engine.hooks import Hooks, KnownGreen, broken, failure_text, ran
from agent_runner.engine.second_judgement import SecondJudgement
from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Halt, Work
from agent_runner.files.images import standing
from agent_runner.ground.judges import judging
from agent_runner.ground.threads import in_thread
from agent_runner.model.changes import FileChange, Image
from agent_runner.model.events import (
    HookBroken,
    Judged,
    PostHooksFailed,
    PostHooksPassed,
    TaskEvent,
)
from agent_runner.model.flow import passed_by_changed_tests
from agent_runner.model.hooks import HookOutcome, HookResult, Phase


@define
class PostHooksStep:
    """Runs the post-hooks on what stands in the tree."""

    hooks: Hooks
    trees: Trees
    commits: Commits
    known_green: KnownGreen
    as_before: SecondJudgement

    async def __call__(self, work: Work) -> TaskEvent | Halt:
        """Run the judges and say what they say."""
        service = await self.hooks.start_services(work)
        if service is not None:
            return HookBroken(service.hook, "a service that it starts could not be started again")
        as_left = await self._is_as_left(work)
        root, paths = work.task.root, work.record.change.paths
        before = standing(root, paths)
        results = await self.hooks.run(work, Phase.POST, work.task.post_hooks)
        if results and not results[-1].green:
            return await self._red(work, results[-1], _reshaped(before, standing(root, paths)))
        tree = (await self.trees.last(work.task)).id
        self.known_green.saw(tuple(result.hook for result in ran(results)), tree)
        nothing_changed = as_left or await self._nothing_changed(work)
        if ran(results):
            await self.as_before.judge(work)
        if not nothing_changed and not passed_by_changed_tests(work.latest(), work.settings):
            await self.commits.after_task(work)
        reshaped = _reshaped(before, standing(root, paths))  # a git hook may have done so, too
        head = self.trees.head(work.task)
        return PostHooksPassed(_proof(results), tree, head, reshaped, nothing_changed)

    async def _is_as_left(self, work: Work) -> bool:
        """Whether a person wants to have passed what was judged before, with nothing changed."""
        judgement = work.record.judgement
        if not (judgement.by_person and judgement.nothing_changed):
            return False
        return (await self.trees.read(work.task)).id == judgement.tree

    async def _nothing_changed(self, work: Work) -> bool:
        """Whether the files are as they were before the task, as far as it could change them.

        What hooks write beside them, such as caches, is no change of the task's; but a command that
        it proposed, or a person, may have changed any file.
        """
        change = work.record.change
        anywhere = change.commanded or work.record.judgement.by_person
        if not change.paths and not anywhere:
            return True
        await self.trees.last(work.task)
        changed = self.trees.changed_since_start(work.task, work.record)
        if anywhere:
            return not changed
        if set(change.paths).intersection(changed):
            return False
        # snapshots do not see what git ignores: that such a file stands as before, nobody knows
        return not await in_thread(self.trees.ignored, work.task.root, change.paths)

    async def _red(
        self, work: Work, red: HookResult, reshaped: tuple[FileChange, ...]
    ) -> TaskEvent:
        record, hook = work.record, self.hooks.configured[red.hook]
        # one that could start before the first call cannot now because of what was changed since
        if red.outcome is HookOutcome.BROKEN or (red.missing and not record.judgement.baseline):
            return broken(hook, red)
        reason = failure_text(hook, red)
        # a look at the files is spared where no name says that it would find something
        if any(map(judging, record.change.paths)):
            changed = await self.as_before.changed(work)
            reason += _JUDGED_TWICE.format(", ".join(changed.told)) if changed else ""
        # the tree as the attempt left it: what the hooks themselves write (caches) is no progress
        tree = (
            (await self.trees.read(work.task)).id
            if record.judgement.by_person
            else record.judgement.tree
        )
        unchanged = not record.judgement.by_person and not record.change.in_attempt
        return PostHooksFailed(
            red.hook, reason, tree, unchanged, red.fingerprint, red.failing, reshaped
        )


_JUDGED_TWICE = (
    "\nchanged so far of what judges the work: {}. Once the hooks pass, they run again with these"
    " files as they were before the task, and a person is told what they say then."
)


def _reshaped(before: Mapping[str, Image], after: Mapping[str, Image]) -> tuple[FileChange, ...]:
    """Files that are not as they were before the hooks ran: a formatter's work, not the user's."""
    both = [path for path in before if path in after]
    return tuple(FileChange(p, before[p], after[p]) for p in both if before[p] != after[p])


def _proof(results: tuple[HookResult, ...]) -> tuple[Judged, ...]:
    return tuple(Judged(r.hook, r.exit_code, r.seconds) for r in ran(results))
