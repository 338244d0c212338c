"""What an earlier run left behind: hooks and commits that still run, half applied changes."""

from functools import partial

from attrs import frozen

from agent_runner.engine.changes import Changes
from agent_runner.engine.core import Core
from agent_runner.files.apply import remove_temps
from agent_runner.hooks.session import Trace, end_survivors
from agent_runner.model.signals import Said
from agent_runner.model.states import STEPS
from agent_runner.model.task import TaskList


@frozen
class Recovery:
    """Ends surviving hooks, and rolls open changes back where no step will finish them."""

    core: Core
    changes: Changes
    tasks: TaskList

    async def end_survivors(self) -> None:
        """End what is left of hooks that ran when a runner died, before anything runs again."""
        for record in tuple(self.core.store.state.tasks.values()):
            hook, commit = record.judgement.running, record.change.committing
            if hook is not None:
                trace = Trace(hook.pid, hook.process_start, hook.run, record.id)
                await self._end(trace, f"hook {hook.hook}")
            if commit is not None:
                trace = Trace(commit.pid, commit.process_start, commit.run, record.id)
                await self._end(trace, "git, or a hook of its commit,")

    async def _end(self, trace: Trace, what: str) -> None:
        pids = await end_survivors(trace)
        if pids:
            count = f"{len(pids)} process{'es' if len(pids) > 1 else ''}"
            text = f"{what} of an earlier run was still running ({count}); ended"
            self.core.signal(Said(trace.task, text, "warning"))

    def finish(self) -> None:
        """Finish what a stop left of taking changes back, or putting them back, outside of steps.

        A step finishes its own.
        """
        for record in tuple(self.core.store.state.tasks.values()):
            if record.change.rolling_back and record.state not in STEPS:
                self.settle(record.id, reason="")

    def settle(self, task_id: str, *, reason: str) -> None:
        """Roll an open change set back by its images, because of a person's decision.

        Where a file is neither of its images, all files stay as they are, and that is said.
        """
        record = self.core.record(task_id)
        if record.change.planned is None or task_id not in self.tasks:
            return
        root, journal = self.tasks[task_id].root, partial(self.core.journal, task_id)
        if record.change.rolling_back:
            conflict = self.changes.finish_taking_back(record.change.planned, root, journal)
        else:
            conflict = self.changes.take_back(record.change.planned, root, reason, journal)
        if conflict is not None:
            remove_temps(record.change.planned, root)
            text = f"{conflict.path} was left as it is: {conflict.reason}"
            self.core.signal(Said(task_id, text, "warning"))
