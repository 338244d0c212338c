"""What a key or a signal asks of a running step: stop, skip, pause."""

import contextlib
from collections.abc import Iterator

import anyio
from attrs import define, field


@define
class Control:
    """Written by keys and signals, read by the runner between awaits. One per run."""

    stop_reason: str = ""
    exit_code: int = 0
    pause_asked: bool = False
    _skip_asked: bool = False
    _scope: anyio.CancelScope | None = None
    _stirred: anyio.Event = field(factory=anyio.Event)

    def stop(self, reason: str, exit_code: int) -> None:
        """Stop the run: the step in hand is cancelled, what it did so far is kept.

        The first reason counts.
        """
        if not self.stop_reason:
            self.stop_reason, self.exit_code = reason, exit_code
        self._cancel()

    def skip(self) -> None:
        """Skip the task in hand, if there is one."""
        if self._scope is not None:
            self._skip_asked = True
            self._cancel()

    def forget_skip(self) -> None:
        """A wish to skip ends with the task it was for."""
        self._skip_asked = False

    def toggle_pause(self) -> bool:
        """Pause after this task, or take that back; returns what holds now."""
        self.pause_asked = not self.pause_asked
        self._stir()
        return self.pause_asked

    def retry_now(self) -> None:
        """End a wait for a limit before its time."""
        self._stir()

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[anyio.CancelScope]:
        """Run something that `stop` and `skip` may cancel; at once if that was already asked."""
        with anyio.CancelScope() as scope:
            self._scope = scope
            if self.stop_reason or self._skip_asked:
                scope.cancel()
            try:
                yield scope
            finally:
                self._scope = None

    async def stirred(self) -> None:
        """Wait until a key changes something that a waiting run should look at."""
        await self._stirred.wait()

    def _stir(self) -> None:
        self._stirred.set()
        self._stirred = anyio.Event()

    def _cancel(self) -> None:
        self._stir()
        if self._scope is not None:
            self._scope.cancel()
