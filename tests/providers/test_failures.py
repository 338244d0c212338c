"""Every row of the decision table, over the wire: what a status and a body are taken for."""

from collections.abc import Mapping
from typing import Any

import pytest

from agent_runner.model.agent import Finish
from agent_runner.model.errors import (
    AuthError,
    BudgetError,
    CallTooLargeError,
    FatalError,
    ProviderError,
    RateLimitedError,
    TransientError,
)
from agent_runner.model.settings import RetrySettings
from agent_runner.model.usage import ReportedLimit
from agent_runner.providers.decide import Defer, Refuse, Stop, Wait, decide, outcome
from tests.providers import dialects
from tests.providers.one_call import KEY, NOW, ask, profile_for
from tests.providers.server import answer, serving

RETRY = RetrySettings()


def failing(
    protocol: str, status: int, body: Any, headers: Mapping[str, str] | None = None
) -> ProviderError:
    with serving(answer(body, status=status, headers=headers)) as server:
        error = ask(profile_for(protocol, server.url)).failure
    assert len(server.requests) == 1, "the client itself must not try again"
    return error


def m_error(kind: str, message: str = "words", code: str | None = None) -> dict[str, Any]:
    details = {"error_code": code} if code else None
    error = {"type": kind, "message": message, "details": details}
    return {"type": "error", "error": error, "request_id": "req_body"}


