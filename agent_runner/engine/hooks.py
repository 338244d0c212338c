"""Runs a list of hooks in order: what the steps before and after the agent have in common."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from attrs import define, evolve, field

from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Work
from agent_runner.hooks.runner import HookRunner
from agent_runner.model.events import HookBroken, HookFinished, HookStarted
from agent_runner.model.hooks import Hook, HookOutcome, HookResult, Phase
from agent_runner.model.signals import HookOutput, Said


@define
class Hooks:
    """The configured hooks by their ids, and what runs them."""

    runner: HookRunner
    configured: Mapping[str, Hook]
    trees: Trees
    _run_here: set[tuple[str, str]] = field(factory=set)
    """Task and pre-hook of those with services that this run has run: these are still there."""

    async def run(self, work: Work, phase: Phase, ids: Sequence[str]) -> tuple[HookResult, ...]:
        """Run the hooks in order up to the first red one, which is then the last of the results.

        A hook that finished before a stop is not run again, but for a pre-hook that starts a
        service.
        """
        done = {f.result.hook: f for f in work.record.judgement.finished if f.phase is phase}
        results: list[HookResult] = []
        for hook_id in ids:
            hook = self.configured[hook_id]
            finished = done.get(hook_id)
            if finished is not None and not self._is_service_to_restart(hook, finished, work.run):
                results.append(finished.result)
            else:
                result = await self._run_one(work, phase, hook)
                attempt = work.record.counts.attempts
                work.journal(HookFinished(phase, attempt, result, work.run))
                results.append(result)
            if not results[-1].green:
                break
        return tuple(results)

    async def run_in_copy(self, work: Work, root: Path) -> tuple[HookResult, ...]:
        """Run the post-hooks in `root`, a copy of the task's files, up to the first red one.

        Their results are not journaled: they are no results of the task itself.
        """
        results: list[HookResult] = []
        for hook_id in work.task.post_hooks:
            hook = self.configured[hook_id]
            results.append(await self._run_one(work, Phase.AS_BEFORE, hook, root))
            if not results[-1].green:
                break
        return tuple(results)

    def services_to_start(self, work: Work) -> tuple[Hook, ...]:
        """Pre-hooks that start services which ended with an earlier run."""
        hooks = (self.configured[hook_id] for hook_id in work.task.pre_hooks)
        return tuple(
            hook
            for hook in hooks
            if hook.rerun_on_resume and (work.task.id, hook.id) not in self._run_here
        )

    async def start_services(self, work: Work) -> HookResult | None:
        """Start the services that ended with an earlier run; the first red result, or None."""
        for hook in self.services_to_start(work):
            result = await self._run_one(work, Phase.PRE, hook)
            if not result.green:
                return result
        return None

    def absent(self, hooks: Iterable[str]) -> HookResult | None:
        """The first of these hooks whose program is not on this machine, as far as a look tells."""
        for hook_id in hooks:
            program = self.runner.absent_program(self.configured[hook_id])
            if program:
                return HookResult(hook_id, HookOutcome.BROKEN, missing=program)
        return None

    async def _run_one(
        self, work: Work, phase: Phase, hook: Hook, root: Path | None = None
    ) -> HookResult:
        def started(pid: int, start: str) -> None:
            self.trees.expire()
            work.journal(HookStarted(phase, hook.id, pid, start, work.run))

        result = await self.runner.run(
            hook,
            phase=phase,
            task=evolve(work.task, root=root) if root else work.task,
            attempt=work.record.counts.attempts,
            run_id=work.run,
            changed=lambda: self.trees.changed_since_start(work.task, work.record),
            on_start=started,
            on_output=lambda chunk: work.signal(HookOutput(work.task.id, hook.id, chunk)),
            on_long=lambda: work.signal(Said(work.task.id, _unbounded(hook), "warning")),
        )
        if phase is Phase.PRE and hook.rerun_on_resume:
            self._run_here.add((work.task.id, hook.id))
        return result

    @staticmethod
    def _is_service_to_restart(hook: Hook, finished: HookFinished, run: str) -> bool:
        return hook.rerun_on_resume and finished.run != run


@define
class KnownGreen:
    """What this run has seen pass last, so that the next task's baseline need not show it again."""

    _hooks: frozenset[str] = field(factory=frozenset)
    _tree: str = ""

    def saw(self, hooks: tuple[str, ...], tree: str) -> None:
        """These hooks were green on this tree."""
        self._hooks, self._tree = frozenset(hooks), tree

    def includes(self, hooks: tuple[str, ...]) -> bool:
        """Whether all of these hooks were green when last seen."""
        return bool(self._tree) and set(hooks) <= self._hooks

    def covers(self, hooks: tuple[str, ...], tree: str) -> bool:
        """Whether these hooks are known to be green on this tree."""
        return tree == self._tree and self.includes(hooks)


def ran(results: Iterable[HookResult]) -> tuple[HookResult, ...]:
    """Those that ran: one whose `when` did not hold says nothing of the tree."""
    return tuple(result for result in results if result.outcome is not HookOutcome.SKIPPED)


def _unbounded(hook: Hook) -> str:
    return (
        f"hook {hook.id} is still running and has no time-out: nothing will end it;"
        f" give it one with hooks.{hook.id}.timeout, such as 10m"
    )


def broken(hook: Hook, result: HookResult) -> HookBroken:
    """The event for a hook that could not start; the first line of its reason is the short form."""
    text = failure_text(hook, result)
    if not result.missing:
        return HookBroken(hook.id, text)
    code = "" if result.exit_code is None else f" (exit code {result.exit_code})"
    verb = "does not exist" if "/" in result.missing else "is not installed"
    first = f"hook {hook.id} cannot run here: {result.missing} {verb}{code}"
    fix = "; install it, or correct the hook's command, then retry"
    return HookBroken(hook.id, "\n".join([first + fix, *text.split("\n")[1:]]))


def failure_text(hook: Hook, result: HookResult) -> str:
    """What a red hook says, for the agent and for people; the first line is the short form."""
    if result.outcome is HookOutcome.TIMED_OUT:
        ending = f"was ended after {hook.timeout:g} seconds" if hook.timeout else "timed out"
    elif result.exit_code is None:
        ending = "failed"
    else:
        ending = f"failed with exit code {result.exit_code}"
    lines = [f"hook {hook.id} {ending}"]
    why = result.reason.removeprefix(f"exit code {result.exit_code}").removeprefix(": ")
    if why:
        lines[0] += f": {why}"
    lines.append(f"command: {hook.shown}")
    if result.failing:
        lines.append("failing: " + ", ".join(result.failing))
    lines += ["output:", result.excerpt]
    return "\n".join(lines)
