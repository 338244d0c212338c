"""Collects a reply as it comes and judges its end: the one place where a reply becomes a success.

A reply is complete only if its terminal event came, its end is a full answer, it asked for no tool
and it holds text. Everything else keeps its partial text and says what is wrong with it.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from attrs import define, field

from agent_runner.model.agent import AgentResponse, Finish, ToolCall
from agent_runner.model.usage import Usage


@define
class ToolDraft:
    """A tool call under way."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@define
class Draft:
    """What came so far.

    begun: something of an answer came. ended: its terminal event came. finish: None until the
    provider says how it ended. failure: the error object inside a 200. unreadable: what could not
    be understood. received: characters of any kind, for the progress shown.
    """

    pieces: list[str] = field(factory=list)
    refusal: list[str] = field(factory=list)
    tools: dict[int, ToolDraft] = field(factory=dict)
    finish: Finish | None = None
    detail: str = ""
    usage: Usage | None = None
    model: str = ""
    response_id: str | None = None
    service: dict[str, Any] = field(factory=dict)
    failure: Mapping[str, Any] | None = None
    unreadable: str = ""
    begun: bool = False
    ended: bool = False
    received: int = 0

    @property
    def text(self) -> str:
        """The answer's words so far."""
        return "".join(self.pieces)

    def add(self, text: str) -> None:
        """Another piece of the answer's words."""
        self.pieces.append(text)
        self.count(text)

    def count(self, text: str) -> None:
        """Something came that is no word of the answer (thinking, arguments of a tool)."""
        self.received += len(text)

    def tool(self, index: int) -> ToolDraft:
        """The tool call at `index`, begun if it is not there yet."""
        return self.tools.setdefault(index, ToolDraft())


class Reader(Protocol):
    """Understands one protocol's answers. Must not raise for anything that a server may send."""

    draft: Draft

    def take(self, event: Mapping[str, Any]) -> None:
        """One event of a stream."""

    def done(self) -> None:
        """The stream's `[DONE]`."""

    def take_whole(self, body: Mapping[str, Any]) -> None:
        """A whole answer that was not streamed."""


def conclude(draft: Draft, *, cut: str = "") -> AgentResponse:
    """The reply as it stands at the end of its bytes; `cut` says how they broke off, if they did.

    `usage` is left at nothing, marked as estimated, where the server reported none.
    """
    finish, detail = _judged(draft, cut)
    return AgentResponse(
        text=whole_characters(draft.text),
        finish=finish,
        usage=draft.usage or Usage(estimated=True),
        model=draft.model,
        response_id=draft.response_id,
        detail=detail,
        tool_calls=tuple(
            ToolCall(tool.id, tool.name, whole_characters(tool.arguments))
            for _, tool in sorted(draft.tools.items())
        ),
        service=draft.service,
    )


def _judged(draft: Draft, cut: str) -> tuple[Finish, str]:  # noqa: PLR0911 (a table of outcomes)
    if draft.failure is not None:
        return Finish.FAILED, f"the server failed while answering: {failure_text(draft.failure)}"
    if draft.unreadable:
        return Finish.UNREADABLE, draft.unreadable
    if not draft.ended:
        return Finish.CUT, cut or "the answer stopped without its end"
    if draft.refusal and draft.finish in {None, Finish.COMPLETE, Finish.REFUSED}:
        return Finish.REFUSED, draft.detail or whole_characters("".join(draft.refusal))
    if draft.finish is None:
        return Finish.UNREADABLE, "the answer does not say how it ended"
    if draft.finish is not Finish.COMPLETE:
        return draft.finish, draft.detail
    if draft.tools:
        names = ", ".join(tool.name or "?" for tool in draft.tools.values())
        return Finish.UNREADABLE, f"the model asked for a tool ({names}), and none is offered"
    if not draft.text.strip():
        return Finish.EMPTY, draft.detail or "the answer holds no text"
    return Finish.COMPLETE, draft.detail


def failure_text(failure: Mapping[str, Any]) -> str:
    """An error object in one line."""
    message = text_of(failure.get("message")) or "no reason given"
    code = text_of(failure.get("code")) or text_of(failure.get("type"))
    return f"{message} ({code})" if code else message


def whole_characters(text: str) -> str:
    """`text` with surrogate pairs joined that came in two pieces; a half alone is replaced."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


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