def o_error(
    kind: str, code: object = None, message: str = "words", param: str | None = None
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


QUOTA = "insufficient_quota"
TABLE: list[tuple[str, int, Any, type[ProviderError], type]] = [
    ("anthropic", 400, m_error("invalid_request_error"), FatalError, Stop),
    (
        "anthropic",
        400,
        m_error("invalid_request_error", "Your credit balance is too low to use this API"),
        BudgetError,
        Stop,
    ),
    (
        "anthropic",
        400,
        m_error("invalid_request_error", "You have reached your specified API usage limits."),
        BudgetError,
        Stop,
    ),
    (
        "anthropic",
        400,
        m_error("invalid_request_error", "reached your specified workspace API usage limits"),
        BudgetError,
        Stop,
    ),
    (
        "anthropic",
        400,
        m_error("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
        CallTooLargeError,
        Refuse,
    ),
    (
        "anthropic",
        400,
        m_error("invalid_request_error", code="organization_on_hold"),
        AuthError,
        Stop,
    ),
    ("anthropic", 401, m_error("authentication_error"), AuthError, Stop),
    ("anthropic", 402, m_error("billing_error"), BudgetError, Stop),
    ("anthropic", 403, m_error("permission_error"), AuthError, Stop),
    ("anthropic", 404, m_error("not_found_error"), FatalError, Stop),
    ("anthropic", 408, m_error("timeout"), TransientError, Wait),
    ("anthropic", 409, m_error("conflict_error"), TransientError, Wait),
    ("anthropic", 413, b"<html><title>Too large</title>", CallTooLargeError, Refuse),
    ("anthropic", 422, m_error("invalid_request_error"), FatalError, Stop),
    ("anthropic", 429, m_error("rate_limit_error"), RateLimitedError, Wait),
    (
        "anthropic",
        429,
        m_error("rate_limit_error", code="ramp_limit_exceeded"),
        RateLimitedError,
        Wait,
    ),
    (
        "anthropic",
        429,
        m_error("rate_limit_error", code="enforced_spend_limit_reached"),
        BudgetError,
        Stop,
    ),
    (
        "anthropic",
        429,
        m_error("rate_limit_error", code="contract_spend_limit_reached"),
        BudgetError,
        Stop,
    ),
    ("anthropic", 500, m_error("api_error"), TransientError, Wait),
    ("anthropic", 503, m_error("api_error", code="cmek_x"), TransientError, Wait),
    ("anthropic", 504, m_error("timeout_error"), TransientError, Wait),
    ("anthropic", 529, m_error("overloaded_error"), TransientError, Wait),
    ("responses", 400, o_error("invalid_request_error", "unsupported_value"), FatalError, Stop),
    (
        "responses",
        400,
        o_error("invalid_request_error", "context_length_exceeded"),
        CallTooLargeError,
        Refuse,
    ),
    ("responses", 400, o_error(QUOTA, "billing_hard_limit_reached"), BudgetError, Stop),
    ("responses", 401, o_error("invalid_request_error", "invalid_api_key"), AuthError, Stop),
    ("responses", 403, o_error("invalid_request_error"), AuthError, Stop),
    ("responses", 404, o_error("invalid_request_error", "model_not_found"), FatalError, Stop),
    ("responses", 429, o_error("tokens", "rate_limit_exceeded"), RateLimitedError, Wait),
    ("responses", 429, o_error("rate_limit_error", "slow_down"), RateLimitedError, Wait),
    (
        "responses",
        429,
        o_error("tokens", "rate_limit_exceeded", "Request too large for gpt-x in organization o"),
        CallTooLargeError,
        Refuse,
    ),
    ("responses", 429, o_error(QUOTA), BudgetError, Stop),
    ("responses", 429, o_error(QUOTA, "credit_balance_exhausted"), BudgetError, Stop),
    ("responses", 429, o_error(QUOTA, "organization_spend_limit_exceeded"), BudgetError, Stop),
    ("responses", 429, o_error(QUOTA, "project_spend_limit_exceeded"), BudgetError, Stop),
    ("responses", 429, o_error(QUOTA, "organization_usage_limit_exceeded"), BudgetError, Stop),
    ("responses", 429, o_error("x", "insufficient_quota"), BudgetError, Stop),
    ("responses", 503, o_error("service_unavailable_error"), TransientError, Wait),
    ("chat", 500, b"", TransientError, Wait),
    ("chat", 502, b"<html><head><title>502 Bad Gateway</title>", TransientError, Wait),
    ("chat", 402, o_error("", 402, "Insufficient credits"), BudgetError, Stop),
    ("chat", 404, {"error": 'model "x" not found, try pulling it first'}, FatalError, Stop),
    ("chat", 400, {"object": "error", "message": "m", "type": "E", "code": 400}, FatalError, Stop),
    ("chat", 422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, FatalError, Stop),
    ("chat", 404, {"detail": "Not Found"}, FatalError, Stop),
    ("chat", 429, o_error("throttling_error", "429"), RateLimitedError, Wait),
    (
        "chat",
        400,
        {"error": {"code": 400, "message": "too big", "type": "exceed_context_size_error"}},
        CallTooLargeError,
        Refuse,
    ),
    (
        "chat",
        400,
        {"message": "This model's maximum context length is 4096 tokens", "code": 400},
        CallTooLargeError,
        Refuse,
    ),
    ("chat", 418, b"teapot", FatalError, Stop),
]


@pytest.mark.parametrize(
    ("protocol", "status", "body", "kind", "decision"),
    TABLE,
    ids=[f"{row[0]}-{row[1]}-{row[3].__name__}-{at}" for at, row in enumerate(TABLE)],
)
def test_the_table(
    protocol: str, status: int, body: Any, kind: type[ProviderError], decision: type
) -> None:
    error = failing(protocol, status, body)
    assert type(error) is kind
    assert error.status == status
    assert str(status) in str(error)
    assert error.fix
    decided = decide(error, consecutive_failures=1, retry=RETRY, now=NOW, jitter=0.0)
    assert isinstance(decided, decision)
    assert outcome(error) != "lost"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (o_error("t", "c", "the message"), "the message"),
        ({"error": "a bare string"}, "a bare string"),
        ({"object": "error", "message": "flat"}, "flat"),
        ({"detail": "fast"}, "fast"),
        ({"detail": [{"msg": "one"}, {"msg": "two"}]}, "one; two"),
        ([{"error": {"message": "in a list"}}], "in a list"),
        (b"plain\x00 text\nof two lines", "plain text of two lines"),
        (b"<html><title>Gateway</title><p>x", "a web page: Gateway"),
        (b"\xff\xfe\xfd", "answered 418"),
        (b"", "answered 418"),
        (b"[" * 50_000, "answered 418"),
    ],
)
def test_the_servers_words_are_found_in_every_shape(body: Any, words: str) -> None:
    error = failing("chat", 418, body)
    assert words in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < 1000


@pytest.mark.parametrize(
    ("headers", "message", "wait"),
    [
        ({"retry-after": "7"}, "", 7.0),
        ({"retry-after": "1.5"}, "", 1.5),
        ({"retry-after-ms": "700", "retry-after": "9"}, "", 0.7),
        ({"retry-after": "Wed, 18 Nov 2026 11:07:10 GMT"}, "", 30.0),
        ({"llm_provider-retry-after": "4"}, "", 4.0),
        (
            {
                "x-ratelimit-limit-tokens": "9",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "1m2s",
            },
            "",
            62.0,
        ),
        ({}, "Please try again in 9.816s.", 9.816),
        ({}, "Please try again in 480ms.", 0.48),
        ({}, "Please try again in 2m.", 120.0),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "-1"}, "", None),
        ({}, "", None),
    ],
)
def test_the_wait_is_read_in_every_form(
    headers: dict[str, str], message: str, wait: float | None
) -> None:
    error = failing("responses", 429, o_error("tokens", "rate_limit_exceeded", message), headers)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == (pytest.approx(wait) if wait else None)


