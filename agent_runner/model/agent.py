"""What is asked of an agent and what it answers, the same for every provider."""

import enum
from typing import Any

from attrs import field, frozen

from agent_runner.model.usage import ReportedLimit, Usage


@frozen
class ToolSpec:
    """A tool that is offered to a model.

    Attributes:
        name: The same for every model and protocol.
        description: What it does and when to use it, for the model.
        parameters: The JSON Schema of its arguments, an object.
        grammar: Where a protocol takes tools whose argument is free text (Responses' custom tools),
            the Lark grammar of that text; "" for a tool that is a function everywhere.
    """

    name: str
    description: str
    parameters: dict[str, Any] = field(hash=False)
    grammar: str = ""


@frozen
class ToolCall:
    """A tool that the model asks to use.

    Attributes:
        id: The provider's own name of the call, which its answer repeats.
        arguments: The JSON as the model wrote it, well formed or not; for a freeform call its text.
        freeform: Whether the argument is the text itself and no JSON.
    """

    id: str
    name: str
    arguments: str
    freeform: bool = False


@frozen
class ToolAnswer:
    """What a tool answered to the call `id`; `is_error`: it could not do what was asked."""

    id: str
    name: str
    text: str
    is_error: bool = False


@frozen
class Message:
    """One turn of a conversation: `role` is `user` or `assistant`.

    Attributes:
        text: Its words.
        calls: The tools that an assistant's turn asks for, in its order.
        answers: What they answered: a user's turn that has answers has one for each call of the
            turn before, in their order, and goes without words where the protocols forbid them.
        raw: An assistant's turn as its provider sent it, as a JSON list of the protocol's own items
            (thinking, signatures, reasoning and calls included), to be sent back unchanged. ""
            where the turn is known by its words alone, or another model is asked by now.
    """

    role: str
    text: str
    calls: tuple[ToolCall, ...] = ()
    answers: tuple[ToolAnswer, ...] = ()
    raw: str = ""


@frozen
class Prompt:
    """All text that is sent: standing instructions, then turns, the last of which is the user's.

    `tools`: what is offered, in an order that never changes within a conversation, since the
    providers' caches begin with it.
    """

    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()


@frozen
class AgentRequest:
    """What one call asks; `StoredRequest` is what is kept of it.

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
class WrittenFile:
    """One file as an agent left it in its copy of the task's files.

    Attributes:
        path: Relative to the task's root, with `/`.
        base: sha256 of what it was given there; None where it was given no file.
        sha256: That of what it left, kept among the blobs; None where it left no file.
        executable: Whether what it left may be executed.
        odd: What it left in place of a file that can be kept (`a symbolic link`); "" for a file.
    """

    path: str
    base: str | None
    sha256: str | None
    executable: bool = False
    odd: str = ""


@frozen
class AgentResponse:
    """One reply, as it is stored in `response.json`.

    Attributes:
        text: the model's words.
        detail: more about a bad finish, for people.
        request_id, response_id: the provider's names for the call and for the answer.
        limits: what the answer's headers said of the account's limits.
        service: what else the provider said of the call, as plain JSON, for the log.
        tool_calls: what the model asks to use. A complete answer with calls ends no conversation:
            they are answered, and it is asked again.
        raw: the answer as the protocol's own items (see `Message.raw`).
        raw_lost: the provider's own items cannot be sent back, as there was a key in them.
        edits: unified diffs, from agents that change files themselves; empty if they changed
            nothing. None: the words are the reply. Otherwise nothing in them is read as an edit or
            as a question.
        logs: what such an agent's program printed.
        redacted: whether a known key was taken out of the words or the edits: they are not as they
            came.
        files: what an agent left in its copy of the task's files, where that differs from what it
            was given; `edits` is empty then. None: it worked in no copy of ours.
        notes: what a person should know of it, a line each.
        cost: dollars, where the agent itself says so; None: it goes by the model's price.
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
    raw: str = ""
    redacted: bool = False
    files: tuple[WrittenFile, ...] | None = None
    notes: tuple[str, ...] = ()
    cost: float | None = None
    raw_lost: bool = False
