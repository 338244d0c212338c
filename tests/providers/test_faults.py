"""Error texts of providers that come as an ordinary answer, and answers that only look alike."""

import pytest

from agent_runner.model.agent import AgentResponse, Finish, ToolCall
from agent_runner.model.errors import (
    AuthError,
    BudgetError,
    ProviderError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
)
from agent_runner.providers.faults import fault_of
from tests.providers.one_call import NOW, profile_for

PROFILE = profile_for("chat", "http://127.0.0.1:1")


def fault(text: str) -> ProviderError | None:
    return fault_of(AgentResponse(text), PROFILE, NOW)


@pytest.mark.parametrize(
    ("text", "kind", "wait"),
    [
        (
            'API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Busy"}}',
            TransientError,
            None,
        ),
        ('{"error": {"message": "try again in 20s", "code": 429}}', RateLimitedError, 20),
        ('{"error": "internal"}', TransientError, None),
        ("Error code: 503 - no capacity", TransientError, None),
        ("HTTP/1.1 502 Bad Gateway", TransientError, None),
        ("<html><head><title>504 Gateway Timeout</title></head></html>", TransientError, None),
        ("429 Too Many Requests", RateLimitedError, None),
        ("Service Unavailable", TransientError, None),
        ("API Error: Connection error.", TransientError, None),
        ("Request timed out.", TransientError, None),
        ("Rate limit reached for m-1. Please try again in 1m26.4s.", RateLimitedError, 86.4),
        ("You've hit your session limit \u00b7 resets 3pm", RateLimitedError, None),
        ("Claude AI usage limit reached|1795000000", RateLimitedError, None),
        ("You exceeded your current quota, please check your plan.", RateLimitedError, None),
        ("Your credit balance is too low to access the API.", BudgetError, None),
        ("API Error: 401 invalid x-api-key", AuthError, None),
    ],
)
def test_an_error_text_is_the_error_that_it_reports(
    text: str, kind: type[ProviderError], wait: float | None
) -> None:
    error = fault(text)
    assert type(error) is kind
    assert text[:12] in str(error) or "in place of an answer" in str(error)
    if wait is not None:
        assert isinstance(error, RateLimitedError)
        assert error.retry_after == pytest.approx(wait)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Could you show me the module and say which median you mean?",
        "The function already returns 404 for unknown users; nothing is left to do.",
        "I added a limit of 500 rows and an error for more.",
        'The body is {"error": "x"} when the user is unknown, as the test wants it.',
        "a.txt\n```\nAPI Error: 529 overloaded\n```\n",
        "```diff\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-429 Too Many Requests\n+x\n```",
        "Error handling is in place. " * 100,
    ],
)
def test_an_answer_is_left_alone(text: str) -> None:
    assert fault(text) is None


@pytest.mark.parametrize("finish", [Finish.CUT, Finish.FAILED])
def test_an_answer_without_its_end_may_have_been_billed(finish: Finish) -> None:
    error = fault_of(AgentResponse("so far", finish, detail="it broke off"), PROFILE, NOW)
    assert type(error) is UnknownOutcomeError
    assert "it broke off" in str(error)


@pytest.mark.parametrize("finish", [Finish.TRUNCATED, Finish.EMPTY, Finish.UNREADABLE])
def test_what_the_model_did_stays_a_reply(finish: Finish) -> None:
    assert fault_of(AgentResponse("API Error: 529", finish), PROFILE, NOW) is None


def test_an_agent_that_changed_files_has_worked() -> None:
    assert fault_of(AgentResponse("Service Unavailable", edits=("",)), PROFILE, NOW) is None


def test_words_beside_calls_are_no_error() -> None:
    calls = (ToolCall("1", "search", "{}"),)
    response = AgentResponse("Service Unavailable", tool_calls=calls)
    assert fault_of(response, PROFILE, NOW) is None
