"""Waiting in the middle of a run: for a limit, or because somebody asked for a pause."""

from collections.abc import Callable

import anyio
from attrs import define

from agent_runner.engine.control import Control
from agent_runner.engine.work import Halt
from agent_runner.ground.clock import Clock
from agent_runner.limits.waiting import wait_until
from agent_runner.model.events import Deferred
from agent_runner.model.signals import Said, Signal, Waiting


@define
class Waiter:
    """Waits for limits where the user asked for that.

    `longest`: seconds that a run may wait for one limit; None: it stops instead. `sits_out`:
    seconds that it waits in any case where the provider itself announces a limit's end.
    """

    clock: Clock
    signal: Callable[[Signal], None]
    longest: float | None = None
    sits_out: float = 0.0

    async def wait_or_halt(self, deferred: Deferred, task: str, control: Control) -> Halt | None:
        """Wait until the limit opens, or say when to come back. A key may end the wait early."""
        left = deferred.not_before - self.clock.now()
        most = max(self.longest or 0.0, self.sits_out if deferred.reported else 0.0)
        if not most or left > most:
            reason = deferred.reason or deferred.window
            return Halt("limit", reason, not_before=deferred.not_before)
        with control.interruptible():
            async with anyio.create_task_group() as group:
                group.start_soon(self._until_woken, control, group.cancel_scope)
                await wait_until(
                    self.clock,
                    deferred.not_before,
                    lambda _left: self.signal(
                        Waiting(task, deferred.not_before, deferred.reason or deferred.window)
                    ),
                )
                group.cancel_scope.cancel()
        return Halt(control.stop_reason, control.detail) if control.stop_reason else None

    async def pause(self, control: Control) -> None:
        """Hold between two tasks until the pause is taken back or the run is stopped."""
        self.signal(Said("", "paused; p goes on, q stops and saves"))
        while control.pause_requested and not control.stop_reason:
            await control.woken()

    @staticmethod
    async def _until_woken(control: Control, scope: anyio.CancelScope) -> None:
        await control.woken()
        scope.cancel()
