"""The controlling terminal: finding it, reading it without blocking, single keys or lines."""

import atexit
import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import anyio

_POLL = 0.1
"""Seconds between checks where the event loop cannot watch the terminal (kqueue on /dev/tty)."""

_to_restore: dict[int, list[object]] = {}
"""Each descriptor's modes as they were before ours: what `restore_terminal` puts back."""


@contextmanager
def open_terminal() -> Iterator[int | None]:
    """A descriptor of the controlling terminal, closed at the end; None where there is none.

    The device's own name is preferred to /dev/tty, which macOS cannot watch.
    """
    descriptor = _open()
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            restore(descriptor)
            os.close(descriptor)


def in_foreground(descriptor: int) -> bool:
    """Whether this process may read from the terminal now; a background job would be stopped."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False


def single_keys(descriptor: int) -> None:
    """Let keys arrive at once and unseen; Ctrl+C and Ctrl+Z stay signals. Repeating it is safe."""
    with suppress(termios.error):
        now = termios.tcgetattr(descriptor)
        local_modes = now[3]
        if not local_modes & (termios.ICANON | termios.ECHO):
            return
        # Only the first time: what is found later may be what a killed hook has left behind.
        _to_restore.setdefault(descriptor, list(now))
        # TCSANOW, since tty's default (TCSAFLUSH) throws away keys that were typed just before.
        tty.setcbreak(descriptor, termios.TCSANOW)


def restore(descriptor: int) -> None:
    """Put back the modes from before `single_keys`, unless another job owns the terminal now."""
    modes = _to_restore.pop(descriptor, None)
    # From the background this would stop the process (SIGTTOU), and the modes are not ours there.
    if modes is not None and in_foreground(descriptor):
        with suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSANOW, modes)  # type: ignore[arg-type]  # tcgetattr's


@atexit.register
def restore_terminal() -> None:
    """Restore all that was changed. Call it before an exit that unwinds nothing (`os._exit`)."""
    for descriptor in list(_to_restore):
        restore(descriptor)


def drop_pending(descriptor: int) -> None:
    """Forget keys typed before a question was shown."""
    with suppress(termios.error):
        termios.tcflush(descriptor, termios.TCIFLUSH)


async def input_ready(descriptor: int, *, within: float | None = None) -> bool:
    """Wait, cancellable, for input (or its end); False if there is none for `within` seconds."""
    with anyio.move_on_after(within):
        try:
            await anyio.wait_readable(descriptor)
        except OSError:
            await _poll(descriptor)
    return _ready(descriptor)


def take_input(descriptor: int) -> bytes:
    """What has arrived, once `input_ready`; b"" at end of input or when the terminal is gone."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


async def _poll(descriptor: int) -> None:
    # kqueue refuses /dev/tty on macOS; select does not, so it is asked ten times a second
    while not _ready(descriptor):  # noqa: ASYNC110  # a terminal sets no event
        await anyio.sleep(_POLL)


def _ready(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def _open() -> int | None:
    names = []
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        with suppress(OSError, ValueError, AttributeError):
            names.append(os.ttyname(stream.fileno()))  # type: ignore[union-attr]  # suppressed
    for name in (*names, "/dev/tty"):
        with suppress(OSError):
            descriptor = os.open(name, os.O_RDONLY | os.O_NOCTTY)
            try:
                os.tcgetpgrp(descriptor)  # fails where it is not our controlling terminal
            except OSError:
                os.close(descriptor)
                continue
            return descriptor
    return None
