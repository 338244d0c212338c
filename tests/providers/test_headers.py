"""Headers of waits and limits, in every form that was seen."""

import pytest
from hypothesis import given, strategies as st

from agent_runner.model.usage import ReportedLimit
from agent_runner.providers.http.headers import (
    duration,
    limits_of,
    moment,
    request_id,
    retry_after,
    wait_in_words,
    wait_until_reset,
)

NOW = 1_795_000_000.0  # 2026-11-18T11:06:40Z


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("20ms", 0.02),
        ("1h2m3s", 3723.0),
        ("1.41s", 1.41),
        ("7µs", 7e-6),
        ("7us", 7e-6),
        ("90", None),
        ("", None),
        ("1x", None),
        ("-1s", None),
    ],
)
def test_go_durations(text: str, seconds: float | None) -> None:
    assert duration(text) == (pytest.approx(seconds) if seconds is not None else None)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-18T11:07:40Z", NOW + 60),
        ("2026-11-18T12:07:40+01:00", NOW + 60),
        (str(int(NOW) + 60), NOW + 60),
        (str(int(NOW * 1000) + 60_000), NOW + 60),
        ("60", NOW + 60),
        ("1m0s", NOW + 60),
        ("-1", None),
        ("0", None),
        ("nan", None),
        ("2026-11-18T11:07:40", NOW + 60),
        ("2020-01-01T00:00:00Z", None),
        ("9" * 30, None),
        ("soon", None),
        (None, None),
    ],
)
def test_resets(text: str | None, at: float | None) -> None:
    assert moment(text, NOW) == (pytest.approx(at) if at is not None else None)


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("Wed, 18 Nov 2026 11:07:40 GMT", 60),
        ("Wed, 18 Nov 2026 12:07:40 +0100", 60),
        ("Wed, 18 Nov 2026 11:07:40", 60),
        ("Wed, 18 Nov 2026 11:07:40 -0000", 60),
        ("2026-11-18T11:07:40", 60),
        (" 60 ", 60),
        ("1m0s", 60),
        ("Fri, 29 Sep 2023 16:26:57 +99999999999999", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None),
        ("-5", None),
        ("1e400", None),
    ],
)
def test_waits_are_read_in_every_zone(text: str, wait: float | None) -> None:
    found = retry_after({"retry-after": text}, NOW)
    assert found == (pytest.approx(wait) if wait is not None else None)


@pytest.mark.parametrize(
    ("words", "wait"),
    [
        ("Please try again in 9.816s.", 9.816),
        ("Please try again in 1m26.4s. Visit", 86.4),
        ("try again in 250ms", 0.25),
        ("Please retry after 20 seconds.", 20),
        ("Wait for about 5 minutes", 300),
        ("your limit resets in 2 hours", 7200),
        ("try again in 9999 hours", None),
        ("try another model", None),
    ],
)
def test_waits_in_words(words: str, wait: float | None) -> None:
    assert wait_in_words(words) == (pytest.approx(wait) if wait is not None else None)


def test_limits_of_anthropic() -> None:
    headers = {
        "anthropic-ratelimit-requests-limit": "1000",
        "anthropic-ratelimit-requests-remaining": "999",
        "anthropic-ratelimit-requests-reset": "2026-11-18T11:07:40Z",
        "anthropic-ratelimit-input-tokens-limit": "2000000",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-priority-output-tokens-limit": "5",
        "content-type": "application/json",
    }
    assert limits_of(headers, NOW) == (
        ReportedLimit("input-tokens", NOW, limit=2_000_000, remaining=0),
        ReportedLimit("priority-output-tokens", NOW, limit=5),
        ReportedLimit("requests", NOW, limit=1000, remaining=999, resets_at=NOW + 60),
    )


def test_limits_of_openai_and_of_servers_that_count_nothing() -> None:
    headers = {
        "x-ratelimit-limit-tokens": "100",
        "x-ratelimit-remaining-tokens": "40",
        "x-ratelimit-reset-tokens": "6m0s",
        "x-ratelimit-limit-requests": "-1",
        "x-ratelimit-remaining-requests": "0",
    }
    assert limits_of(headers, NOW) == (
        ReportedLimit("tokens", NOW, limit=100, remaining=40, resets_at=NOW + 360),
    )


def test_the_verdict_decides_and_no_other_window() -> None:
    headers = {
        "anthropic-ratelimit-unified-status": "allowed",
        "anthropic-ratelimit-unified-reset": str(int(NOW) + 10),
        "anthropic-ratelimit-unified-7d_oi-status": "allowed_warning",
        "anthropic-ratelimit-unified-7d_oi-utilization": "0.9",
        "anthropic-ratelimit-unified-overage-status": "rejected",
    }
    told = limits_of(headers, NOW)
    assert [limit.name for limit in told] == ["7d_oi", "subscription"]
    assert wait_until_reset(told, NOW) is None


def test_a_rejected_window_wins_over_other_empty_ones() -> None:
    told = (
        ReportedLimit("tokens", NOW, limit=1, remaining=0, resets_at=NOW + 9000),
        ReportedLimit("5h", NOW, resets_at=NOW + 60, status="rejected"),
    )
    assert wait_until_reset(told, NOW) == 60


def test_request_ids() -> None:
    assert request_id({"request-id": "a", "x-request-id": "b"}) == "a"
    assert request_id({"x-request-id": "b"}) == "b"
    assert request_id({}) is None


@given(st.text(max_size=40))
def test_no_value_breaks_the_reading(text: str) -> None:
    wait = retry_after({"retry-after": text, "retry-after-ms": text}, NOW)
    assert wait is None or wait > 0
    assert (moment(text, NOW) or NOW) >= NOW - 60
    limits_of({"x-ratelimit-limit-tokens": text, "x-ratelimit-reset-tokens": text}, NOW)
