"""Tells from status, headers and body of a failed call what kind of failure it is.

The rules stand in the order in which they are asked; what is then done about each kind is
`decide`. Codes decide, words only where a provider gives no code.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from agent_runner.ground.redaction import Redactor
from agent_runner.model.errors import (
    AuthError,
    BudgetError,
    CallTooLargeError,
    FatalError,
    ProviderError,
    RateLimitedError,
    TransientError,
)
from agent_runner.providers import catalogue
from agent_runner.providers.headers import limits, request_id, retry_after, wait_until_reset
from agent_runner.providers.profiles import Profile, closest
from agent_runner.providers.reading import failure_text, mapping_of, text_of

LONGEST_TEXT = 600
"""Characters of a server's message that are shown."""

_BUDGET_CODES = frozenset(
    {
        "billing_error",
        "billing_hard_limit_reached",
        "contract_spend_limit_reached",
        "credit_balance_exhausted",
        "enforced_spend_limit_reached",
        "insufficient_quota",
        "linked_organization_billing_unavailable",
        "linked_organization_spend_limit_reached",
        "organization_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "project_spend_limit_exceeded",
    }
)
_BUDGET_WORDS = re.compile(
    r"credit balance is too low|reached (?:your|its|the) specified .{0,20}usage limits"
    r"|billing hard limit",
    re.IGNORECASE,
)
_TOO_LARGE_CODES = frozenset(
    {
        "context_length_exceeded",
        "exceed_context_size_error",
        "request_too_large",
        "request_body_too_large_after_decoding",
        "string_above_max_length",
    }
)
_TOO_LARGE_WORDS = re.compile(
    r"prompt is too long|maximum context length|exceeds? (?:the )?(?:model's )?context (?:limit|"
    r"window|length|size)|context window of \d|request too large for",
    re.IGNORECASE,
)
_AUTH_CODES = frozenset(
    {"authentication_error", "invalid_api_key", "permission_error", "organization_on_hold"}
)
_LIMIT_CODES = frozenset(
    {"rate_limit_error", "rate_limit_exceeded", "throttling_error", "slow_down", "429"}
)
_PASSING_CODES = frozenset(
    {
        "api_error",
        "overloaded_error",
        "server_error",
        "server_is_overloaded",
        "service_unavailable_error",
        "timeout_error",
    }
)
_DECLINED_CODES = frozenset({"content_filter", "content_policy_violation", "invalid_prompt"})
_PASSING = frozenset({408, 409})
_HINT = re.compile(
    r"(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?) ?(ms|milliseconds?|s|seconds?|m|minutes?)\b",
    re.IGNORECASE,
)


@frozen
class Failure:
    """A failed call as it came. `codes`: every type and code that the body gives, lower case."""

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
) -> Failure:
    """Read an error's body in whatever shape it comes: nested, flat, plain text, HTML, nothing."""
    text = raw.decode("utf-8", "replace").strip()
    try:
        parsed = json.loads(text) if text else None
    except (ValueError, RecursionError):
        parsed = None
    body = mapping_of(parsed if not isinstance(parsed, list) else next(iter(parsed), None))
    error = body.get("error", body)
    inner = mapping_of(error)
    if isinstance(error, str):
        message = error
    elif body:
        message = text_of(inner.get("message")) or _detail(body.get("detail"))
    else:
        message = _words_of_page(text) if text.startswith("<") else text
    details = mapping_of(inner.get("details"))
    told = (inner.get("type"), inner.get("code"), details.get("error_code"), body.get("code"))
    return Failure(
        status=status,
        headers=headers,
        message=redactor.text(_one_line(message)),
        codes=_codes(told, redactor),
        param=text_of(inner.get("param")),
        body=body,
        request_id=redactor.exact(request_id(headers) or text_of(body.get("request_id"))) or None,
    )


def declined(failure: Failure) -> str | None:
    """Why the provider's own filter turned the prompt away; None if that is not what happened.

    That is a refusal of this task, and no fault of key, budget or request.
    """
    metadata = mapping_of(mapping_of(failure.body.get("error")).get("metadata"))
    flagged = failure.status == 403 and ("reasons" in metadata or "flagged_input" in metadata)
    if flagged or (failure.status in {200, 400, 403} and failure.has(_DECLINED_CODES)):
        return f"the provider's filter declined the prompt: {failure.message or 'no reason given'}"
    return None


def classify(failure: Failure, profile: Profile, now: float) -> ProviderError:  # noqa: PLR0911
    """The error to raise; the rules of the decision table, first match."""
    told = _Told(failure, profile, now)
    status = failure.status
    if _is_budget(failure):
        return told.error(BudgetError, "add credit or raise the cap, then resume")
    if status == 402:
        return told.waiting(RateLimitedError)
    if status in {401, 403} or (status < 500 and failure.has(_AUTH_CODES)):
        return told.error(AuthError, told.key_advice())
    if status == 413 or failure.has(_TOO_LARGE_CODES) or _says_too_large(failure):
        return told.error(CallTooLargeError, "show the agent less: fewer `files`, a smaller task")
    if status == 429 or (status == 200 and failure.has(_LIMIT_CODES)):
        return told.waiting(RateLimitedError)
    verdict = failure.headers.get("x-should-retry")
    passing = status in _PASSING or status >= 500
    if verdict == "true" or (passing and verdict != "false"):
        return told.waiting(TransientError)
    return told.error(FatalError, told.advice())


