"""The conversation of an attempt: one turn for each call that was answered.

An answer is decoded and read once, however many steps ask for it: the turns of the attempt in hand
are kept in memory. The files stay the truth. After a restart the same turns are made of them.
"""

from functools import cached_property
from pathlib import Path

from attrs import define, evolve, field, frozen

from agent_runner.edits.edit import Reply
from agent_runner.edits.parse import parse_diffs, parse_reply
from agent_runner.ground.disk import Disk
from agent_runner.model.agent import AgentRequest, AgentResponse, Message, Prompt
from agent_runner.store.blobs import Blobs
from agent_runner.store.calls import CallFiles
from agent_runner.store.layout import Layout


@frozen
class Turn:
    """One answered call. `request` is None where only the answer is left of its files."""

    request: AgentRequest | None
    response: AgentResponse

    @cached_property
    def reply(self) -> Reply:
        """What the answer asks for: to change files, to see some, to run commands."""
        edits = self.response.edits
        reply = parse_reply(self.response.text) if edits is None else parse_diffs(edits)
        return evolve(reply, redacted=self.response.redacted)

    @property
    def so_far(self) -> Prompt | None:
        """All that was said up to and with this answer; None where no next turn can follow on it.

        An agent that changed files itself has no conversation: its words are no part of what it
        did, and it begins anew with every call.
        """
        if self.request is None or self.response.edits is not None:
            return None
        prompt, answer = self.request.prompt, Message("assistant", self.response.text)
        return evolve(prompt, messages=(*prompt.messages, answer))


@define
class Conversations:
    """Where the calls of a task lie, and the turns of the attempt that is in hand.

    Not for several tasks side by side: it keeps one attempt at a time, so that memory does not
    grow with the list.
    """

    layout: Layout
    blobs: Blobs
    disk: Disk
    _attempt: tuple[str, int] = ("", 0)
    _turns: dict[str, Turn] = field(factory=dict)

    def files(self, task: str, attempt: int, call: str) -> CallFiles:
        """The files of one call. Its id is `TASK/call-NN`, the name of its folder the last part."""
        folder = self.layout.call(task, attempt, Path(call).name)
        return CallFiles(call, self.layout.folder, folder, self.blobs, self.disk)

    def add(self, request: AgentRequest, response: AgentResponse) -> None:
        """Remember an answer whose files have just been written."""
        self._turns_of(request.task, request.attempt)[request.call] = Turn(request, response)

    def turn(self, task: str, attempt: int, call: str) -> Turn | None:
        """The turn of a call; None if its answer is not on disk."""
        turns = self._turns_of(task, attempt)
        if call not in turns:
            files = self.files(task, attempt, call)
            response = files.response()
            if response is None:
                return None
            turns[call] = Turn(files.request(), response)
        return turns[call]

    def _turns_of(self, task: str, attempt: int) -> dict[str, Turn]:
        if self._attempt != (task, attempt):
            self._attempt, self._turns = (task, attempt), {}
        return self._turns


def call_id(task: str, number: int) -> str:
    """The id of a task's `number`-th call: its folder is named after it, and it is never reused."""
    return f"{task}/call-{number:02}"
