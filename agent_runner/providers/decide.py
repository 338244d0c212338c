"""What follows from a call that brought no answer: a table and its rules, pure.

| kind of error | decision |
|---|---|
| AuthError | stop the run: auth |
| BudgetError | stop the run: budget |
| CallTooLargeError | this task's call is refused; the run goes on to a person's decision |
| FatalError | stop the run: fatal |
| RateLimitedError, TransientError asking for more than `retry.max_wait` | defer until then |
| RateLimitedError that is not to be tried again by this run | defer |
| RateLimitedError, the `retry.max_tries`-th failure in a row | defer, with instructions |
| TransientError, UnknownOutcomeError, the `retry.max_tries`-th failure in a row | stop: outage |
| the same two rows for an error that was paid for as an answer | after `PAID_TRIES` already |
| RateLimitedError, TransientError | wait: what the server asks, else backoff |
| UnknownOutcomeError | wait: backoff; the lost call counts as possibly billed |

Which answer of a server is which kind of error is the business of the provider: for those asked
over HTTP, of `http.failures`.
"""

from typing import Literal, TypeAlias

from attrs import frozen

from agent_runner.model.errors import (
    AuthError,
    BudgetError,
    CallTooLargeError,
    ProviderError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
)
from agent_runner.model.settings import RetrySettings
from agent_runner.model.usage import REJECTED

PAID_TRIES = 3
"""Consecutive failures that are tolerated where each of them was paid for: an error's text in place
of an answer is billed like one, so it is not tried for minutes."""


@frozen
class Wait:
    """Sit it out: the next try is at `until` (epoch seconds)."""

    until: float
    reason: str


@frozen
class Defer:
    """Too long to sit out: no call before `not_before` (epoch seconds), when `window` opens."""

    not_before: float
    window: str
    reason: str


@frozen
class Stop:
    """No call of this run can work; the task is not at fault."""

    reason: Literal["auth", "budget", "outage", "fatal"]
    text: str


@frozen
class Refuse:
    """This task's call can never work; others may."""

    text: str


Consequence: TypeAlias = Wait | Defer | Stop | Refuse


def decide(  # noqa: PLR0911  # one return for each row of the table
    error: ProviderError,
    *,
    consecutive_failures: int,
    retry: RetrySettings,
    now: float,
    jitter: float,
) -> Consequence:
    """What to do now, at `now` (epoch seconds).

    `consecutive_failures` counts this one too (1: the first). `jitter`: a random number from 0 up
    to 1, so that many runs do not come back at once.
    """
    text = _with_fix(error)
    # first of all, for it is a FatalError too, and no reason to stop the run
    if isinstance(error, CallTooLargeError):
        return Refuse(text)
    if isinstance(error, AuthError):
        return Stop("auth", text)
    if isinstance(error, BudgetError):
        return Stop("budget", text)
    if not isinstance(error, RateLimitedError | TransientError | UnknownOutcomeError):
        return Stop("fatal", text)

    # what the server asks for goes before the count of tries: a wait of hours is no outage, and
    # trying again before its end would only be turned away again
    asked = None if isinstance(error, UnknownOutcomeError) else error.retry_after
    if asked is not None and asked > retry.max_wait:
        return Defer(now + asked, window_of(error), text)
    if isinstance(error, RateLimitedError) and not error.again:
        return Defer(now + (asked or retry.max_wait), window_of(error), text)
    tries = min(retry.max_tries, PAID_TRIES) if error.as_answer else retry.max_tries
    if consecutive_failures >= tries:
        # a limit is not an outage, even if it names no time: the provider works, for others
        return _give_up(error, consecutive_failures, retry, now)
    own = backoff(consecutive_failures, retry, jitter)
    if asked is None:
        return Wait(now + own, str(error))
    # never earlier than asked; from the second time on not quicker than our own patience
    return Wait(now + (asked if consecutive_failures == 1 else max(asked, own)), str(error))


def backoff(consecutive_failures: int, retry: RetrySettings, jitter: float) -> float:
    """Seconds of our own choosing: doubled each time up to the ceiling, less up to a quarter.

    The formula is that of both vendors' SDKs (November 2026), with waits and tries that are set.
    """
    doubled = retry.first_wait * 2.0 ** min(consecutive_failures - 1, 60)
    return float(min(doubled, retry.max_backoff) * (1 - 0.25 * jitter))


def outcome(error: ProviderError) -> str:
    """The word for `CallSettled`; only a `lost` call may have been billed."""
    if isinstance(error, RateLimitedError):
        return "throttled"
    if isinstance(error, UnknownOutcomeError):
        return "lost"
    return "failed" if isinstance(error, TransientError) else "refused"


def window_of(error: ProviderError) -> str:
    """The limit that turned the call away, by the provider's name for it; "" if it did not say."""
    for limit in sorted(error.limits, key=lambda limit: limit.status != REJECTED):
        if limit.is_spent:
            return limit.name
    return ""


def _give_up(
    error: RateLimitedError | TransientError | UnknownOutcomeError,
    failures: int,
    retry: RetrySettings,
    now: float,
) -> Consequence:
    """What follows from the last consecutive failure that is tolerated."""
    if isinstance(error, RateLimitedError):
        rest = max(error.retry_after or 0.0, retry.max_wait)
        text = (
            f"turned away {failures} times in a row, last: {error}. Lower "
            "rate_limits.PROVIDER.max_requests_minute or max_tokens_minute, or raise "
            "retry.max_tries"
        )
        return Defer(now + rest, window_of(error), text)
    billed = ""
    if isinstance(error, UnknownOutcomeError):
        billed = " Each call that was lost may have been billed."
    return Stop("outage", f"no answer {failures} times in a row, last: {error}.{billed}")


def _with_fix(error: ProviderError) -> str:
    return f"{error}; {error.fix}" if error.fix else str(error)