def test_a_subscriptions_window_is_deferred_to_its_reset() -> None:
    headers = {
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-representative-claim": "five_hour",
        "anthropic-ratelimit-unified-reset": str(int(NOW) + 7200),
        "anthropic-ratelimit-unified-5h-utilization": "1.04",
        "anthropic-ratelimit-unified-5h-status": "rejected",
        "anthropic-ratelimit-unified-5h-reset": str(int(NOW) + 7200),
        "anthropic-ratelimit-unified-7d-utilization": "0.3",
        "anthropic-ratelimit-unified-7d-status": "allowed",
        "anthropic-ratelimit-unified-7d-reset": "2026-11-24T10:00:00Z",
        "anthropic-ratelimit-unified-overage-status": "rejected",
    }
    error = failing("anthropic", 429, m_error("rate_limit_error"), headers)
    decided = decide(error, consecutive_failures=1, retry=RETRY, now=NOW, jitter=0.5)
    assert isinstance(decided, Defer)
    assert (decided.not_before, decided.window) == (NOW + 7200, "5h")
    assert ReportedLimit("5h", NOW, used=1.04, resets_at=NOW + 7200, status="rejected") in (
        error.limits
    )


def test_the_request_id_is_told() -> None:
    headers = {"request-id": "req_header"}
    error = failing("anthropic", 500, m_error("api_error"), headers)
    assert error.request_id == "req_header"
    assert "req_header" in str(error)
    assert failing("anthropic", 500, m_error("api_error")).request_id == "req_body"


def test_an_unknown_model_is_told_with_what_to_check() -> None:
    error = failing("chat", 404, o_error("invalid_request_error", "model_not_found"))
    assert '"some-model"' in error.fix


def test_a_refused_key_names_where_it_came_from_and_not_itself() -> None:
    body = o_error("x", "invalid_api_key", f"Incorrect API key provided: {KEY}")
    error = failing("responses", 401, body)
    assert "TEST_KEY" in error.fix
    assert KEY not in str(error)
    assert "[redacted]" in str(error)


@pytest.mark.parametrize(
    ("status", "verdict", "kind"),
    [
        (400, "true", TransientError),
        (404, " TRUE ", TransientError),
        (500, "false", FatalError),
        (500, "true", TransientError),
        (500, "maybe", TransientError),
        (401, "false", AuthError),
        (429, "true", RateLimitedError),
        (429, "false", RateLimitedError),
    ],
)
def test_the_servers_own_word_on_trying_again_counts(
    status: int, verdict: str, kind: type[ProviderError]
) -> None:
    error = failing("chat", status, b"", {"x-should-retry": verdict})
    assert type(error) is kind
    if isinstance(error, RateLimitedError):
        assert error.again is (verdict == "true")


def test_a_wait_that_is_asked_for_goes_before_a_later_reset() -> None:
    headers = {
        "retry-after": "2",
        "x-ratelimit-limit-tokens": "150000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "6m0s",
    }
    error = failing("chat", 429, b"", headers)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 2
    (limit,) = error.limits
    assert limit.resets_at == NOW + 2
    del headers["retry-after"]
    error = failing("chat", 429, b"", headers)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 360


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, o_error("invalid_request_error", "content_filter", "filtered")),
        (400, o_error("invalid_request_error", "invalid_prompt", "filtered")),
        (403, {"error": {"code": 403, "message": "filtered", "metadata": {"reasons": ["x"]}}}),
    ],
)
def test_a_filtered_prompt_is_a_refusal_of_the_task(status: int, body: Any) -> None:
    with serving(answer(body, status=status)) as server:
        reply = ask(profile_for("chat", server.url)).answer
    assert reply.finish is Finish.REFUSED
    assert "filtered" in reply.detail


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 429, "message": "slow down"}, RateLimitedError),
        ({"code": "402", "message": "no credit"}, BudgetError),
        ({"code": "rate_limit_exceeded", "message": "m"}, RateLimitedError),
        ({"code": "server_error", "message": "m"}, TransientError),
        ({"type": "overloaded_error", "message": "m"}, TransientError),
        ({"code": "context_length_exceeded", "message": "m"}, CallTooLargeError),
    ],
)
def test_an_error_inside_a_200_before_any_answer_is_what_it_says(
    error: dict[str, Any], kind: type[ProviderError], streaming: bool
) -> None:
    script = answer({"error": error})
    if streaming:
        script = answer(
            dialects.data_only({"error": error}) + dialects.DONE,
            headers={"content-type": "text/event-stream"},
        )
    with serving(script) as server:
        assert type(ask(profile_for("chat", server.url, stream=streaming)).failure) is kind


