"""Answers from files instead of a network, and how answers are recorded for that.

The n-th answered call of task T1 is answered by `DIR/T1/n.json` (a whole AgentResponse, as a
recording leaves it, calls of tools included) or else by `DIR/T1/n.md`, whose text is the reply. n
counts from 1.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio.lowlevel
import attrs
from attrs import frozen

from agent_runner.ground.clock import Clock
from agent_runner.ground.plain_files import open_plain, read_plain
from agent_runner.ground.tokens import tokens_of
from agent_runner.model.agent import AgentRequest, AgentResponse, Finish, Prompt, ToolCall
from agent_runner.model.errors import FatalError, StorageError
from agent_runner.model.usage import ReportedLimit, Usage
from agent_runner.providers.client import AgentClient, CallContext, capabilities_of
from agent_runner.providers.costs import estimated_usage
from agent_runner.providers.profiles import Profile


def make_client(profile: Profile, clock: Clock) -> AgentClient:  # noqa: ARG001  # as all factories
    """A client that reads its answers."""
    return ReplayClient(profile)


class ReplayClient:
    """An `AgentClient` that reads its answers. `profile.replies` is the folder."""

    def __init__(self, profile: Profile) -> None:
        self.capabilities = capabilities_of(profile)
        self._folder = profile.replies or Path()
        self._model = profile.model

    async def generate_completion(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        """The recorded answer; raises FatalError naming the file that is missing or unreadable."""
        await anyio.lowlevel.checkpoint()  # cancellable, as a call over a network is
        context.progress(0)
        response = _answer(self._folder, context.request, prompt, self._model)
        context.keep(response.text.encode("utf-8", "replace"))
        context.progress(tokens_of(response.text, self._model))
        return response

    async def aclose(self) -> None:
        """Close nothing: no connection is open."""


@frozen
class Recorder:
    """Saves answers below `folder`, so that a run can be replayed without a key.

    Known keys were taken out before (`clean_response`); everything else is kept byte for byte.
    """

    folder: Path

    def save(self, request: AgentRequest, response: AgentResponse) -> None:
        """Keep the answer to a request, whole or not at all: a torn one would replay as a bad one.

        Raises StorageError.
        """
        path = recording(self.folder, request)
        temporary = path.with_name(f".{path.name}.tmp")  # a name that replay does not look for
        try:
            # private as the state folder is: an answer holds as much of the project as that
            for folder in (self.folder, path.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.unlink(missing_ok=True)
            with os.fdopen(open_plain(temporary, os.O_WRONLY | os.O_CREAT), "wb") as file:
                file.write(encode(response).encode())
            temporary.replace(path)
        except OSError as error:
            raise StorageError(
                f"the answer cannot be recorded in {path}: {error.strerror or error}",
                fix="make room, or leave out --record",
            ) from error


def recording(folder: Path, request: AgentRequest) -> Path:
    """The file in which the answer to `request` is recorded."""
    return folder / request.task / f"{request.number}.json"


def encode(response: AgentResponse) -> str:
    """A response as JSON, all of it."""
    return json.dumps(attrs.asdict(response), ensure_ascii=True, indent=1) + "\n"


def decode(text: str) -> AgentResponse:
    """The response that `encode` wrote; fields that are missing have their defaults.

    Raises ValueError for anything else.
    """
    content = json.loads(text)
    if not isinstance(content, Mapping) or not isinstance(content.get("text"), str):
        raise ValueError("no object with a `text`")  # noqa: TRY004  # a wrong value of a file
    known = {name: content[name] for name in _names(AgentResponse) if name in content}
    try:
        known["finish"] = Finish(known.get("finish", Finish.COMPLETE))
        known["usage"] = Usage(**_only(Usage, known.get("usage")))
        calls = enumerate(known.get("tool_calls") or ())
        known["tool_calls"] = tuple(_call(call, at) for at, call in calls)
        known["limits"] = tuple(
            ReportedLimit(**_only(ReportedLimit, limit)) for limit in known.get("limits", ())
        )
        known["logs"] = tuple(known.get("logs", ()))
        known["notes"] = tuple(known.get("notes", ()))
        if known.pop("files", None):
            raise ValueError(
                "an agent changed files itself for it, whose contents no recording holds"
            )
        # an empty list says as little as none: only diffs take the place of the words
        known["edits"] = tuple(known.get("edits") or ()) or None
        if not isinstance(known.get("raw", ""), str):
            raise TypeError("`raw` is no text")
        return AgentResponse(**known)
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error


def _call(content: Mapping[str, Any], position: int) -> ToolCall:
    """A call; one that was written by hand needs no id, and may have its arguments as an object."""
    arguments = content.get("arguments", {})
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    known = {"id": f"call{position}", **_only(ToolCall, content), "arguments": arguments}
    return ToolCall(**known)


def _answer(folder: Path, request: AgentRequest, prompt: Prompt, model: str) -> AgentResponse:
    whole = recording(folder, request)
    words = whole.with_suffix(".md")
    try:
        if os.path.lexists(whole):
            return decode(read_plain(whole, follow=True).decode())
        # bytes, for reading as text would change line ends
        text = read_plain(words, follow=True).decode()
    except FileNotFoundError:
        raise FatalError(
            f"replay: there is no answer {request.number} for task {request.task}: "
            f"{words} is missing",
            fix=f"write {words} or {whole.name} beside it, or check `replies`",
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        broken = whole if os.path.lexists(whole) else words
        raise FatalError(
            f"replay: {broken} cannot be read: {error}", fix="record or write it again"
        ) from error
    finish = Finish.COMPLETE if text.strip() else Finish.EMPTY
    usage = estimated_usage(prompt, text, model)
    detail = "" if text.strip() else f"{words} holds no text"
    return AgentResponse(text, finish, usage, model=model, detail=detail)


def _names(cls: type[attrs.AttrsInstance]) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(cls))


def _only(cls: type[attrs.AttrsInstance], value: object) -> dict[str, Any]:
    """The fields of `cls` in an object; later releases may have written more."""
    given = value if isinstance(value, Mapping) else {}
    return {name: given[name] for name in _names(cls) if name in given}
