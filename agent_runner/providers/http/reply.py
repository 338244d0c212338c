"""A reply as it grows, and the one place where it is judged to be a full answer or not.

A reply is complete only if its terminal event came, the provider calls its end a full answer, and
it holds text or calls of tools that were offered. Everything else keeps its partial text and says
what is wrong with it: HTTP 200 alone means nothing, for all three protocols report refusals, cut
answers and even failures inside of it.
"""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from attrs import define, field

from agent_runner.model.agent import AgentResponse, Finish, Prompt, ToolCall
from agent_runner.model.usage import Usage
from agent_runner.providers.http.call_in_text import calls_in_text

TRUNCATED = (
    Finish.TRUNCATED,
    "the answer reached its cap of tokens (max_output_tokens), thinking included",
)
"""How an answer ends at the cap on its output, in all protocols."""


@define
class GrowingCall:
    """A tool call of which all may not have come yet.

    Attributes:
        pieces: Its arguments, JSON as text; of a freeform call the text itself.
        more: What else the server says of it and wants back, as plain JSON.
    """

    id: str = ""
    name: str = ""
    pieces: list[str] = field(factory=list)
    freeform: bool = False
    more: dict[str, Any] = field(factory=dict)

    @property
    def arguments(self) -> str:
        """The arguments as they came."""
        return "".join(self.pieces)

    def finished(self) -> ToolCall:
        """The call as a value; no arguments at all are an empty object."""
        arguments = whole_characters(self.arguments)
        if not self.freeform and not arguments.strip():
            arguments = "{}"
        return ToolCall(self.id, self.name, arguments, self.freeform)


@define
class GrowingReply:
    """What came of a reply so far.

    Attributes:
        pieces: Its words, in the order in which they came.
        refusal: Words with which it declines.
        tool_calls: By their position in the reply.
        finish: How it ended; None until the provider says so. `detail` says more.
        usage: As the provider counts it; None until it does.
        service: What else it says of the call, such as its tier.
        failure: The error object inside of a 200.
        unreadable: What could not be understood.
        started: Whether anything at all of an answer came.
        ended: Whether its terminal event came.
        received: Characters of any kind, thoughts and arguments included, for the progress on
            screen.
    """

    pieces: list[str] = field(factory=list)
    refusal: list[str] = field(factory=list)
    tool_calls: dict[int, GrowingCall] = field(factory=dict)
    finish: Finish | None = None
    detail: str = ""
    usage: Usage | None = None
    model: str = ""
    response_id: str | None = None
    service: dict[str, Any] = field(factory=dict)
    failure: Mapping[str, Any] | None = None
    unreadable: str = ""
    started: bool = False
    ended: bool = False
    received: int = 0

    @property
    def text(self) -> str:
        """The answer's words so far."""
        return "".join(self.pieces)

    def add(self, text: str) -> None:
        """Add a piece of the answer's words."""
        self.pieces.append(text)
        self.count(text)

    def count(self, text: str) -> None:
        """Count what is no word of the answer (thoughts, arguments of a tool) as progress."""
        self.received += len(text)

    def reject(self, body: Mapping[str, Any], what: str) -> None:
        """Take a whole body that is no answer: an error, if it reads like one, else unreadable."""
        self.failure = error_in(body)
        self.unreadable = "" if self.failure else what

    def tool_call(self, position: int) -> GrowingCall:
        """The tool call at `position`, a new one if none is there yet."""
        return self.tool_calls.setdefault(position, GrowingCall())


class ReplyReader(Protocol):
    """Understands one protocol's answers. Must not raise for anything that a server may send."""

    reply: GrowingReply

    def items(self) -> list[Any]:
        """The answer as the protocol's own items, to be sent back as they are (`Message.raw`)."""

    def read_event(self, event: Mapping[str, Any]) -> None:
        """Read one event of a stream; unknown kinds are ignored, as the vendors ask."""

    def read_done(self) -> None:
        """Read the mark `[DONE]`, which ends a stream of Chat Completions."""

    def read_whole(self, body: Mapping[str, Any]) -> None:
        """Read a whole answer that was not streamed."""


def conclude(
    reader: ReplyReader, prompt: Prompt, *, cut: str = "", cap: int | None = None, number: int = 1
) -> AgentResponse:
    """The response as it stands at the end of its bytes; `cut` says how they broke off, if so.

    `usage` is nothing, marked as estimated, where the server reported none. `cap`: the most tokens
    of output that were asked for, None for no cap. `number`: which answer of its task it is; ids of
    calls that the server left out are made from it, so that they are the same after a crash.
    """
    reply, raw = reader.reply, ""
    finish, detail = _judged(reply, cut, offered=bool(prompt.tools))
    used = reply.usage.output if reply.usage is not None else 0
    # several compatible servers call an answer complete that used up its cap, or give no reason
    if finish is Finish.COMPLETE and cap is not None and used >= cap:
        finish, detail = TRUNCATED
    in_text = False
    if finish is Finish.COMPLETE:
        in_text = _take_calls_in_text(reply, prompt)
        _name_calls(reply, number)
        # calls that stood in the text are no items: their turn is sent as words and calls
        raw = "" if in_text else whole_characters(json.dumps(reader.items(), ensure_ascii=False))
    return AgentResponse(
        text="" if in_text else whole_characters(reply.text),
        finish=finish,
        usage=reply.usage or Usage(estimated=True),
        model=reply.model,
        response_id=reply.response_id,
        detail=detail,
        tool_calls=tuple(call.finished() for _, call in sorted(reply.tool_calls.items())),
        service=reply.service,
        raw=raw,
    )


