"""What kind of failure a failed call is, from its status, headers and body.

The rules stand in the order in which they are asked; what is then done about each kind is
`decide`. Codes decide (`codes`), and words only where a provider gives no code.
"""

from typing import Any

from attrs import evolve, frozen

from agent_runner.ground.suggestions import did_you_mean
from agent_runner.model.errors import (
    AuthError,
    BudgetError,
    CallTooLargeError,
    FatalError,
    ProviderError,
    RateLimitedError,
    ToolsDeclinedError,
    TransientError,
)
from agent_runner.model.usage import ReportedLimit
from agent_runner.providers import catalogue
from agent_runner.providers.http import codes
from agent_runner.providers.http.declined_tools import declines_tools
from agent_runner.providers.http.failed_call import WITHIN, FailedCall
from agent_runner.providers.http.headers import (
    limits_of,
    retry_after,
    should_retry,
    wait_in_words,
    wait_until_reset,
)
from agent_runner.providers.http.reply import mapping_of
from agent_runner.providers.profiles import Profile

_PASSING = frozenset({408, 409})  # besides all from 500 on: what both vendors' SDKs try again


def reason_of_decline(failure: FailedCall) -> str | None:
    """Why the provider's own filter turned the prompt away; None if that is not what happened.

    That is a refusal of this task, and no fault of key, budget or request. OpenRouter says so by
    `metadata` under a 403, the others by a code.
    """
    metadata = mapping_of(mapping_of(failure.body.get("error")).get("metadata"))
    flagged = failure.status == 403 and ("reasons" in metadata or "flagged_input" in metadata)
    if flagged or (failure.status in {200, 400, 403} and failure.has(codes.DECLINED)):
        return f"the provider's filter declined the prompt: {failure.message or 'no reason given'}"
    return None


def classify(  # noqa: PLR0911  # one return a row
    failure: FailedCall, profile: Profile, now: float, *, tools: bool = False
) -> ProviderError:
    """The error to raise: the rules of the decision table, first match. `tools`: some were offered.

    Money goes first, for providers report it under 400, 402, 403 and 429 alike, and a spent budget
    taken for a passing limit would be asked again for hours. A request that alone exceeds a limit
    goes before that limit, since waiting does not make it fit. An error inside of a 200 passes
    unless it blames the request: the server began to answer, so it took the request for a good one.
    """
    errors = _Errors(failure, profile, now)
    status = failure.status
    if _is_budget(failure):
        return errors.error(BudgetError, "add credit or raise the cap, then resume")
    if status == 402:  # with a Retry-After, else it was a budget
        return errors.passing(RateLimitedError)
    if should_retry(failure.headers) and status != 429:
        return errors.passing(TransientError)
    if status in {401, 403} or (status < 500 and failure.has(codes.AUTH)):
        return errors.error(AuthError, errors.advice_on_key())
    if status == 413 or failure.has(codes.TOO_LARGE) or _says_too_large(failure):
        return errors.error(CallTooLargeError, "show the agent less: fewer `files`, a smaller task")
    if status == 429 or (status == WITHIN and failure.has(codes.LIMIT)):
        return errors.passing(RateLimitedError)
    if tools and declines_tools(failure, profile.model):
        return errors.error(ToolsDeclinedError, f"set providers.{profile.name}.tools to text")
    within = status == WITHIN and not failure.has(codes.INVALID)
    passing = within or status in _PASSING or status >= 500
    if passing and should_retry(failure.headers) is not False:
        return errors.passing(TransientError)
    return errors.error(FatalError, errors.advice())


@frozen
class _Errors:
    """Makes the error with everything that a person wants to know."""

    failure: FailedCall
    profile: Profile
    now: float

    def error(self, kind: type[ProviderError], fix: str) -> ProviderError:
        """An error that no waiting mends."""
        return kind(self._text(), fix=fix, **self._facts())

    def passing(
        self, kind: type[RateLimitedError] | type[TransientError]
    ) -> RateLimitedError | TransientError:
        """An error that passes, with the wait that the server asks for in one way or another.

        A reset header is no wish to be left alone after an overload, only after a limit.
        """
        headers = self.failure.headers
        wait = retry_after(headers, self.now)
        if wait is None and kind is RateLimitedError:
            wait = wait_until_reset(limits_of(headers, self.now), self.now)
        if wait is None:
            wait = wait_in_words(self.failure.message)
        facts = self._facts()
        if wait is not None:
            facts["limits"] = tuple(_until(limit, self.now + wait) for limit in facts["limits"])
        if kind is RateLimitedError:
            facts["again"] = should_retry(headers) is not False
        return kind(self._text(), retry_after=wait, fix="wait, then resume", **facts)

    def advice_on_key(self) -> str:
        """What to do about a key that was turned away, or is missing."""
        origin = self.profile.key.origin
        looked = " or ".join(v.name for v in self.profile.key.variables) or "api_key_env"
        if not origin:
            return f"this server wants a key: set {looked}"
        return f"check the key in {origin}: that it is whole, still valid, and allowed this model"

    def advice(self) -> str:
        """What to do about a request that can never work."""
        if self.failure.status != 404 and not self.failure.has(frozenset({"model_not_found"})):
            return "see the provider's message; the same request would fail again"
        model = self.profile.model
        others = [known for known in catalogue.KNOWN_MODELS if known != model]
        guess = did_you_mean(model, others) if self.profile.official else ""
        address = "" if self.profile.official else f" and the address {self.profile.base_url}"
        missing = "" if self.profile.base_url.endswith("/v1") or not address else " (no /v1?)"
        return f'check the model "{model}"{address}{missing}; {guess}'.rstrip("; ")

    def _text(self) -> str:
        failure = self.failure
        code = ", ".join(sorted(failure.codes - {str(failure.status)}))
        kind = f" ({code})" if code else ""
        message = f": {failure.message}" if failure.message else ""
        number = f" [request {failure.request_id}]" if failure.request_id else ""
        return f"{self.profile.name} answered {failure.status}{kind}{message}{number}"

    def _facts(self) -> dict[str, Any]:
        failure = self.failure
        return {
            "status": failure.status,
            "request_id": failure.request_id,
            "limits": limits_of(failure.headers, self.now),
        }


def _until(limit: ReportedLimit, at: float) -> ReportedLimit:
    """A limit that is used up, binding until `at` and no longer.

    A wait that the server asks for is about this very call; a reset is when a limit is whole again,
    and a part of it is often back long before.
    """
    if limit.is_spent and limit.resets_at is not None and limit.resets_at > at:
        return evolve(limit, resets_at=at)
    return limit


def _is_budget(failure: FailedCall) -> bool:
    if failure.status == 402:
        return "retry-after" not in failure.headers
    if failure.status >= 500:
        return False
    return failure.has(codes.BUDGET) or bool(codes.BUDGET_WORDS.search(failure.message))


def _says_too_large(failure: FailedCall) -> bool:
    """Whether its words say so; of a 429 too, where the request alone is above the limit."""
    return failure.status in {200, 400, 422, 429} and bool(
        codes.TOO_LARGE_WORDS.search(failure.message)
    )
