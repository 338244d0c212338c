"""An independent server judges the client: asked the way a run asks, its verdict must be clean."""

from collections.abc import Iterator
from typing import Any

import pytest

from agent_runner.ground.clock import SystemClock
from agent_runner.model.agent import AgentResponse, Finish
from agent_runner.model.errors import ProviderError
from agent_runner.model.settings import RetrySettings
from agent_runner.providers.client import AgentClient
from agent_runner.providers.decide import Consequence, Wait, decide
from agent_runner.providers.probe import probe
from agent_runner.providers.profiles import Profile
from agent_runner.providers.registry import make_client
from tests.providers.one_call import ask_with, profile_for, run
from tests.support.mock_server import findings, mock_server, requests, scenario

BASES = {"anthropic": "/anthropic", "responses": "/v1", "chat": "/v1"}
RETRY = RetrySettings(max_tries=5, first_wait=0.06, max_backoff=1.0, max_wait=5.0)

pytestmark = pytest.mark.slow

each = pytest.mark.parametrize("protocol", list(BASES))
streamed = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    """The server's address."""
    # a stream that is sent at once would be over before the server could see us leave it
    with mock_server("--stream-chunk-delay-ms", "15") as address:
        yield address


def profile_at(mock: str, protocol: str, **own: Any) -> Profile:
    return profile_for(protocol, mock + BASES[protocol], **own)


async def answered(client: AgentClient) -> AgentResponse | Consequence:
    """Ask as a run does: wait where that is decided, and ask again after an unusable reply."""
    clock = SystemClock()
    for failures in range(1, RETRY.max_tries + 1):
        asked = await ask_with(client)
        if asked.reply is not None and asked.reply.finish is Finish.COMPLETE:
            return asked.reply
        error = asked.error or ProviderError("an unusable reply")
        # the server must have seen us leave before we come back, else it counts two calls
        decision: Consequence = Wait(clock.now() + 0.3 * failures, "unusable")
        if asked.reply is None:
            decision = decide(
                error, consecutive_failures=failures, retry=RETRY, now=clock.now(), jitter=0.0
            )
        if not isinstance(decision, Wait):
            return decision
        await clock.sleep(max(0.0, decision.until - clock.now()))
    raise AssertionError("more tries than are allowed")


def ask_mock(profile: Profile) -> AgentResponse | Consequence:
    async def once() -> AgentResponse | Consequence:
        client = make_client(profile, SystemClock())
        try:
            return await answered(client)
        finally:
            await client.aclose()

    return run(once)


@each
@streamed
def test_a_plain_answer(mock: str, protocol: str, streaming: bool) -> None:
    scenario(mock, {"type": "reply", "text": "grün 🌱"})
    reply = ask_mock(profile_at(mock, protocol, stream=streaming))
    assert isinstance(reply, AgentResponse)
    assert reply.text == "grün 🌱"
    assert reply.usage.input > 0
    assert not reply.usage.estimated
    assert findings(mock) == []


@each
@pytest.mark.parametrize("status", [429, 500, 503, 529])
def test_passing_failures_are_waited_out(mock: str, protocol: str, status: int) -> None:
    scenario(mock, {"type": "fail", "status": status, "times": 2, "retry_after": 0.2})
    assert isinstance(ask_mock(profile_at(mock, protocol)), AgentResponse)
    assert findings(mock) == []


@each
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_permanent_failures_are_not_tried_again(mock: str, protocol: str, status: int) -> None:
    scenario(mock, {"type": "fail", "status": status, "times": 1})
    assert not isinstance(ask_mock(profile_at(mock, protocol)), AgentResponse)
    assert findings(mock) == []


@each
@pytest.mark.parametrize("kind", ["truncate", "disconnect", "malformed", "stall"])
def test_broken_streams_are_no_answers(mock: str, protocol: str, kind: str) -> None:
    fault = {"type": "stream_fault", "kind": kind, "after_chunks": 2, "stall_seconds": 2.0}
    scenario(mock, {"type": "reply", "text": " ".join(["word"] * 20)}, {**fault, "times": 1})
    reply = ask_mock(profile_at(mock, protocol, timeout=0.5))
    assert isinstance(reply, AgentResponse)
    assert findings(mock) == []
    assert len(requests(mock)) == 2, "the fault was not met"


@each
def test_a_check_is_clean(mock: str, protocol: str) -> None:
    scenario(mock)
    profile = profile_at(mock, protocol)
    assert run(lambda: probe(profile, SystemClock())).ok
    assert findings(mock) == []