@pytest.mark.parametrize("protocol", ["anthropic", "responses", "chat"])
@pytest.mark.parametrize(
    "body",
    [
        {"type": "error", "error": {"message": "boom"}},
        {"error": "boom"},
        {"message": "boom"},
        {"detail": "boom"},
        b"boom",
    ],
)
def test_an_error_inside_a_200_without_a_code_passes(protocol: str, body: Any) -> None:
    headers = {"content-type": "application/json"} if isinstance(body, bytes) else {}
    with serving(answer(body, headers=headers)) as server:
        error = ask(profile_for(protocol, server.url, stream=False)).failure
    assert type(error) is TransientError
    assert "boom" in str(error)


@pytest.mark.parametrize("protocol", ["anthropic", "responses", "chat"])
def test_an_error_inside_a_200_that_blames_the_request_does_not(protocol: str) -> None:
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}
    with serving(answer(body)) as server:
        assert type(ask(profile_for(protocol, server.url, stream=False)).failure) is FatalError


def test_a_failed_response_that_was_thought_about_is_a_failed_reply() -> None:
    failed = dialects.response_object(
        [], "failed", error={"code": "server_error", "message": "boom"}
    )
    with serving(answer(failed)) as server:
        reply = ask(profile_for("responses", server.url, stream=False)).answer
    assert reply.finish is Finish.FAILED
    assert reply.usage.output == dialects.USAGE_OUTPUT


CHAT_OK = answer(dialects.CHAT.whole(("fine",), "stop"))


@pytest.mark.parametrize(
    ("params", "refusal", "before", "after"),
    [
        (
            {},
            o_error("invalid_request_error", "unsupported_parameter", "m", "max_tokens"),
            "max_tokens",
            "max_completion_tokens",
        ),
        (
            {},
            o_error(
                "invalid_request_error",
                None,
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
            ),
            "max_tokens",
            "max_completion_tokens",
        ),
        (
            {"temperature": 0},
            o_error("invalid_request_error", "unsupported_value", "m", "temperature"),
            "temperature",
            None,
        ),
        (
            {},
            {"detail": "extra inputs are not permitted: stream_options"},
            "stream_options",
            None,
        ),
    ],
)
def test_a_field_that_the_server_does_not_take_is_changed_once(
    params: dict[str, Any], refusal: Any, before: str, after: str | None
) -> None:
    with serving(answer(refusal, status=400), CHAT_OK) as server:
        reply = ask(profile_for("chat", server.url, params=params)).answer
    first, second = (request.body for request in server.requests)
    assert before in first
    assert before not in second
    assert after is None or second[after] == first[before]
    assert any(before in line for line in reply.logs)


def test_a_field_is_changed_only_once() -> None:
    refusal = o_error("invalid_request_error", "unsupported_parameter", "m", "max_tokens")
    other = o_error("invalid_request_error", "unsupported_parameter", "m", "max_completion_tokens")
    with serving(answer(refusal, status=400), answer(other, status=400)) as server:
        assert isinstance(ask(profile_for("chat", server.url)).failure, FatalError)
    assert len(server.requests) == 2


def test_a_value_out_of_range_changes_no_field() -> None:
    refusal = o_error("invalid_request_error", "integer_above_max_value", "too big", "max_tokens")
    with serving(answer(refusal, status=400)) as server:
        assert isinstance(ask(profile_for("chat", server.url)).failure, FatalError)
    assert len(server.requests) == 1


def test_sampling_fields_that_the_newest_version_turns_away_are_left_out() -> None:
    """Anthropic's version of October 2026 answers 400 to a temperature, whatever its value."""
    refusal = m_error("invalid_request_error", "temperature: this field is not supported")
    ok = answer(dialects.ANTHROPIC.whole(("fine",), "end_turn"))
    with serving(answer(refusal, status=400), ok) as server:
        profile = profile_for("anthropic", server.url, params={"temperature": 0.5})
        assert ask(profile).answer.text == "fine"
    assert server.requests[0].headers["anthropic-version"] == "2026-10-21"
    assert "temperature" not in server.requests[1].body
