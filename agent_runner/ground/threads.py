"""Waits for something slow in a thread, so that keys and signals are heard meanwhile."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.lowlevel

T = TypeVar("T")


async def in_thread(call: Callable[..., T], *args: object) -> T:
    """What the call returns or raises; a cancellation waits for its end.

    The same as `anyio.to_thread.run_sync`, by way of asyncio's own threads: that takes one round of
    the event loop in place of three, and a task waits so six times. What asks `anyio.from_thread`
    for something needs a thread of anyio's.
    """
    await anyio.lowlevel.checkpoint_if_cancelled()
    with anyio.CancelScope(shield=True):
        result = await asyncio.get_running_loop().run_in_executor(None, call, *args)
    return result  # noqa: RET504 - within, mypy takes the scope for one that may end it
