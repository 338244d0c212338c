"""Running a list of hooks in order: what the steps before and after the agent have in common."""

from collections.abc import Iterable, Mapping, Sequence

from attrs import define, field

from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Work
from agent_runner.hooks.runner import HookRunner
from agent_runner.model.events import HookFinished, HookStarted
from agent_runner.model.hooks import Hook, HookOutcome, HookResult, Phase
from agent_runner.model.signals import HookOutput


@define
class Hooks:
    """The configured hooks and what runs them. Remembers which services this run has started."""

    runner: HookRunner
    configured: Mapping[str, Hook]
    trees: Trees
    _ran_before: set[tuple[str, str]] = field(factory=set)

    async def run(self, work: Work, phase: Phase, ids: Sequence[str]) -> tuple[HookResult, ...]:
        """Run the hooks in order up to the first red one, which is then the last of the results.

        A hook that finished before a stop is not run again, but for a pre-hook that starts a
        service.
        """
        done = {f.result.hook: f for f in work.record.judgement.finished if f.phase is phase}
        results: list[HookResult] = []
        for number, hook_id in enumerate(ids, start=1):
            hook = self.configured[hook_id]
            finished = done.get(hook_id)
            if finished is not None and not self._is_service_to_restart(hook, finished, work.run):
                results.append(finished.result)
            else:
                result = await self._run_one(work, phase, hook)
                fact = HookFinished(phase, work.record.counts.attempts, result, work.run)
                is_last = number == len(ids) or not result.green  # shares the event's sync
                (work.journal_unsynced if is_last else work.journal)(fact)
                results.append(result)
            if not results[-1].green:
                break
        return tuple(results)

    def services_to_start(self, work: Work) -> tuple[Hook, ...]:
        """Pre-hooks that start services which ended with an earlier run."""
        hooks = (self.configured[hook_id] for hook_id in work.task.pre_hooks)
        return tuple(
            hook
            for hook in hooks
            if hook.rerun_on_resume and (work.task.id, hook.id) not in self._ran_before
        )

    async def start_services(self, work: Work) -> HookResult | None:
        """Start the services that ended with an earlier run; the first red result, or None."""
        for hook in self.services_to_start(work):
            result = await self._run_one(work, Phase.PRE, hook)
            if not result.green:
                return result
        return None

    async def _run_one(self, work: Work, phase: Phase, hook: Hook) -> HookResult:
        result = await self.runner.run(
            hook,
            phase=phase,
            task=work.task,
            attempt=work.record.counts.attempts,
            run_id=work.run,
            changed=lambda: self.trees.changed_since_start(work.task, work.record),
            on_start=lambda pid, began: self._started(work, phase, hook, pid, began),
            on_output=lambda chunk: work.signal(HookOutput(work.task.id, hook.id, chunk)),
        )
        if phase is Phase.PRE:
            self._ran_before.add((work.task.id, hook.id))
        return result

    @staticmethod
    def _started(work: Work, phase: Phase, hook: Hook, pid: int, began: str) -> None:
        # not synced: it matters only if we die and the machine does not, and then a write survives
        work.journal_unsynced(HookStarted(phase, hook.id, pid, began, work.run))

    @staticmethod
    def _is_service_to_restart(hook: Hook, finished: HookFinished, run: str) -> bool:
        return hook.rerun_on_resume and finished.run != run


def ran(results: Iterable[HookResult]) -> tuple[HookResult, ...]:
    """Those that ran: one whose `when` did not hold says nothing of the tree."""
    return tuple(result for result in results if result.outcome is not HookOutcome.SKIPPED)


def failure_text(hook: Hook, result: HookResult) -> str:
    """What is told of a red hook, to the agent and to people; the first line is the short form."""
    code = "" if result.exit_code is None else f" with exit code {result.exit_code}"
    how = {
        "timed_out": f"was ended after {hook.timeout:g} seconds" if hook.timeout else "timed out"
    }
    lines = [f"hook {hook.id} {how.get(result.outcome, f'failed{code}')}"]
    why = result.reason.removeprefix(f"exit code {result.exit_code}").removeprefix(": ")
    if why:
        lines[0] += f": {why}"
    lines.append(f"command: {hook.shown}")
    if result.failing:
        lines.append("failing: " + ", ".join(result.failing))
    lines += ["output:", result.excerpt]
    return "\n".join(lines)
