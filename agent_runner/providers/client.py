"""The one interface behind which every provider stands, whatever it is made of.

How a call ends is the same for all of them:

- an answer came: an `AgentResponse`. Only `Finish.COMPLETE` is a full answer; a truncated, refused,
  empty, cut, failed or unreadable one is returned too, with its partial text and what it used.
- no answer came: an error of `model.errors`, with `status`, `request_id`, `limits` and a `fix`.

| error | meaning |
|---|---|
| RateLimitedError | asked to wait (`retry_after` seconds, if it said so); not billed |
| TransientError | overloaded, unreachable; not billed; may work soon |
| UnknownOutcomeError | lost after it was sent: possibly billed |
| AuthError | the key is missing, wrong or not allowed |
| BudgetError | credit, quota or spend cap used up |
| CallTooLargeError | the prompt can never fit |
| ToolsDeclinedError | the endpoint takes no tools; not billed; works without them |
| FatalError | the request can never work |
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import attrs
from attrs import field, frozen

from agent_runner.ground.clock import Clock
from agent_runner.ground.redaction import Redactor
from agent_runner.model.agent import AgentRequest, AgentResponse, Prompt
from agent_runner.model.errors import ProviderError
from agent_runner.model.usage import Usage
from agent_runner.providers.profiles import Profile


@frozen
class Outfit:
    """What of a repository an agent's command must not see, and what it leaves there for itself.

    Attributes:
        taken_out: Names of files and folders that are not in its copy, at any depth.
        leavings: Globs of files that are no part of its change.
        homes: Its own files and folders in the user's home, which it has to write in.
        sandbox: `auto`: it is kept in its copy by whatever confines here; `off`: it is not; "":
            only by what can let the copy stand at the original's place.
        tells_cost: It says itself how many dollars a call was.
    """

    taken_out: tuple[str, ...] = ()
    leavings: tuple[str, ...] = ()
    homes: tuple[Path, ...] = ()
    sandbox: str = ""
    tells_cost: bool = False


@frozen
class Capabilities:
    """What a provider's agent can do by itself, as data: nobody asks for a client's class.

    Attributes:
        looks: It sees files without being shown them; its prompt does not offer to show any.
        edits: It changes files by other means than the words of its reply; its prompt does not
            explain how edits are written.
        in_place: It works on the files themselves, in a copy that it makes of `CallContext.root`,
            and hands in what it changed as `AgentResponse.edits`; its words are never read as
            edits.
        in_copy: It works so in a copy that the runner makes (`Workplace.folder`), and hands in
            nothing: what differs there afterwards is its change. `outfit`: what that copy is like.
        continues: It follows a conversation of several turns (`Prompt.messages`); to one that does
            not, every prompt says all there is to say, in one message.
        tools: It takes `Prompt.tools`, answers with `AgentResponse.tool_calls` and reads
            `Message.answers`. They are offered where `Profile.offers_tools` agrees; an endpoint may
            still turn them away (`ToolsDeclinedError`).
        custom_tools: It takes tools whose argument is free text (`ToolSpec.grammar`).
    """

    looks: bool = False
    edits: bool = False
    in_place: bool = False
    in_copy: bool = False
    outfit: Outfit = field(factory=Outfit)
    continues: bool = True
    tools: bool = False
    custom_tools: bool = False


WORDS = Capabilities()
"""An agent that answers in words alone: it is shown files, and writes its edits into its reply."""

IN_PLACE = Capabilities(looks=True, edits=True, in_place=True, continues=False)
"""An agent that looks at files and changes them itself, and begins anew with every call."""


IN_COPY = Capabilities(looks=True, edits=True, in_place=True, in_copy=True, continues=False)
"""The same, in a copy that the runner makes for it and looks at afterwards."""


def capabilities_of(profile: Profile) -> Capabilities:
    """An agent that answers in words, and by calls of the tools that its profile lets be offered.

    A recorded answer may hold calls although no tool was offered: what is complete is answered.
    """
    return attrs.evolve(WORDS, tools=profile.offers_tools, custom_tools=profile.custom_tools)


def _ignore_count(_tokens: int) -> None:
    """Nobody watches."""


def _ignore_bytes(_raw: bytes) -> None:
    """Nobody keeps the raw answer."""


def _ignore_id(_response_id: str) -> None:
    """Nobody asks for the answer later."""


def _ignore_words(_words: str) -> None:
    """Nobody watches."""


async def _unchanged() -> tuple[str, ...]:
    """Nothing is looked at."""
    return ()


@frozen
class Start:
    """How a program is started: its words, where, with which variables.

    `beside`: a private folder that it may write in, too.
    """

    words: tuple[str, ...]
    folder: Path
    env: Mapping[str, str]
    beside: Path


def _unconfined(start: Start) -> Start:
    """It runs as any other program."""
    return start


def _unpriced(_usage: Usage) -> float | None:
    """Nobody knows what it costs."""
    return None


@frozen
class Workplace:
    """Where an agent works that changes files itself, and what it may do there.

    Attributes:
        folder: The copy of the task's root, absolute, in the same place for all calls of a task.
            None where there is none, and it is asked for words alone.
        changed: Looks which files differ there now: their paths, relative to it.
        session: The agent's own name for the conversation that it should go on with; "" for none.
        commands: What it may run beside reading and editing.
        most_tokens: What it may use before it is stopped; None: as much as it likes.
        most_dollars: What it may cost before it is stopped; None: likewise.
        dollars: What so many tokens cost, where it does not say so itself; None: nobody knows.
        kept: What a call printed that ended unseen, with the runner: nothing is asked, only this is
            read again. None: ask.
        confine: Makes of a program's start one by which it can write nowhere but there, beside it,
            and in its own files.
    """

    folder: Path | None = None
    changed: Callable[[], Awaitable[tuple[str, ...]]] = _unchanged
    session: str = ""
    commands: tuple[str, ...] = ()
    most_tokens: int | None = None
    most_dollars: float | None = None
    dollars: Callable[[Usage], float | None] = _unpriced
    kept: bytes | None = None
    confine: Callable[[Start], Start] = _unconfined


@frozen
class CallContext:
    """One call: what was asked for, and whom to tell about it while it is under way.

    The callbacks never raise, but for a disk that refuses (`StorageError`, not to be caught).

    Attributes:
        request: The call as it is journaled.
        progress: Told about how many tokens of the answer came so far; 0 when the call is sent.
        keep: Given the raw bytes of an answer (not of an error) as they come, known keys taken out.
        created: Told the id by which the provider hands out this answer later, as soon as it is
            known.
        resume_id: Fetch the answer of this id instead of asking again.
        root: The task's folder, absolute, for clients that work in place; nothing in it may be
            changed. None for all others, and where there is no task (`agent-runner providers
            check`).
        activity: Told in a few words what an agent does that works by itself.
        note: Told a line that a person should read.
        workplace: Where such an agent works.
    """

    request: AgentRequest
    progress: Callable[[int], None] = _ignore_count
    keep: Callable[[bytes], None] = _ignore_bytes
    created: Callable[[str], None] = _ignore_id
    resume_id: str | None = None
    root: Path | None = None
    activity: Callable[[str], None] = _ignore_words
    note: Callable[[str], None] = _ignore_words
    workplace: Workplace = field(factory=Workplace)


class AgentClient(Protocol):
    """Asks one provider. One client serves a whole run; calls come one after the other."""

    @property
    def capabilities(self) -> Capabilities:
        """What its agent can do by itself; the same for as long as the client lives."""

    async def generate_completion(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        """Ask once and wait for the answer; cancellable at any moment. Raises ProviderError."""

    async def aclose(self) -> None:
        """Close connections; a second time does nothing."""


class ClientFactory(Protocol):
    """Makes the client of a protocol; what an entry point of `agent_runner.providers` names."""

    def __call__(self, profile: Profile, clock: Clock) -> AgentClient:
        """A client for `profile`. Must not touch the network or read the key yet."""


def instructions_of(prompt: Prompt) -> str:
    """A prompt as one text, for agents that take no conversation: what stands, then what is asked.

    Without `Capabilities.continues` a prompt has one message, so that nothing is left out.
    """
    return f"{prompt.system}\n\n{prompt.messages[-1].text}".strip()


def clean_response(response: AgentResponse, redactor: Redactor) -> AgentResponse:
    """The answer without known keys; everything else as it came.

    Clients take their own key out; a plug-in may not, and a gateway may say back another one's.
    So this stands between every client and the disk or the screen. What would be sent back
    unchanged is given up where it holds one.
    """
    cleaned: AgentResponse = _clean(response, redactor)
    if cleaned.raw != response.raw:
        cleaned = attrs.evolve(cleaned, raw="", raw_lost=True)
    asked = (response.text, response.edits, response.tool_calls)
    as_it_came = (cleaned.text, cleaned.edits, cleaned.tool_calls) == asked
    return cleaned if as_it_came else attrs.evolve(cleaned, redacted=True)


def clean_error(error: ProviderError, redactor: Redactor) -> ProviderError:
    """The same error without known keys in its words."""
    error.args = tuple(_clean(one, redactor) for one in error.args)
    error.fix = redactor.exact(error.fix)
    error.request_id = _clean(error.request_id, redactor)
    return error


def _clean(value: Any, redactor: Redactor) -> Any:
    """`value` without known keys, whatever it is made of."""
    if type(value) is str:  # not isinstance: the words of an enumeration stay members of it
        return redactor.exact(value)
    if isinstance(value, dict):
        return {_clean(name, redactor): _clean(inner, redactor) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_clean(inner, redactor) for inner in value)
    if attrs.has(type(value)):
        inner = attrs.asdict(value, recurse=False)
        return attrs.evolve(value, **{name: _clean(one, redactor) for name, one in inner.items()})
    return value
