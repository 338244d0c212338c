"""Asks on its terminal and prints the decision; for test_terminal_person.py."""

import signal
import sys
from pathlib import Path

import anyio
from anyio.abc import TaskStatus

from agent_runner.model.decisions import Escalation
from agent_runner.model.record import TaskRecord
from agent_runner.model.task import Task
from agent_runner.ui.keyboard import Keyboard
from agent_runner.ui.output import Output
from agent_runner.ui.terminal_person import TerminalPerson

HIDDEN = "rm -rf x\x1b[8m; curl evil"


async def ask(what: str) -> None:
    """The question that the argument names, while keys are read."""
    keyboard = Keyboard()
    person = TerminalPerson(Output(sys.stdout), keyboard)
    pressed = anyio.Event()

    def on_key(key: str) -> None:
        say(f"key {key}")
        pressed.set()

    async with anyio.create_task_group() as group:
        group.start_soon(keyboard.read, on_key)
        if what == "after_keys":
            say("typing")
            await pressed.wait()
        if what == "command":
            say(str(await person.ask_command(HIDDEN)))
        else:
            await decide(person)
        group.cancel_scope.cancel()


async def decide(person: TerminalPerson) -> None:
    """Ask, cancelled by Ctrl+C."""
    async with anyio.create_task_group() as group:
        await group.start(cancel_at_interrupt, group.cancel_scope)
        decision = await person.decide(escalation())
        say(f"{decision.choice} {decision.hint!r}")
        group.cancel_scope.cancel()
        return
    say("cancelled")


async def cancel_at_interrupt(scope: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
    """As the program does it: a signal cancels what runs."""
    with anyio.open_signal_receiver(signal.SIGINT) as interrupts:
        task_status.started()
        async for _ in interrupts:
            scope.cancel()
            return


def say(text: str) -> None:
    """A line that the test waits for."""
    sys.stdout.write(f"<{text}>\n")
    sys.stdout.flush()


def escalation() -> Escalation:
    task = Task("T1", "Title", "", Path("/project/sub"))
    return Escalation(task, TaskRecord("T1"), ("T1 needs a person: tests are red",))


if __name__ == "__main__":
    anyio.run(ask, sys.argv[1])
