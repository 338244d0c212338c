"""The user's notify commands: run in the background, never a reason to stop."""

import math
from collections.abc import Mapping
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from attrs import define, field

from agent_runner.app.project import Project
from agent_runner.ground.clock import Clock, iso
from agent_runner.ground.redaction import Redactor
from agent_runner.hooks.notify import notify
from agent_runner.model import events as e
from agent_runner.model.fold import Entry, RunState
from agent_runner.model.record import TaskRecord
from agent_runner.model.states import TaskState
from agent_runner.providers.keys import known_keys, secret_variables


@define
class Notifications:
    """An observer that turns entries into notify commands; `deliver` runs them one by one."""

    project: Project
    state: RunState
    clock: Clock
    problems: list[str] = field(factory=list)
    _send: MemoryObjectSendStream[tuple[str, dict[str, Any]]] = field(init=False)
    _receive: MemoryObjectReceiveStream[tuple[str, dict[str, Any]]] = field(init=False)
    _delivered: anyio.Event = field(init=False, factory=anyio.Event)
    _crashed: bool = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._send, self._receive = anyio.create_memory_object_stream(math.inf)
        run = self.state.run
        self._crashed = run is not None and run.stopped is None

    def entry(self, entry: Entry, _before: TaskRecord | None, after: TaskRecord | None) -> None:
        """Queue the commands that this entry calls for."""
        settings = self.project.settings.notify
        event = entry.event
        if isinstance(event, e.RunStarted) and self._crashed:
            self._notify(settings.crashed_and_resumed, "crashed-and-resumed", entry)
        elif entry.to is TaskState.ESCALATED and after is not None:
            self._notify(settings.escalated, "escalated", entry, {"reason": after.last_error})
        elif isinstance(event, e.RunStopped) and event.reason == "finished":
            self._notify(settings.finished, "finished", entry)
        elif isinstance(event, e.RunStopped) and event.reason == "limit":
            when = iso(event.not_before) if event.not_before else ""
            self._notify(settings.limit, "limit", entry, {"not_before": when})

    def signal(self, _signal: object) -> None:
        """Nothing passing is worth a notification."""

    async def deliver(self) -> None:
        """Run the commands in order until `finish`."""
        settings, given = self.project.settings.notify, self.project.surroundings.env
        keys = secret_variables(self.project.settings, given)
        redactor = Redactor(known_keys(self.project.settings, given))
        env = {name: value for name, value in given.items() if name not in keys}
        folder = self.project.tasks.folder
        async with self._receive:
            async for command, content in self._receive:
                problem = await notify(command, content, env, settings.timeout, cwd=folder)
                if problem:
                    self.problems.append(f"{content['event']}: {redactor.text(problem)}")
        self._delivered.set()

    async def finish(self) -> None:
        """Wait until all queued commands have run."""
        self._send.close()
        await self._delivered.wait()

    def _notify(
        self, command: str | None, event: str, entry: Entry, more: Mapping[str, Any] | None = None
    ) -> None:
        if command is not None:
            content = {"event": event, "at": iso(entry.at), "list": self.project.tasks.id}
            content |= {"task": entry.task} if entry.task else {}
            self._send.send_nowait((command, {**content, **(more or {})}))