def failure_in_answer(
    error: Mapping[str, Any], headers: Mapping[str, str], redactor: Redactor
) -> Failure:
    """An error object that came inside a 200 before anything of the answer did."""
    code = error.get("code")
    number = int(text_of(code)) if text_of(code).isdigit() else 0
    status = number if 400 <= number < 600 else 200
    codes = _codes((error.get("type"), code), redactor)
    if status == 200 and _PASSING_CODES.intersection(codes):
        status = 500
    message = redactor.text(_one_line(failure_text(error)))
    param = text_of(error.get("param"))
    return Failure(status, headers, message, codes, param, {"error": error}, request_id(headers))


@frozen
class _Told:
    """Builds the error with everything that a person wants to know."""

    failure: Failure
    profile: Profile
    now: float

    def error(self, kind: type[ProviderError], fix: str) -> ProviderError:
        return kind(self._text(), fix=fix, **self._known())

    def waiting(
        self, kind: type[RateLimitedError] | type[TransientError]
    ) -> RateLimitedError | TransientError:
        headers = self.failure.headers
        wait = retry_after(headers, self.now)
        if wait is None and kind is RateLimitedError:
            wait = wait_until_reset(limits(headers, self.now), self.now)
        if wait is None:
            wait = _hint(self.failure.message)
        return kind(self._text(), retry_after=wait, fix="wait, then resume", **self._known())

    def key_advice(self) -> str:
        origin = self.profile.key.origin
        looked = " or ".join(v.name for v in self.profile.key.variables) or "api_key_env"
        if not origin:
            return f"this server wants a key: set {looked}"
        return f"check the key in {origin}: that it is whole, still valid, and allowed this model"

    def advice(self) -> str:
        if self.failure.status != 404 and not self.failure.has(frozenset({"model_not_found"})):
            return "see the provider's message; the same request would fail again"
        model = self.profile.model
        others = [known for known in catalogue.KNOWN_MODELS if known != model]
        guess = closest(model, others) if self.profile.official else ""
        address = "" if self.profile.official else f" and the address {self.profile.base_url}"
        missing = "" if self.profile.base_url.endswith("/v1") or not address else " (no /v1?)"
        return f'check the model "{model}"{address}{missing}; {guess}'.rstrip("; ")

    def _text(self) -> str:
        failure = self.failure
        code = ", ".join(sorted(failure.codes - {str(failure.status)}))
        kind = f" ({code})" if code else ""
        said = f": {failure.message}" if failure.message else ""
        asked = f" [request {failure.request_id}]" if failure.request_id else ""
        return f"{self.profile.name} answered {failure.status}{kind}{said}{asked}"

    def _known(self) -> dict[str, Any]:
        failure = self.failure
        return {
            "status": failure.status,
            "request_id": failure.request_id,
            "limits": limits(failure.headers, self.now),
        }


def _is_budget(failure: Failure) -> bool:
    if failure.status == 402:
        return "retry-after" not in failure.headers
    if failure.status >= 500:
        return False
    return failure.has(_BUDGET_CODES) or bool(_BUDGET_WORDS.search(failure.message))


def _says_too_large(failure: Failure) -> bool:
    """By words; of a 429 too, where the request alone is above the limit and never fits."""
    return failure.status in {200, 400, 422, 429} and bool(_TOO_LARGE_WORDS.search(failure.message))


def _hint(message: str) -> float | None:
    """Seconds from words such as "try again in 9.816s"; the last resort."""
    match = _HINT.search(message)
    if not match:
        return None
    number, unit = float(match[1]), match[2].lower()
    if unit.startswith(("ms", "milli")):
        return number / 1000
    return number * 60 if unit.startswith("m") else number


def _codes(told: Iterable[object], redactor: Redactor) -> frozenset[str]:
    """Types and codes in lower case; a server may say even a key back in them."""
    words = (redactor.exact(text_of(word)).lower() for word in told)
    return frozenset(filter(None, words))


def _detail(detail: object) -> str:
    """The message of a FastAPI server: text, or a list of complaints."""
    if isinstance(detail, list):
        return "; ".join(text_of(mapping_of(item).get("msg")) for item in detail)
    return text_of(detail)


def _words_of_page(page: str) -> str:
    title = re.search(r"<title[^>]*>(.*?)</title>", page, re.IGNORECASE | re.DOTALL)
    return f"a web page: {title[1]}" if title else "a web page"


def _one_line(text: str) -> str:
    """Without line breaks and control characters, and of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:4000]).split())
    return line if len(line) <= LONGEST_TEXT else f"{line[:LONGEST_TEXT]}..."
