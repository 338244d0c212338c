"""Waiting in the middle of a run: for a limit, or because somebody asked for a pause."""

from collections.abc import Callable

import anyio
from attrs import define

from agent_runner.clock import Clock
from agent_runner.engine.control import Control
from agent_runner.engine.halt import Halt
from agent_runner.model.events import Deferred
from agent_runner.model.signals import Said, Signal, Waiting

_SLICE = 1.0
"""Seconds between two looks at the clock: it may be set, and the machine may sleep."""


@define
class Waiter:
    """Waits in slices and looks at the clock again each time. `longest`: seconds that may be sat out (None: none)."""

    clock: Clock
    signal: Callable[[Signal], None]
    longest: float | None = None

    async def wait_or_halt(self, deferred: Deferred, task: str, control: Control) -> Halt | None:
        """Sit a limit out if that is allowed, else say when to come back."""
        halt = Halt("limit", deferred.reason or deferred.window, not_before=deferred.not_before)
        if self.longest is None or deferred.not_before - self.clock.now() > self.longest:
            return halt
        await self.wait(deferred.not_before, deferred.window, task, control)
        return Halt(control.stop_reason, "stopped while waiting") if control.stop_reason else None

    async def wait(self, until: float, why: str, task: str, control: Control) -> None:
        """Wait until a time, or until a key ends it."""
        with control.interruptible():
            while (left := until - self.clock.now()) > 0:
                self.signal(Waiting(task, until, why))
                if await self._stirred_within(min(left, _SLICE), control):
                    return

    async def pause(self, control: Control) -> None:
        """Hold between two tasks until the pause is taken back or the run is stopped."""
        self.signal(Said("", "paused; p goes on, q stops and saves"))
        while control.pause_asked and not control.stop_reason:
            await control.stirred()

    async def _stirred_within(self, seconds: float, control: Control) -> bool:
        stirred = False

        async def watch(scope: anyio.CancelScope) -> None:
            nonlocal stirred
            await control.stirred()
            stirred = True
            scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(watch, group.cancel_scope)
            await self.clock.sleep(seconds)
            group.cancel_scope.cancel()
        return stirred
