"""What is asked of an agent and what it answers, the same for every provider."""

import enum
from typing import Any

from attrs import field, frozen

from agent_runner.model.usage import ReportedLimit, Usage


@frozen
class Message:
    """One turn of a conversation: `role` is `user` or `assistant`."""

    role: str
    text: str


@frozen
class Prompt:
    """All text that is sent: standing instructions, then turns, the last of which is the user's."""

    system: str
    messages: tuple[Message, ...]


@frozen
class AgentRequest:
    """What one call asks, as it is stored in `request.json`.

    Attributes:
        call: `TASK/call-NN`, unique within one state.
        number: which answered call of the task this will be, from 1.
        attempt: the attempt that the call belongs to, from 1.
        turn: which call of that attempt it is, from 1.
        model: as the provider spells it; None for its own default.
        max_output_tokens: the most tokens that the answer may have.
    """

    call: str
    task: str
    number: int
    attempt: int
    turn: int
    provider: str
    model: str | None
    prompt: Prompt
    max_output_tokens: int


class Finish(enum.StrEnum):
    """How a reply ended: only `COMPLETE` is a full answer, `REFUSED` is the model declining.

    All others are unusable: the reply is asked for again, within `max_unusable_replies`.
    """

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    WINDOW = "window_exceeded"
    REFUSED = "refused"
    EMPTY = "empty"
    CUT = "cut_short"
    FAILED = "failed"
    UNREADABLE = "unreadable"


@frozen
class ToolCall:
    """A tool that the model asked to use instead of answering; none is offered, so it is only kept.

    `arguments` is the JSON as the model wrote it.
    """

    id: str
    name: str
    arguments: str


@frozen
class AgentResponse:
    """One reply, as it is stored in `response.json`.

    Attributes:
        text: the model's words.
        detail: more about a bad finish, for people.
        request_id, response_id: the provider's names for the call and for the answer.
        limits: what the answer's headers said of the account's limits.
        service: what else the provider said of the call, as plain JSON, for the log.
        edits: unified diffs, from agents that change files themselves; empty if they changed
            nothing. None: the words are the reply. Otherwise nothing in them is read as an edit or
            as a question.
        logs: what such an agent's program printed.
    """

    text: str
    finish: Finish = Finish.COMPLETE
    usage: Usage = field(factory=Usage)
    model: str = ""
    request_id: str | None = None
    response_id: str | None = None
    detail: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    limits: tuple[ReportedLimit, ...] = ()
    service: dict[str, Any] = field(factory=dict, hash=False)
    edits: tuple[str, ...] | None = None
    logs: tuple[str, ...] = ()
