"""What every provider's client is: the interface that the agent step calls, and what it is given.

How a call ends, the same for every provider:

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
| FatalError | the request can never work |
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from attrs import frozen

from agent_runner.ground.clock import Clock
from agent_runner.model.agent import AgentRequest, AgentResponse, Prompt
from agent_runner.providers.profiles import Profile


def _ignore_count(_tokens: int) -> None:
    """Nobody watches."""


def _ignore_bytes(_raw: bytes) -> None:
    """Nobody keeps."""


def _ignore_id(_response_id: str) -> None:
    """Nobody asks later."""


@frozen
class CallContext:
    """One call and the ears it talks to; these must not raise but for a disk that refuses.

    progress: about how many tokens of the answer came so far, 0 when the call is sent.
    keep: the raw bytes of an answer (not of an error) as they come, known keys taken out.
    created: the id by which a background answer can be fetched later.
    resume_id: fetch this background answer instead of asking again.
    """

    request: AgentRequest
    progress: Callable[[int], None] = _ignore_count
    keep: Callable[[bytes], None] = _ignore_bytes
    created: Callable[[str], None] = _ignore_id
    resume_id: str | None = None


class AgentClient(Protocol):
    """Asks one provider. One client serves a whole run; calls come one after the other."""

    async def generate_completion(self, prompt: Prompt, context: CallContext) -> AgentResponse:
        """Ask once and wait for the answer; cancellable at any moment. Raises ProviderError."""

    async def aclose(self) -> None:
        """Close connections; a second time does nothing."""


@runtime_checkable
class ChangingClient(AgentClient, Protocol):
    """A client whose agent changes files itself, in a scratch copy that it makes.

    The runner calls this in place of `generate_completion` and writes what comes back itself.
    """

    async def apply_code_changes(self, repo_path: Path, instructions: str) -> AgentResponse:
        """Let the agent work on a copy of `repo_path`; `AgentResponse.edits` are unified diffs.

        The diffs are against the files under `repo_path` as they are, of which nothing may be
        changed. `instructions` are all that there is to say, every time. Raises ProviderError.
        """


class ClientFactory(Protocol):
    """What an entry point of the group `agent_runner.providers` names."""

    def __call__(self, profile: Profile, clock: Clock) -> AgentClient:
        """A client for `profile`. Must not touch the network or read the key yet."""
