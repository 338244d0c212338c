"""A task's conversation as it went: what `agent-runner log` shows, also while a run is on."""

from collections.abc import Iterator
from pathlib import Path

from attrs import define, field

from agent_runner.engine.calls.conversation import Conversations
from agent_runner.ground.clock import local
from agent_runner.ground.disk import Disk
from agent_runner.ground.escaping import fenced
from agent_runner.ground.redaction import Redactor
from agent_runner.model import events as e
from agent_runner.model.agent import Message
from agent_runner.model.states import FINAL, TaskState
from agent_runner.store.blobs import Blobs
from agent_runner.store.layout import Layout
from agent_runner.store.store import read_entries
from agent_runner.ui.narration import Timeline

_ENDS = FINAL | {TaskState.ESCALATED}


@define
class ConversationLog:
    """Reads one task's conversation, each part of it once. `folder`: the state folder."""

    folder: Path
    task: str
    _seen: int = 0
    _running: bool = False
    _timeline: Timeline = field(init=False)
    _attempts: dict[str, int] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self._timeline = Timeline(self.task)

    @property
    def ended(self) -> bool:
        """Whether nothing more comes unless a person wants it to."""
        return self._timeline.record.state in _ENDS or not self._running

    def news(self) -> Iterator[str]:
        """The lines that have come since it was last asked: prompts, looks, words, failures."""
        for entry in read_entries(self.folder):
            if entry.seq <= self._seen:
                continue
            self._seen, event = entry.seq, entry.event
            if isinstance(event, e.RunStarted | e.RunStopped):
                self._running = isinstance(event, e.RunStarted)
            if entry.task == self.task and isinstance(event, e.CallStarted):
                self._attempts[event.call] = event.attempt
            for one in self._timeline.take(entry):
                yield f"[{local(one.at, seconds=True)}] {one.line.text}"
                yield from (f"  | {detail}" for detail in one.line.details)
            if entry.task == self.task and isinstance(event, e.CallSettled):
                yield from self._call(event)

    def _call(self, settled: e.CallSettled) -> Iterator[str]:
        """What was new in an answered call, and the answer."""
        if settled.outcome != "answered":
            return
        layout, disk, clean = Layout(self.folder), Disk(), Redactor().text
        conversations = Conversations(layout, Blobs(layout.blobs, disk), disk)
        attempt = self._attempts.get(settled.call, 1)
        turn = conversations.turn(self.task, attempt, settled.call)
        if turn is None:
            yield f"(the answer of {settled.call} is gone)"
            return
        request = turn.request
        if request is not None and request.system is not None:
            yield f"\n# system\n\n{request.system.strip()}"
        for message in request.messages if request is not None else ():
            yield from map(clean, message_lines(message))
        yield from map(clean, message_lines(turn.message))
        yield ""


def message_lines(message: Message) -> Iterator[str]:
    """A message for people: its words, the tools that it uses, what they answered."""
    yield f"\n# {message.role}"
    if message.text.strip():
        yield f"\n{message.text.strip()}"
    for call in message.calls:
        yield f"\n{call.name} {call.arguments}"
    for answer in message.answers:
        failed = " (not done)" * answer.is_error
        yield f"\n{answer.name}{failed}:\n\n{fenced(answer.text)}"
