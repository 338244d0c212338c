"""A server as strict as llama.cpp's: it takes of the three protocols what that one takes.

From the conversion of requests in llama.cpp's own server (`convert_responses_to_chatcmpl` and the
Chat and Messages handlers, as of November 2026): what it does not know the form of is a 400, with a
number as its code. Which model is asked for does not matter to it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field

from tests.providers import dialects
from tests.providers.dialects import Spoken
from tests.providers.server import Request, Wire, answer, stream

SPOKEN = {spoken.path: spoken for spoken in dialects.ALL}


class RefusedError(Exception):
    """What the server would answer 400 to."""


@define
class StrictServer:
    """Scripts that answer `words` in turn, the last for ever; `seen`: conversations as turns."""

    words: list[str]
    seen: list[list[tuple[str, str]]] = field(factory=list)

    def __call__(self, wire: Wire, request: Request) -> None:
        spoken = next(s for path, s in SPOKEN.items() if request.path.endswith(path))
        try:
            turns = _READ[spoken.protocol](request.body)
            _check_turns(turns)
        except RefusedError as error:
            refusal = {"code": 400, "message": str(error), "type": "invalid_request_error"}
            answer({"error": refusal}, status=400)(wire, request)
            return
        self.seen.append(turns)
        said = self.words.pop(0) if len(self.words) > 1 else self.words[0]
        _say(spoken, said, streamed=request.body.get("stream", False))(wire, request)


def _say(spoken: Spoken, words: str, *, streamed: bool) -> Callable[[Wire, Request], None]:
    if not streamed:
        return answer(spoken.whole((words,), spoken.complete))
    return stream(*spoken.events((words,), spoken.complete))


def _check_turns(turns: list[tuple[str, str]]) -> None:
    """Templates of models want turns that alternate and end with the user's."""
    roles = [role for role, _ in turns if role != "system"]
    if roles != ["user", "assistant"] * (len(roles) // 2) + ["user"]:
        raise RefusedError(f"Conversation roles must alternate: {roles}")


def _from_responses(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    if body.get("previous_response_id"):
        raise RefusedError("llama.cpp does not support 'previous_response_id'.")
    turns = [("system", body["instructions"])] if "instructions" in body else []
    return turns + [_item(item) for item in body["input"] if item.get("type") != "reasoning"]


def _item(item: Mapping[str, Any]) -> tuple[str, str]:
    content, role = item.get("content"), item.get("role")
    if isinstance(content, str):
        content = [{"type": "input_text", "text": content}]
    if not isinstance(content, list):
        raise RefusedError("Cannot determine type of 'item'")
    if role in {"user", "system", "developer"}:
        kind = "input_text"
    elif role == "assistant" and item.get("type") == "message":
        kind = "output_text"
    else:
        raise RefusedError("Cannot determine type of 'item'")
    for part in content:
        if part.get("type") != kind:
            raise RefusedError(f"'type' must be '{kind}'")
        if not isinstance(part.get("text"), str):
            raise RefusedError(f"'{kind}' requires 'text'")
    return str(role), "".join(part["text"] for part in content)


def _from_chat(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    turns = []
    for message in body["messages"]:
        if message.get("role") not in {"system", "user", "assistant"}:
            raise RefusedError("unknown role")
        if not isinstance(message.get("content"), str):
            raise RefusedError("Missing 'content'")
        turns.append((message["role"], message["content"]))
    return turns


def _from_messages(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not isinstance(body.get("max_tokens"), int):
        raise RefusedError("'max_tokens' is required")
    system = [("system", _text(body["system"]))] if body.get("system") else []
    turns = [{**turn, "content": _text(turn.get("content"))} for turn in body["messages"]]
    return system + [turn for turn in _from_chat({"messages": turns}) if turn[0] != "system"]


def _text(content: Any) -> str:
    """The words of a content: a string, or blocks of text, thoughts among them left out."""
    if isinstance(content, str):
        return content
    kinds = {"text", "thinking"}
    if not isinstance(content, list) or any(block.get("type") not in kinds for block in content):
        raise RefusedError("unsupported content[].type")
    return "".join(block["text"] for block in content if block["type"] == "text")


_READ = {"responses": _from_responses, "chat": _from_chat, "anthropic": _from_messages}
