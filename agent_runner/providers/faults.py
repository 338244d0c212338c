"""Answers that are none: the provider's trouble, in the form of a reply.

A reply that broke off, that failed, or whose words are the provider's own error text says nothing
of the task. It is an error of the call: waited for, answered by a fallback, and in the end an
outage. Gateways and agents' command lines are known to put a limit or an overload into an ordinary
answer, where nothing but the words tells of it (November 2026).
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus

from agent_runner.ground.redaction import Redactor
from agent_runner.model.agent import AgentResponse, Finish
from agent_runner.model.errors import ProviderError, UnknownOutcomeError
from agent_runner.providers.http import codes
from agent_runner.providers.http.failed_call import FailedCall, failure_in_answer
from agent_runner.providers.http.failures import classify
from agent_runner.providers.profiles import Profile

LONGEST_ERROR = 2000
"""Characters of a reply that may be a mere error; a longer one is an answer."""

_LONGEST_SENTENCE = 300

_MARKUP = re.compile(r"```|~~~|<<<<<<<|^(?:diff --git|---|\+\+\+|@@) ", re.MULTILINE)
"""What only an answer has: a fence, a block, a diff."""

_REASONS = "|".join(
    re.escape(status.phrase) for status in HTTPStatus if status >= HTTPStatus.UNAUTHORIZED
)
_STATUS = re.compile(
    r"\W*(?:[\w.-]+\W+){0,3}?"
    r"(?:(?:error|status|http(?:/[\d.]+)?)(?: code)?\W+(?P<named>[45]\d\d)\b"
    rf"|(?P<bare>[45]\d\d)\W+(?:{_REASONS}|\{{)|(?P<reason>{_REASONS})\W*$)",
    re.IGNORECASE | re.MULTILINE,
)
"""How HTTP names a failure, at the beginning of a text: by its number, or its phrase alone."""

_LIMIT = re.compile(
    r"\b(?:rate|usage|request|token|session|daily|weekly|monthly|hourly|spend(?:ing)?|message)s?"
    r"[ -](?:limits?|quota|cap)\b|\bquota\b|\byour (?:\w+ ){0,3}limits?\b",
    re.IGNORECASE,
)
_USED_UP = re.compile(
    r"\b(?:reached|exceeded|hit|exhausted|used up|out of|try again|retry|resets?)\b", re.IGNORECASE
)
_TROUBLE = re.compile(
    r"\A\W*(?:api|server|network|connection|internal|upstream|gateway|provider|request)"
    r" (?:server )?(?:error|failed|timed out)\b"
    r"|\boverloaded(?:_error)?\b|\btemporarily (?:unavailable|overloaded)\b"
    r"|\bupstream (?:connect|request|server)\b|\bat capacity\b|\bno healthy upstream\b"
    r"|\bmodel is (?:still )?loading\b",
    re.IGNORECASE,
)


def fault_of(response: AgentResponse, profile: Profile, now: float) -> ProviderError | None:
    """The error that a response really is; None: it is the agent's own answer.

    `now`: epoch seconds, for the limits that the error may report.
    """
    if response.finish in {Finish.CUT, Finish.FAILED}:
        return UnknownOutcomeError(
            f"{profile.name} gave no whole answer: {response.detail or response.finish}; "
            "it may have been billed",
            request_id=response.request_id,
            limits=response.limits,
        )
    if response.finish is not Finish.COMPLETE or response.edits is not None or response.tool_calls:
        return None
    failure = failure_in_words(response.text)
    if failure is None:
        return None
    error = classify(failure, profile, now)
    error.args = (f"{error} (this text came in place of an answer)",)
    error.as_answer = True
    error.usage, error.request_id, error.limits = (
        response.usage,
        response.request_id,
        response.limits,
    )
    return error


def failure_in_words(text: str) -> FailedCall | None:
    """The failed call that a whole reply reports; None: it reports none.

    Strict, since an answer must not be thrown away: a short text without any markup, which *is* an
    error object, begins as HTTP names its failures, or is a sentence or two on a limit that is used
    up or a server that is overloaded.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_ERROR or _MARKUP.search(text):
        return None
    stated = _STATUS.match(text)
    status = _number(stated) if stated else 0
    error = _object(text)
    if error is None and not status and len(text) <= _LONGEST_SENTENCE:
        status = _status_of_sentence(text)
    if error is None and not status:
        return None
    return failure_in_answer(error or {"message": text}, {}, Redactor(()), stated=status)


def _status_of_sentence(text: str) -> int:
    """The HTTP status that a sentence or two stand for; 0 where they are no error."""
    limited = _LIMIT.search(text) and _USED_UP.search(text)
    if limited or codes.BUDGET_WORDS.search(text):
        return HTTPStatus.TOO_MANY_REQUESTS
    return HTTPStatus.SERVICE_UNAVAILABLE if _TROUBLE.search(text) else 0


def _object(text: str) -> Mapping[str, object] | None:
    """The error object that a text is, behind a few words at most."""
    begin = text.find("{")
    if not 0 <= begin <= 80:
        return None
    try:
        found, end = json.JSONDecoder().raw_decode(text, begin)
    except (ValueError, RecursionError):
        return None
    if text[end:].strip(" .)\n") or not isinstance(found, dict):
        return None
    error = found.get("error", found if found.get("type") == "error" else None)
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, dict) else None


def _number(stated: re.Match[str]) -> int:
    digits = stated["named"] or stated["bare"]
    if digits:
        return int(digits)
    phrase = stated["reason"].lower()
    return next(status.value for status in HTTPStatus if status.phrase.lower() == phrase)
