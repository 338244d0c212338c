"""What is asked of an agent and what it answers, the same for every provider."""

import enum
from typing import Any

from attrs import field, frozen

from agent_runner.model.usage import ReportedLimit, Usage


@frozen
class Message:
    """One turn of the talk: `role` is `user` or `assistant`."""

    role: str
    text: str


@frozen
class Prompt:
    """All text that is sent.

    Standing instructions, then the turns, the last of which is the user's.
    """

    system: str
    messages: tuple[Message, ...]


@frozen
class AgentRequest:
    """One call, as stored in `request.json`.

    `number`: the n-th answered call of the task, from 1. Caps in tokens.
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
    """How a reply ended.

    Only `COMPLETE` is a full answer; `REFUSED` is the model declining; the rest are unusable.
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
    """A tool the model asked to use instead of answering.

    This product offers none, so it is kept for the log.
    """

    id: str
    name: str
    arguments: str


@frozen
class AgentResponse:
    """One reply, as stored in `response.json`.

    `text` is the model's words; `detail` says more about a bad finish.

    `edits` and `logs` are for plug-ins whose agent changes files itself: unified diffs (none: it
    changed nothing), and what its program printed. Where `edits` is None the words are the reply;
    else nothing in them is read as an edit or a question.
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
