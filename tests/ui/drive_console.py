"""Plays the small run to be looked at: `python -m tests.ui.drive_console [STEP_SECONDS]`."""

import os
import sys

import anyio

from agent_runner.ground.clock import SystemClock
from agent_runner.ui.console import Console
from agent_runner.ui.keyboard import Keyboard
from agent_runner.ui.output import Output
from agent_runner.ui.tally import Tally
from tests.ui.scenario import Script, small_run, task_list


async def play(seconds: float) -> None:
    """Every step of the run, with the keys at work."""
    console = Console(Output(sys.stdout), Tally(task_list()), SystemClock(), os.environ)
    script = Script((console,), at=SystemClock().now())
    keyboard = Keyboard(while_stopped=console.hidden)
    stop = anyio.Event()
    pausing = False

    def on_key(key: str) -> None:
        nonlocal pausing
        if key == "v":
            console.toggle_verbose()
        elif key == "p":
            pausing = not pausing
            console.show_pausing(pausing=pausing)
        elif key == "?":
            console.show_keys()
        elif key == "q":
            stop.set()

    async with anyio.create_task_group() as group:
        group.start_soon(console.tick)
        group.start_soon(keyboard.read, on_key)
        for _ in small_run(script):
            if stop.is_set():
                break
            script.at = SystemClock().now() - 1.0
            await anyio.sleep(seconds)
        group.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(play, float(sys.argv[1]) if len(sys.argv) > 1 else 0.3)
