"""`in_thread`: results, errors, and a cancellation that waits for the end."""

import asyncio
import threading

import anyio
import pytest

from agent_runner.ground.threads import in_thread

pytestmark = pytest.mark.anyio


async def test_it_returns_and_raises_what_the_call_does() -> None:
    assert await in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)


async def test_the_loop_goes_on_meanwhile() -> None:
    go_on = threading.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(in_thread, go_on.wait)
        await anyio.lowlevel.checkpoint()
        go_on.set()  # reached only while the other waits


async def test_a_cancellation_waits_for_the_end() -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def call() -> None:
        begun.set()
        go_on.wait()
        ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(in_thread, call)
        await anyio.to_thread.run_sync(begun.wait)
        group.cancel_scope.cancel()
        asyncio.get_running_loop().call_later(0.05, go_on.set)  # unless waited for, after the end
    assert ended.is_set()


async def test_what_is_cancelled_already_never_begins() -> None:
    begun = threading.Event()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await in_thread(begun.set)
    assert not begun.is_set()
