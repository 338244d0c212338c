"""Reads keys on its terminal and prints them, as its argument says; run by test_keyboard.py."""

import os
import signal
import subprocess
import sys

import anyio
import anyio.to_thread

from agent_runner.ui import terminal
from agent_runner.ui.keyboard import Keyboard


def say(text: str) -> None:
    """A line that the test waits for."""
    sys.stdout.write(f"<{text}>\n")
    sys.stdout.flush()


async def until_quit(ending: str) -> None:
    """Read until `q`; `x` endings leave in a rough way instead."""
    quit_asked = anyio.Event()

    def on_key(key: str) -> None:
        say(key)
        if key == "q":
            quit_asked.set()
        if key == "s" and ending == "raise":
            raise RuntimeError
        if key == "s" and ending == "os_exit":
            terminal.restore_terminal()
            os._exit(7)

    async with anyio.create_task_group() as group:
        keyboard = Keyboard()
        group.start_soon(keyboard.read, on_key)
        if ending == "release":
            with keyboard.released():
                say("released")
                line = await anyio.to_thread.run_sync(sys.stdin.readline)
                say(f"line {line.strip()}")
        say("ready")
        if ending == "hook":
            async with await anyio.open_process(
                ["sh", "-c", "while :; do echo noise; done"],
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            ) as hook:
                await quit_asked.wait()
                os.killpg(hook.pid, signal.SIGKILL)
        await quit_asked.wait()
        group.cancel_scope.cancel()
    say("done")


def main() -> None:
    ending = sys.argv[1]
    if ending == "no_terminal":
        anyio.run(Keyboard().read, say)
        say("returned")
    else:
        anyio.run(until_quit, ending)


if __name__ == "__main__":
    main()
