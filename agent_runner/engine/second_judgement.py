"""The second judgement: the hooks once more, with the tests as they were before the task.

Many tasks rightly change tests, so changing them is allowed; but hooks that pass by changed tests
alone prove little. So where a file that judges was changed, the post-hooks run in a copy of the
files in which all that judges stands as before, against the new code; and both results are told.
"""

import contextlib
from collections.abc import Iterable, Sequence
from functools import partial

import anyio
import anyio.to_thread
from attrs import define, frozen

from agent_runner.engine.hooks import Hooks, failure_text, ran
from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Work
from agent_runner.ground.globs import Globs
from agent_runner.ground.judges import REFUSED, Judging, judging
from agent_runner.hooks.scripts import judges_of
from agent_runner.model.errors import AgentRunnerError, StorageError
from agent_runner.model.events import JudgedAsBefore
from agent_runner.model.hooks import HookResult
from agent_runner.model.settings import TestsChanged
from agent_runner.model.signals import Working
from agent_runner.workspace.history import Change
from agent_runner.workspace.scratch import Scratch

_MOST = 4
"""Names that the summary lists; the rest is counted."""


@frozen
class Changed:
    """Files that judge and that the task changed.

    `told`: those for which the hooks run once more. `laid`: those that then stand as before; files
    that came beside the others are gone.
    """

    told: tuple[str, ...]
    laid: tuple[str, ...]


@define
class SecondJudgement:
    """Judges a task whose hooks are green by the tests of before."""

    hooks: Hooks
    trees: Trees

    async def changed(self, work: Work) -> Changed | None:
        """What judges and was changed; None where that is nothing, or is not to be looked at.

        Nor where a person changed the files, or nobody knows how they stood before.
        """
        wanted = work.settings.tests_changed is not TestsChanged.OFF
        if not wanted or work.record.judgement.by_person:
            return None
        await self.trees.last(work.task)
        return self._changed(work)

    async def judge(self, work: Work) -> JudgedAsBefore | None:
        """Run the hooks with the tests of before, and keep what they say; None: no need to.

        What was kept before a stop stands: nothing is judged twice.
        """
        if work.record.judgement.as_before is not None:
            return work.record.judgement.as_before
        changed = await self.changed(work)
        if changed is None:
            return None
        work.signal(Working(work.task.id, "with the tests of before"))
        judged = await self._judged(work, changed)
        work.journal(judged)
        return judged

    def _changed(self, work: Work) -> Changed | None:
        changes = self.trees.since_start(work.task, work.record)
        if changes is None:
            return None
        hooks = [self.hooks.configured[hook] for hook in work.task.post_hooks]
        named = judges_of(hooks, work.task.root, partial(self.trees.names, work.task.root))
        run = named.tests | named.scripts

        def judges(path: str) -> bool:
            kind = judging(path)
            return path in run or (kind is not None and kind not in REFUSED)

        found = [change for change in changes if judges(change.path)]
        hides = any(x.before is None and _may_hide(x.path) for x in found)
        had_tests = hides and self._had_tests(work, changes)  # it takes a look at every name
        told = [x.path for x in found if x.before is not None or (had_tests and _may_hide(x.path))]
        # what a hook names has to be there; and what builds the project hides no test by being new
        laid = [x.path for x in found if x.before is not None or _is_test(x.path, run)]
        return Changed(tuple(told), tuple(laid)) if told else None

    def _had_tests(self, work: Work, changes: Iterable[Change]) -> bool:
        """Whether there were tests before the task."""
        new = {change.path for change in changes if change.before is None}
        names = (name for name in self.trees.names(work.task.root) if name not in new)
        return any(judging(name) is Judging.TEST for name in names)

    async def _judged(self, work: Work, changed: Changed) -> JudgedAsBefore:
        start = self.trees.at_start(work.record)
        assert start is not None  # noqa: S101  # else nothing is known to have changed
        copy = self.trees.scratch(work.task)
        try:
            await anyio.to_thread.run_sync(copy.__enter__)
        except AgentRunnerError as error:
            return self._told(work, changed, "unknown", why=str(error))
        try:
            return await self._judged_in(work, changed, copy, start.id)
        finally:
            # what cannot be removed now is removed by a later run: no reason to stop this one
            with anyio.CancelScope(shield=True), contextlib.suppress(StorageError):
                await anyio.to_thread.run_sync(copy.__exit__, None, None, None)

    async def _judged_in(
        self, work: Work, changed: Changed, copy: Scratch, start: str
    ) -> JudgedAsBefore:
        """Judge in the copy; if it is red, judge there with the new tests, too.

        Not all hooks can run in a copy: some name the original folder. One that is red there with
        the very files on which it has just been green says nothing.
        """
        try:
            await anyio.to_thread.run_sync(copy.fill)
            await anyio.to_thread.run_sync(copy.lay, start, changed.laid)
        except AgentRunnerError as error:
            return self._told(work, changed, "unknown", why=str(error))
        red = _red(await self.hooks.run_in_copy(work, copy.folder))
        if red is None:
            return self._told(work, changed, "green")
        try:
            await anyio.to_thread.run_sync(copy.fill)
        except AgentRunnerError as error:
            return self._told(work, changed, "unknown", why=str(error))
        if _red(await self.hooks.run_in_copy(work, copy.folder)) is not None:
            why = f"{red.hook} cannot run in a copy of the files"
            return self._told(work, changed, "unknown", why=why)
        return self._told(work, changed, "red", red=red)

    def _told(
        self,
        work: Work,
        changed: Changed,
        outcome: str,
        *,
        red: HookResult | None = None,
        why: str = "",
    ) -> JudgedAsBefore:
        """What came of it, in words that go on after "passed; "."""
        tests = all(judging(p) in {Judging.TEST, Judging.SUPPORT, None} for p in changed.told)
        before = "with the tests of before" if tests else "with these files as before"
        said = "green as well"
        if red is not None and red.failing:
            said = f"{len(red.failing)} red: {_listed(red.failing)}"
        elif red is not None:
            said = f"{red.hook} is red"
        elif outcome == "unknown":
            said = f"could not be judged ({why})"
        allowed = Globs((*work.settings.apply.may_change, *work.task.may_change))
        return JudgedAsBefore(
            changed.told,
            outcome,
            summary=f"it changed {_listed(changed.told)}; {before}: {said}",
            allowed=all(map(allowed.covers, changed.told)),
            hook=red.hook if red else "",
            failing=red.failing if red else (),
            reason=failure_text(self.hooks.configured[red.hook], red) if red else why,
        )


def _may_hide(path: str) -> bool:
    """Whether a new file may keep tests that were there from being run, or from failing."""
    return judging(path) is Judging.SUPPORT


def _is_test(path: str, named: frozenset[str]) -> bool:
    return judging(path) in {Judging.TEST, Judging.SUPPORT} and path not in named


def _red(results: tuple[HookResult, ...]) -> HookResult | None:
    return next((result for result in ran(results) if not result.green), None)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{', '.join(names[:_MOST])}{more}"
