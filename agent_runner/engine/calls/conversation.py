"""The conversation of a task with its agent: a chain of calls, each with what was new in it.

An answer is decoded and read once, however many steps ask for it: the turns of the task in hand
are kept in memory. The files stay the truth. After a restart the same turns are made of them, and
the digest of what was sent says whether they are.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from attrs import define, evolve, field, frozen

from agent_runner.edits.agent_files import reply_of
from agent_runner.edits.edit import Reply
from agent_runner.edits.parse import parse_diffs, parse_reply
from agent_runner.ground.disk import Disk
from agent_runner.model.agent import AgentRequest, AgentResponse, Message, Prompt, ToolSpec
from agent_runner.model.conversation import Digests, StoredRequest
from agent_runner.prompts.turns import in_words, with_replaced
from agent_runner.store.blobs import Blobs
from agent_runner.store.calls import CallFiles
from agent_runner.store.layout import Layout


@frozen
class Turn:
    """One answered call. `request` is None where only the answer is left of its files.

    `contents`: what an agent left in its copy, by sha256.
    """

    request: StoredRequest | None
    response: AgentResponse
    contents: Callable[[str], bytes] = field(eq=False)

    @cached_property
    def reply(self) -> Reply:
        """What the answer asks for: to change files, to see some, to run commands."""
        if self.response.files is not None:
            return reply_of(self.response.files, self.contents)
        edits = self.response.edits
        reply = parse_reply(self.response.text) if edits is None else parse_diffs(edits)
        return evolve(reply, redacted=self.response.redacted)

    @property
    def message(self) -> Message:
        """The answer as a message of the conversation."""
        response = self.response
        said = Message("assistant", response.text, response.tool_calls, raw=response.raw)
        return in_words(said) if response.raw_lost else said


@frozen
class Conversation:
    """All that was said up to and with the answer of a call.

    Attributes:
        messages: Whole, with tools and raw items, also where the last call was sent in words.
        speakers: Who said each of them: provider and model; None for our own.
        calls: The calls that were answered, oldest first.
        definition: Of the task, when the first message was written; "" where it was not kept.
    """

    system: str
    tools: tuple[ToolSpec, ...]
    messages: tuple[Message, ...]
    speakers: tuple[tuple[str, str | None] | None, ...]
    calls: tuple[str, ...]
    definition: str = ""

    @property
    def places(self) -> Iterator[tuple[str, int]]:
        """Each answered call, oldest first, with the place of its answer among the messages."""
        said = (at for at, speaker in enumerate(self.speakers) if speaker is not None)
        return zip(self.calls, said, strict=True)

    def foreign(self, provider: str, model: str | None) -> int:
        """How many of the first messages this model must be given in words.

        Up to the last turn that another model said, with what that turn was answered.
        """
        others = [
            at
            for at, speaker in enumerate(self.speakers)
            if speaker is not None and speaker != (provider, model)
        ]
        return others[-1] + 2 if others else 0


@define
class Conversations:
    """Where the calls of a task lie, and the conversation of the task that is in hand.

    Not for several tasks side by side: it keeps one at a time, so that memory does not grow with
    the list.

    Attributes:
        digests: Hashes what is sent, in the conversation in hand.
    """

    layout: Layout
    blobs: Blobs
    disk: Disk
    digests: Digests = field(factory=Digests)
    _task: str = ""
    _turns: dict[str, Turn] = field(factory=dict)
    _conversations: dict[str, Conversation | None] = field(factory=dict)

    def files(self, task: str, attempt: int, call: str) -> CallFiles:
        """The files of one call. Its id is `TASK/call-NN`, the name of its folder the last part."""
        folder = self.layout.call(task, attempt, Path(call).name)
        return CallFiles(call, self.layout.folder, folder, self.blobs, self.disk)

    def add(self, request: StoredRequest, response: AgentResponse) -> None:
        """Remember an answer whose files have just been written."""
        self._take_up(request.task)
        self._turns[request.call] = Turn(request, response, self.blobs.get)

    def turn(self, task: str, attempt: int, call: str) -> Turn | None:
        """The turn of a call of this attempt or one before; None if its answer is not on disk."""
        self._take_up(task)
        if call not in self._turns:
            for number in range(attempt, 0, -1):  # the folders for people are by attempts
                files = self.files(task, number, call)
                response = files.response()
                if response is not None:
                    self._turns[call] = Turn(files.request(), response, self.blobs.get)
                    break
        return self._turns.get(call)

    def up_to(self, task: str, attempt: int, call: str) -> Conversation | None:
        """All that was said up to and with this answer; None where no next turn can follow on it.

        That is so where a part of it is lost or not as it was sent, and after an agent that changed
        files itself: its words are no part of what it did, and it begins anew with every call.
        """
        self._take_up(task)
        pending: list[tuple[str, Turn, StoredRequest]] = []
        at = call
        while at and at not in self._conversations:
            turn = self.turn(task, attempt, at)
            if turn is None or turn.request is None or turn.response.edits is not None:
                self._conversations[at] = None
                break
            pending.append((at, turn, turn.request))
            at = turn.request.after
        for name, turn, request in reversed(pending):
            before = self._conversations[request.after] if request.after else None
            lost = (before is None and bool(request.after)) or self._differs(before, request)
            self._conversations[name] = None if lost else _after(before, turn, request)
        return self._conversations.get(call)

    def sent(self, task: str, attempt: int, request: StoredRequest) -> AgentRequest | None:
        """A kept request with all that was sent; None where a part of that is lost."""
        before = self.up_to(task, attempt, request.after) if request.after else None
        if before is None and request.after:
            return None
        return request.sent(_prompt(before, request))

    def _differs(self, before: Conversation | None, request: StoredRequest) -> bool:
        """Whether what was kept is not what was sent."""
        return bool(request.digest) and self.digests.of(_prompt(before, request)) != request.digest

    def _take_up(self, task: str) -> None:
        if self._task != task:
            self._task, self._turns, self._conversations = task, {}, {}


def _after(before: Conversation | None, turn: Turn, request: StoredRequest) -> Conversation:
    """The conversation with one more call in it."""
    earlier = with_replaced(before.messages, request.replaced) if before is not None else ()
    speakers = before.speakers if before is not None else ()
    ours = (None,) * len(request.messages)
    return Conversation(
        _system(before, request),
        _tools(before, request),
        (*earlier, *request.messages, turn.message),
        (*speakers, *ours, (request.provider, request.model)),
        (*(before.calls if before is not None else ()), request.call),
        request.definition if before is None else before.definition,
    )


def _prompt(before: Conversation | None, request: StoredRequest) -> Prompt:
    """All that a kept request sent, put together from what was said before it."""
    earlier = before.messages if before is not None else ()
    messages = (*with_replaced(earlier, request.replaced), *request.messages)
    tools = _tools(before, request)
    return Prompt(_system(before, request), spoken(messages, request.in_words), tools)


def spoken(messages: tuple[Message, ...], count: int) -> tuple[Message, ...]:
    """The messages, the first `count` of them in words alone."""
    return (*map(in_words, messages[:count]), *messages[count:])


def _system(before: Conversation | None, request: StoredRequest) -> str:
    if request.system is not None or before is None:
        return request.system or ""
    return before.system


def _tools(before: Conversation | None, request: StoredRequest) -> tuple[ToolSpec, ...]:
    if request.tools is not None or before is None:
        return request.tools or ()
    return before.tools


def call_id(task: str, number: int) -> str:
    """The id of a task's `number`-th call: its folder is named after it, and it is never reused."""
    return f"{task}/call-{number:02}"
