"""What kind of failure a failed call is, from its status, headers and body.

The rules stand in the order in which they are asked; what is then done about each kind is
`decide`. Codes decide (`codes`), and words only where a provider gives no code.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve, frozen

from agent_runner.ground.redaction import Redactor
from agent_runner.ground.suggestions import did_you_mean
from agent_runner.model.errors import (
    AuthError,
    BudgetError,
    CallTooLargeError,
    FatalError,
    ProviderError,
    RateLimitedError,
    TransientError,
)
from agent_runner.model.usage import ReportedLimit
from agent_runner.providers import catalogue
from agent_runner.providers.http import codes
from agent_runner.providers.http.headers import (
    limits_of,
    request_id,
    retry_after,
    should_retry,
    wait_in_words,
    wait_until_reset,
)
from agent_runner.providers.http.reply import error_in, failure_text, mapping_of, text_of
from agent_runner.providers.profiles import Profile

LONGEST_TEXT = 600
"""Characters of a server's message that are shown."""

_PASSING = frozenset({408, 409})  # besides all from 500 on: what both vendors' SDKs try again
_WITHIN = 200  # the status of an error that came inside of an answer and names no other


@frozen
class FailedCall:
    """A failed call as it came.

    Attributes:
        status: The HTTP status; for an error inside of a 200 the one that it stands for, if it says
            so.
        message: The server's words on one line, known keys taken out.
        codes: Every type and code that the body gives, in lower case.
        param: The field of the request that it blames; "" if none.
        body: Its JSON; {} if it is none.
    """

    status: int
    headers: Mapping[str, str]
    message: str
    codes: frozenset[str]
    param: str
    body: Mapping[str, Any]
    request_id: str | None

    def has(self, codes: frozenset[str]) -> bool:
        """Whether one of `codes` was given."""
        return not self.codes.isdisjoint(codes)


def read_failure(
    status: int, headers: Mapping[str, str], raw: bytes, redactor: Redactor
) -> FailedCall:
    """Read an error's body in whatever shape it comes: nested, flat, plain text, HTML, nothing."""
    text = raw.decode("utf-8", "replace").strip()
    try:
        parsed = json.loads(text) if text else None
    except (ValueError, RecursionError):
        parsed = None
    # nested in `error` (both vendors), flat (older vLLM), a bare string, or a list of one
    body = mapping_of(parsed if not isinstance(parsed, list) else next(iter(parsed), None))
    error = body.get("error", body)
    inner = mapping_of(error)
    if body:
        message = text_of((error_in(body) or {}).get("message"))
    else:
        message = _words_of_page(text) if text.startswith("<") else text
    details = mapping_of(inner.get("details"))
    given = (inner.get("type"), inner.get("code"), details.get("error_code"), body.get("code"))
    return FailedCall(
        status=status,
        headers=headers,
        message=redactor.text(_one_line(message)),
        codes=_codes(given, redactor),
        param=text_of(inner.get("param")),
        body=body,
        request_id=redactor.exact(request_id(headers) or text_of(body.get("request_id"))) or None,
    )


def failure_in_answer(
    error: Mapping[str, Any], headers: Mapping[str, str], redactor: Redactor, *, stated: int = 0
) -> FailedCall:
    """An error object that came inside of a 200.

    `stated`: the status that its words give. OpenRouter puts the one that it would have sent into
    `code`, which is believed first.
    """
    code = text_of(error.get("code"))
    number = int(code) if re.fullmatch(r"[45]\d\d", code) else stated
    status = number or _WITHIN
    given = _codes((error.get("type"), code), redactor)
    if status == _WITHIN and codes.PASSING.intersection(given):
        status = 500
    message = redactor.text(_one_line(failure_text(error)))
    param = text_of(error.get("param"))
    return FailedCall(status, headers, message, given, param, {"error": error}, request_id(headers))


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


def classify(failure: FailedCall, profile: Profile, now: float) -> ProviderError:  # noqa: PLR0911  # one return a row
    """The error to raise: the rules of the decision table, first match.

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
    if status == 429 or (status == _WITHIN and failure.has(codes.LIMIT)):
        return errors.passing(RateLimitedError)
    within = status == _WITHIN and not failure.has(codes.INVALID)
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


def _codes(values: Iterable[object], redactor: Redactor) -> frozenset[str]:
    """Types and codes in lower case; a server may repeat even a key in them."""
    words = (redactor.exact(text_of(value)).lower() for value in values)
    return frozenset(filter(None, words))


def _words_of_page(page: str) -> str:
    title = re.search(r"<title[^>]*>(.*?)</title>", page, re.IGNORECASE | re.DOTALL)
    return f"a web page: {title[1]}" if title else "a web page"


def _one_line(text: str) -> str:
    """`text` without line breaks and control characters, and of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:4000]).split())
    return line if len(line) <= LONGEST_TEXT else f"{line[:LONGEST_TEXT]}..."
