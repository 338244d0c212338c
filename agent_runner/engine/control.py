"""What a key or a signal demands of a run: stop, skip, pause, try now."""

import contextlib
from collections.abc import Iterator

import anyio
from attrs import define, field


@define
class Control:
    """Written by keys and signals, read by the runner between awaits. One per run."""

    stop_reason: str = ""
    exit_code: int = 0
    detail: str = "stopped; everything so far is saved"
    pause_requested: bool = False
    _skip_requested: bool = False
    _scope: anyio.CancelScope | None = None
    _woken: anyio.Event = field(factory=anyio.Event)

    def stop(self, reason: str, exit_code: int, detail: str = "") -> None:
        """Stop the run: the step in hand is cancelled, and what it has done is kept.

        The first reason counts. `exit_code` is what the command returns.
        """
        if not self.stop_reason:
            self.stop_reason, self.exit_code = reason, exit_code
            self.detail = detail or self.detail
        self._cancel()

    def skip(self) -> None:
        """Skip the task in hand, if there is one."""
        if self._scope is not None:
            self._skip_requested = True
            self._cancel()

    def drop_skip(self) -> None:
        """Forget a request to skip that came too late for its task: the next one is not meant."""
        self._skip_requested = False

    def toggle_pause(self) -> bool:
        """Pause after this task, or take that back; returns whether the run is to pause."""
        self.pause_requested = not self.pause_requested
        self._wake()
        return self.pause_requested

    def retry_now(self) -> None:
        """End a wait for a limit before its time."""
        self._wake()

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[anyio.CancelScope]:
        """Run something that `stop` and `skip` may cancel; at once if one of them came before."""
        with anyio.CancelScope() as scope:
            self._scope = scope
            if self.stop_reason or self._skip_requested:
                scope.cancel()
            try:
                yield scope
            finally:
                self._scope = None

    async def woken(self) -> None:
        """Wait until a key changes something that a waiting run has to look at."""
        await self._woken.wait()

    def _wake(self) -> None:
        self._woken.set()
        self._woken = anyio.Event()

    def _cancel(self) -> None:
        self._wake()
        if self._scope is not None:
            self._scope.cancel()
