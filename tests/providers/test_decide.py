"""The decision table, pure: what follows from an error, the settings and the failures before it."""

import pytest
from hypothesis import given, strategies as st

from agent_runner.model.errors import (
    AuthError,
    BudgetError,
    CallTooLargeError,
    FatalError,
    ProviderError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
)
from agent_runner.model.events import CALL_OUTCOMES
from agent_runner.model.settings import RetrySettings
from agent_runner.model.usage import ReportedLimit, Usage
from agent_runner.providers.decide import (
    PAID_TRIES,
    Consequence,
    Defer,
    Refuse,
    Stop,
    Wait,
    decide,
    outcome,
)

NOW = 1000.0
RETRY = RetrySettings(max_tries=4, first_wait=1.0, max_backoff=8.0, max_wait=300.0)
PASSING = (RateLimitedError("x"), TransientError("x"), UnknownOutcomeError("x"))


def decided(error: ProviderError, failures: int = 1, jitter: float = 0.0) -> Consequence:
    return decide(error, consecutive_failures=failures, retry=RETRY, now=NOW, jitter=jitter)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(AuthError("x"), "auth"), (BudgetError("x"), "budget"), (FatalError("x"), "fatal")],
)
def test_what_cannot_pass_stops_the_run(error: ProviderError, reason: str) -> None:
    assert decided(error) == Stop(reason, "x")  # type: ignore[arg-type]  # parametrised words


def test_a_call_that_never_fits_is_the_tasks_own() -> None:
    assert decided(CallTooLargeError("x", fix="ask for less")) == Refuse("x; ask for less")


@pytest.mark.parametrize("error", PASSING)
def test_without_a_word_of_the_server_waits_double_up_to_the_ceiling(error: ProviderError) -> None:
    retry = RetrySettings(max_tries=9, first_wait=1.0, max_backoff=8.0)
    waits = [
        decide(error, consecutive_failures=n, retry=retry, now=NOW, jitter=0.0) for n in range(1, 6)
    ]
    assert [w.until - NOW for w in waits if isinstance(w, Wait)] == [1, 2, 4, 8, 8]


@pytest.mark.parametrize("kind", [RateLimitedError, TransientError])
def test_the_servers_wait_is_kept_to(
    kind: type[RateLimitedError] | type[TransientError],
) -> None:
    assert decided(kind("x", retry_after=7.0)) == Wait(NOW + 7, "x")
    assert decided(kind("x", retry_after=0.7)) == Wait(NOW + 0.7, "x")
    assert decided(kind("x", retry_after=0.7), failures=3) == Wait(NOW + 4, "x")


@pytest.mark.parametrize("kind", [RateLimitedError, TransientError])
def test_a_wait_above_the_ceiling_is_deferred(
    kind: type[RateLimitedError] | type[TransientError],
) -> None:
    spent = ReportedLimit("tokens", NOW, limit=9, remaining=0, resets_at=NOW + 5)
    error = kind("x", retry_after=300.5, limits=(ReportedLimit("requests", NOW, 9, 3), spent))
    assert decided(error) == Defer(NOW + 300.5, "tokens", "x")
    assert isinstance(decided(kind("x", retry_after=300.0)), Wait)


def test_repeated_429s_end_with_instructions_and_a_time() -> None:
    assert isinstance(decided(RateLimitedError("x"), failures=3), Wait)
    last = decided(RateLimitedError("x"), failures=4)
    assert isinstance(last, Defer)
    assert last.not_before == NOW + RETRY.max_wait
    assert "max_requests_minute" in last.reason


def test_a_429_that_is_not_to_be_tried_again_is_deferred() -> None:
    assert decided(RateLimitedError("x", again=False)) == Defer(NOW + RETRY.max_wait, "", "x")
    known = RateLimitedError("x", again=False, retry_after=3.0)
    assert decided(known) == Defer(NOW + 3, "", "x")


def test_an_error_that_was_paid_for_is_not_tried_for_minutes() -> None:
    paid = TransientError("x", usage=Usage(100, 10))
    assert isinstance(decided(paid, failures=PAID_TRIES), Wait)
    paid.as_answer = True
    assert isinstance(decided(paid, failures=PAID_TRIES - 1), Wait)
    assert isinstance(decided(paid, failures=PAID_TRIES), Stop)


def test_the_default_waits_outlast_a_limit_per_minute() -> None:
    retry, total = RetrySettings(), 0.0
    for failures in range(1, retry.max_tries):
        wait = decide(
            TransientError("x"),
            consecutive_failures=failures,
            retry=retry,
            now=0.0,
            jitter=0.999,
        )
        assert isinstance(wait, Wait)
        total += wait.until
    assert total > 120


@pytest.mark.parametrize("error", [TransientError("x"), UnknownOutcomeError("x")])
def test_repeated_silence_is_an_outage(error: ProviderError) -> None:
    last = decided(error, failures=4)
    assert isinstance(last, Stop)
    assert last.reason == "outage"
    assert ("billed" in last.text) is isinstance(error, UnknownOutcomeError)


def test_the_word_for_the_journal() -> None:
    errors = (*PASSING, AuthError("x"), BudgetError("x"), FatalError("x"), CallTooLargeError("x"))
    words = [outcome(error) for error in errors]
    assert words == ["throttled", "failed", "lost", "refused", "refused", "refused", "refused"]
    assert set(words) <= set(CALL_OUTCOMES)


@given(
    asked=st.none() | st.floats(0.001, 1e7),
    failures=st.integers(1, 10_000),
    jitter=st.floats(0, 1, exclude_max=True),
    kind=st.sampled_from([RateLimitedError, TransientError]),
)
def test_no_wait_is_shorter_than_asked_or_longer_than_may_be_sat_out(
    asked: float | None,
    failures: int,
    jitter: float,
    kind: type[RateLimitedError] | type[TransientError],
) -> None:
    made = decided(kind("x", retry_after=asked), failures, jitter)
    if isinstance(made, Wait):
        assert failures < RETRY.max_tries
        assert made.until - NOW >= (asked or RETRY.first_wait * 0.75) - 1e-6
        assert made.until - NOW <= RETRY.max_wait
    elif isinstance(made, Defer):
        assert made.not_before - NOW >= (asked or 0.0) - 1e-6