def _judged(reply: GrowingReply, cut: str, *, offered: bool) -> tuple[Finish, str]:  # noqa: PLR0911  # a table
    """How the reply ended and why: the first row that holds.

    The order matters. A failure goes before a cut, since servers close the connection after they
    report one; a cut goes before whatever the provider said of the end, since it was not the end.
    """
    if reply.failure is not None:
        return Finish.FAILED, f"the server failed while answering: {failure_text(reply.failure)}"
    if reply.unreadable:
        return Finish.FAILED, reply.unreadable
    if not reply.ended:
        return Finish.CUT, cut or "the answer stopped without its end"
    if reply.refusal and reply.finish in {None, Finish.COMPLETE, Finish.REFUSED}:
        return Finish.REFUSED, reply.detail or whole_characters("".join(reply.refusal))
    if reply.finish is None:
        return Finish.UNREADABLE, "the answer does not say how it ended"
    if reply.finish is not Finish.COMPLETE:
        return reply.finish, reply.detail
    if reply.tool_calls and not offered:
        names = ", ".join(call.name or "?" for call in reply.tool_calls.values())
        return Finish.UNREADABLE, f"the model asked for a tool ({names}), and none is offered"
    if not all(call.name for call in reply.tool_calls.values()):
        return Finish.UNREADABLE, "the model asked for a tool without naming it"
    if not reply.tool_calls and not reply.text.strip():
        return Finish.EMPTY, reply.detail or "the answer holds no text"
    return Finish.COMPLETE, reply.detail


def _take_calls_in_text(reply: GrowingReply, prompt: Prompt) -> bool:
    """Take a text that is nothing but calls of offered tools for what it is; whether it was."""
    if reply.tool_calls:
        return False
    for name, arguments in calls_in_text(reply.text, {tool.name for tool in prompt.tools}):
        reply.tool_calls[len(reply.tool_calls)] = GrowingCall(name=name, pieces=[arguments])
    return bool(reply.tool_calls)


def _name_calls(reply: GrowingReply, number: int) -> None:
    """Give an id to each call that has none of its own, or that of another call of this reply.

    Nine letters and digits, which is all that Mistral's servers take.
    """
    seen: set[str] = set()
    for place, (_, call) in enumerate(sorted(reply.tool_calls.items())):
        if not call.id or call.id in seen:
            call.id = f"call{number % 1000:03d}{place % 100:02d}"
        seen.add(call.id)


def arguments_of(text: str, *, freeform: bool = False) -> dict[str, Any]:
    """A call's arguments as the object that a protocol insists on.

    What is no JSON object stands in one; the tool's answer tells the model what was wrong with it.
    """
    content = None if freeform else _json_object(text or "{}")
    return {"input" if freeform else "invalid": text} if content is None else content


def sendable_arguments(text: str) -> str:
    """A call's arguments as servers want them back that read them: llama.cpp and vLLM do.

    They turn away every later request of a conversation in which a model once wrote bad JSON.
    """
    return text if is_json_object(text) else json.dumps(arguments_of(text.strip()))


def is_json_object(text: str) -> bool:
    """Whether a text is one JSON object, whole."""
    return _json_object(text) is not None


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        content = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _no_number(word: str) -> Any:
    """Refuse what Python reads as a number and JSON does not know."""
    raise ValueError(f"{word} is no JSON")


def error_in(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The error that a body is: nested, a bare string, flat; None: it is none."""
    nested = body.get("error")
    if isinstance(nested, Mapping):
        return nested
    if isinstance(nested, str) and nested:
        return {"message": nested, **{k: body[k] for k in ("code", "type") if k in body}}
    said = text_of(body.get("message")) or _complaints(body.get("detail"))
    if said:
        return {**body, "message": said}
    return {} if "error" in body or body.get("type") == "error" else None


def _complaints(detail: object) -> str:
    """The message of a FastAPI server: text, or a list of complaints."""
    if isinstance(detail, list):
        return "; ".join(text_of(mapping_of(item).get("msg")) for item in detail)
    return text_of(detail)


def failure_text(failure: Mapping[str, Any]) -> str:
    """An error object in one line: its message and its code."""
    message = text_of(failure.get("message")) or "no reason given"
    code = text_of(failure.get("code")) or text_of(failure.get("type"))
    return f"{message} ({code})" if code else message


def whole_characters(text: str) -> str:
    """`text` with surrogate pairs joined that came in two events; a half alone is replaced.

    JSON may split a character outside of the basic plane into two escapes, and a stream puts the
    two into different events. Half of one cannot be encoded as UTF-8 and would break every write.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


# What servers send is taken as it comes: compatible ones leave fields out, send null, or another
# type than the documentation says. None of these raise.


def text_of(value: object) -> str:
    """A string or number as text; anything else as ""."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def count_of(holder: Mapping[str, Any], *path: str) -> int:
    """A count deep in an object; 0 where a part of the path is missing, null or no number."""
    value: Any = holder
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return int(value) if isinstance(value, int | float) and value > 0 else 0


def mapping_of(value: object) -> Mapping[str, Any]:
    """The object itself, or an empty one where something else stands."""
    return value if isinstance(value, Mapping) else {}


def items_of(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list; nothing where something else stands."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
