"""Keys during a run: the terminal is borrowed while hooks and calls go on, and given back."""

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

import anyio

from agent_runner.ui import terminal

KEYS = {
    "p": "pause after this task (again: take it back)",
    "s": "skip this task",
    "q": "stop now and save",
    "v": "show the running hook's output, on or off",
    "r": "try again now, where a wait is going on",
    "?": "these keys",
}
"""The keys there are, and what each does."""

_LOOK = 0.2
"""Seconds between two looks at who owns the terminal and in which mode it is."""

_MOST_AT_ONCE = 4
"""More characters than fingers type at once are a paste, not keys."""

_SEQUENCE = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]?|O.?|.?)", re.DOTALL)


def keys_in(received: bytes) -> list[str]:
    """The known keys in what a terminal sent. Arrows, other sequences and pastes are none."""
    text = _SEQUENCE.sub(b"", received).decode("ascii", "ignore").lower()
    return [key for key in text if key in KEYS] if len(text) <= _MOST_AT_ONCE else []


class Keyboard:
    """The terminal's keys.

    `while_stopped` surrounds a stop by Ctrl+Z, so that a screen can clear and redraw itself.
    """

    def __init__(
        self, *, while_stopped: Callable[[], AbstractContextManager[object]] = nullcontext
    ) -> None:
        self._while_stopped = while_stopped
        self._descriptor: int | None = None
        self._released = 0

    async def read(self, on_key: Callable[[str], None]) -> None:
        """Call `on_key` with each known key until cancelled.

        Returns at once if there is no terminal, or when it goes.

        While this process is in the background, or `released`, the terminal is left alone.
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
        """The terminal as it was, for a question: lines are typed, shown and edited as usual."""
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
            terminal.single_keys(
                descriptor
            )  # again and again: a hook or a shell may have changed the mode
            ready = await terminal.input_ready(descriptor, within=_LOOK)
            if not ready or not self._listens(descriptor):
                continue  # what was typed belongs to a question, or to another job
            received = terminal.take_input(descriptor)
            if not received:
                return
            for key in keys_in(received):
                on_key(key)

    def _listens(self, descriptor: int) -> bool:
        return not self._released and terminal.in_foreground(descriptor)

    async def _give_back_when_stopped(self) -> None:
        """Ctrl+Z: the shell gets its terminal back; after `fg` the keys are taken again."""
        if threading.current_thread() is not threading.main_thread():
            return  # signals arrive in the main thread only; the shell's own repair has to do
        while True:
            with anyio.open_signal_receiver(signal.SIGTSTP) as stops:
                async for _ in stops:
                    break
            if self._descriptor is not None:
                terminal.restore(self._descriptor)
            with self._while_stopped(), suppress(OSError):
                signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)


def key_help() -> tuple[str, ...]:
    """A line per key."""
    return tuple(f"{key}  {meaning}" for key, meaning in KEYS.items())
