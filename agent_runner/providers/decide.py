"""What follows from a call that brought no answer: the decision table, pure.

| kind of error | decision |
|---|---|
| AuthError | stop the run: auth |
| BudgetError | stop the run: budget |
| CallTooLargeError | this task's call is refused; the run goes on to a person's decision |
| FatalError | stop the run: fatal |
| RateLimitedError, TransientError asking for more than `retry.max_wait` | defer until then |
| RateLimitedError, the `retry.max_tries`-th failure in a row | defer, with instructions |
| TransientError, UnknownOutcomeError, the `retry.max_tries`-th failure in a row | stop: outage |
| RateLimitedError, TransientError | wait: what the server asks, else backoff |
| UnknownOutcomeError | wait: backoff; the lost call counts as possibly billed |

Which answer of a server is which kind of error is `failures`.
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
from agent_runner.providers.headers import REJECTED, is_spent


@frozen
class Wait:
    """Sit it out: the next try at `until` (epoch seconds)."""

    until: float
    reason: str


@frozen
class Defer:
    """Too long to sit out: not before `not_before` (epoch seconds); `window` is what is used up."""

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


Decision: TypeAlias = Wait | Defer | Stop | Refuse


def decide(  # noqa: PLR0911 (one return for each row of the table)
    error: ProviderError,
    *,
    failures_in_row: int,
    retry: RetrySettings,
    now: float,
    jitter: float,
) -> Decision:
    """What to do now. `failures_in_row` counts this failure too (1: the first).

    `jitter`: a random number from 0 up to 1, so that many runs do not come back at once.
    """
    text = _with_fix(error)
    if isinstance(error, CallTooLargeError):
        return Refuse(text)
    if isinstance(error, AuthError):
        return Stop("auth", text)
    if isinstance(error, BudgetError):
        return Stop("budget", text)
    if not isinstance(error, RateLimitedError | TransientError | UnknownOutcomeError):
        return Stop("fatal", text)

    asked = None if isinstance(error, UnknownOutcomeError) else error.retry_after
    if asked is not None and asked > retry.max_wait:
        return Defer(now + asked, window_of(error), text)
    if failures_in_row >= retry.max_tries:
        return _give_up(error, failures_in_row, retry, now)
    own = backoff(failures_in_row, retry, jitter)
    if asked is None:
        return Wait(now + own, str(error))
    # never earlier than asked; from the second time on not quicker than our own patience
    return Wait(now + (asked if failures_in_row == 1 else max(asked, own)), str(error))


def backoff(failures_in_row: int, retry: RetrySettings, jitter: float) -> float:
    """Seconds: doubled each time up to the ceiling, less up to a quarter by chance."""
    doubled = retry.first_wait * 2.0 ** min(failures_in_row - 1, 60)
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
        if is_spent(limit):
            return limit.name
    return ""


def _give_up(
    error: RateLimitedError | TransientError | UnknownOutcomeError,
    failures: int,
    retry: RetrySettings,
    now: float,
) -> Decision:
    """The last failure in a row that is borne."""
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
