"""Runs a check for the agent on files that are not written yet: confined, on a copy."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import anyio.to_thread
from attrs import evolve, frozen

from agent_runner.engine.trees import Trees
from agent_runner.engine.work import Work
from agent_runner.ground.disk import storage_errors
from agent_runner.ground.redaction import Redactor
from agent_runner.hooks.confining import Confining, StandIn
from agent_runner.hooks.runner import HookRunner
from agent_runner.model.errors import AgentRunnerError, InvariantError, StorageError
from agent_runner.model.hooks import (
    Hook,
    HookOutcome,
    HookResult,
    Phase,
    SandboxRule,
    When,
)
from agent_runner.model.signals import HookOutput
from agent_runner.model.task import Task
from agent_runner.sandbox.confinement import Mount, Overlay
from agent_runner.sandbox.copies import copied
from agent_runner.workspace.task_folder import TaskFolder, remove_at

LONGEST = 300.0
"""Seconds that a check may take, whatever its own time-out: the agent waits, and its cache ages."""

LOG = "checks"
"""The log of a task's checks, beside those of its hooks."""


@frozen
class Checking:
    """The hooks that say `agent: true`, for the agent to run."""

    runner: HookRunner
    configured: Mapping[str, Hook]
    trees: Trees
    redactor: Redactor

    def offered(self, task: Task) -> tuple[Hook, ...]:
        """The checks that the agent may run for `task`; none where nothing confines them."""
        names = dict.fromkeys((*task.pre_hooks, *task.post_hooks))
        found = tuple(self.configured[name] for name in names if self.configured[name].agent)
        confining = self.runner.confining
        return found if found and confining and confining.sandbox.tier.confines else ()

    async def run(self, work: Work, name: str, drafts: Mapping[str, bytes | None]) -> HookResult:
        """Run one of `offered` on the task's files with `drafts` in them; nothing is written.

        `drafts`: contents by path relative to the task's folder, None for a file that is to go. It
        is run once, and always, whatever its `when`. What it says is in the result's `excerpt`
        (head and tail, at most 4,000 characters, secrets taken out) with `exit_code` and `seconds`,
        and whole in the log `checks`. BROKEN, with a `reason`: it could not be run.

        Raises:
            StorageError: the disk refuses the log.
            InvariantError: no check of this name is offered, or a draft lies outside of the folder.
        """
        hook = next((one for one in self.offered(work.task) if one.id == name), None)
        confining = self.runner.confining
        if hook is None or confining is None:
            raise InvariantError(f"no check {name} is offered for {work.task.id}")
        once = evolve(
            hook,
            sandbox=SandboxRule.AUTO,
            timeout=min(hook.timeout or LONGEST, LONGEST),
            when=When(),
            retries=0,
            allow_failure=False,
            failures=evolve(hook.failures, junit=None),  # it would be read from the task's folder
        )
        try:
            with self._place(work.task) as place:
                deleted = _laid(place, drafts)
                async with self._mount(work.task, confining) as mount:
                    result = await self._run(work, once, StandIn(mount, place, deleted))
        except (StorageError, InvariantError):
            raise
        except AgentRunnerError as error:  # the copy is in use by another process
            return HookResult(name, HookOutcome.BROKEN, reason=str(error))
        return evolve(result, excerpt=self.redactor.text(result.excerpt))

    @contextlib.contextmanager
    def _place(self, task: Task) -> Iterator[Path]:
        """A folder for the drafts: one that a later run removes, should this one be killed."""
        folder = TaskFolder(self.trees.copies, task.root, f"{task.id} drafts")
        folder.take()
        try:
            place = folder.place.resolve()
            with storage_errors(place):
                remove_at(place)
                place.mkdir(mode=0o700)
            yield place
        finally:
            with contextlib.suppress(StorageError):
                folder.remove()

    async def _run(self, work: Work, hook: Hook, stand_in: StandIn) -> HookResult:
        return await self.runner.run(
            hook,
            phase=Phase.POST,
            task=work.task,
            attempt=work.record.counts.attempts,
            run_id=work.run,
            changed=tuple,
            on_start=lambda _pid, _start: None,  # it ends with us: a resume need not look for it
            on_output=lambda chunk: work.signal(HookOutput(work.task.id, hook.id, chunk)),
            log_name=LOG,
            stand_in=stand_in,
        )

    @contextlib.asynccontextmanager
    async def _mount(self, task: Task, confining: Confining) -> AsyncIterator[Mount]:
        """A copy of the task's files: one that takes no time, where there are overlays."""
        tier = confining.sandbox.tier
        if tier.overlays:
            yield Overlay(task.root)
            return
        copy = self.trees.scratch(task)
        await anyio.to_thread.run_sync(copy.__enter__)
        try:
            await anyio.to_thread.run_sync(copy.fill)
            if not tier.mounts:  # nothing within a writable folder can be masked
                _remove(copy.folder, confining.secret_files(copy.folder))
            yield copied(task.root, copy.folder, copy.links, tier)
        finally:
            # what cannot be removed now is removed by a later run: no reason to stop this one
            with anyio.CancelScope(shield=True), contextlib.suppress(StorageError):
                await anyio.to_thread.run_sync(copy.__exit__, None, None, None)


def _laid(folder: Path, drafts: Mapping[str, bytes | None]) -> tuple[str, ...]:
    """Write the drafts below `folder`; the paths that are to go."""
    deleted = []
    for path, content in drafts.items():
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts:
            raise InvariantError(f"a draft lies outside of the task's folder: {path}")
        if content is None:
            deleted.append(path)
        else:
            file = folder / parts
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    return tuple(deleted)


def _remove(folder: Path, paths: Iterable[str]) -> None:
    for path in paths:
        (folder / path).unlink(missing_ok=True)
