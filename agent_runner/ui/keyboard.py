"""Keys during a run. The terminal is borrowed while hooks and calls go on, and given back."""

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

import anyio

from agent_runner.ui import terminal

KEYS = {
    "p": "pause after this task; again to cancel",
    "s": "skip this task",
    "q": "stop now; everything is saved",
    "v": "show or hide the running hook's output",
    "r": "try now instead of waiting",
    "?": "show these keys",
}
"""Every key and what it does."""

_LOOK = 0.2
"""Seconds between checks of who owns the terminal and in which mode it is."""

_MOST_AT_ONCE = 4
"""Characters that fingers type at once; more of them are a paste, not keys."""

_SEQUENCE = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]?|O.?|.?)", re.DOTALL)


def keys_in(received: bytes) -> list[str]:
    """The known keys in what a terminal sent; arrows, other sequences and pastes are not keys."""
    text = _SEQUENCE.sub(b"", received).decode("ascii", "ignore").lower()
    return [key for key in text if key in KEYS] if len(text) <= _MOST_AT_ONCE else []


class Keyboard:
    """Reads single keys from the controlling terminal.

    `while_stopped` is entered around a stop by Ctrl+Z, so that a screen can clear itself before
    and draw itself again after it.
    """

    def __init__(
        self, *, while_stopped: Callable[[], AbstractContextManager[object]] = nullcontext
    ) -> None:
        self._while_stopped = while_stopped
        self._descriptor: int | None = None
        self._released = 0

    async def read(self, on_key: Callable[[str], None]) -> None:
        """Call `on_key` with each known key until cancelled, or until the terminal goes away.

        Without a terminal this returns at once. While the process is in the background, or the
        terminal is `released`, it is left alone.
        """
        with terminal.open_terminal() as descriptor:
            if descriptor is None:
                return
            self._descriptor = descriptor
            try:
                async with anyio.create_task_group() as group:
                    group.start_soon(self._give_back_when_stopped)
                    await self._listen(descriptor, on_key)
                    group.cancel_scope.cancel()
            finally:
                self._descriptor = None

    @contextmanager
    def released(self) -> Iterator[None]:
        """Give the terminal back for a question: lines are typed, shown and edited as usual."""
        self._released += 1
        if self._descriptor is not None:
            terminal.restore(self._descriptor)
        try:
            yield
        finally:
            self._released -= 1

    async def _listen(self, descriptor: int, on_key: Callable[[str], None]) -> None:
        while True:
            if not self._listens(descriptor):
                await anyio.sleep(_LOOK)
                continue
            # Every time round: a hook, or the shell after `fg`, may have changed the mode.
            terminal.single_keys(descriptor)
            ready = await terminal.input_ready(descriptor, within=_LOOK)
            if not ready or not self._listens(descriptor):
                continue  # what was typed meanwhile is for a question, or for another job
            received = terminal.take_input(descriptor)
            if not received:
                return
            for key in keys_in(received):
                on_key(key)

    def _listens(self, descriptor: int) -> bool:
        return not self._released and terminal.in_foreground(descriptor)

    async def _give_back_when_stopped(self) -> None:
        """On Ctrl+Z, restore the terminal before stopping; after `fg`, `_listen` takes it again."""
        if threading.current_thread() is not threading.main_thread():
            return  # signals arrive in the main thread only; the shell repairs its terminal itself
        while True:
            with anyio.open_signal_receiver(signal.SIGTSTP) as stops:
                async for _ in stops:
                    break
            # The receiver is closed by now: the signal that is sent below must stop the process.
            if self._descriptor is not None:
                terminal.restore(self._descriptor)
            with self._while_stopped(), suppress(OSError):
                signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)


def key_help() -> tuple[str, ...]:
    """A line per key."""
    return tuple(f"{key}  {meaning}" for key, meaning in KEYS.items())
