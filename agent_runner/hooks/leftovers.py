"""Keeps the pipes of services that pre-hooks left running, so that a write does not end them."""

import asyncio
import os

from attrs import define, field

from agent_runner.hooks.child import PIECE


@define(eq=False)
class Leftovers:
    """Reads and drops what services still print; one that wants it kept redirects it to a file."""

    _open: set[int] = field(factory=set, init=False)

    def adopt(self, output: int) -> None:
        """Read `output` (not blocking) from now on, until it ends or `close` is called.

        A callback of the loop, not a task: it belongs to no step and outlives all of them.
        """
        self._open.add(output)
        asyncio.get_running_loop().add_reader(output, self._drop, output)

    def close(self) -> None:
        """Stop reading; call it in the loop that adopted. A service may end at its next write."""
        for output in tuple(self._open):
            self._forget(output)

    def _drop(self, output: int) -> None:
        try:
            piece = os.read(output, PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._forget(output)

    def _forget(self, output: int) -> None:
        self._open.discard(output)
        asyncio.get_running_loop().remove_reader(output)
        os.close(output)
