"""What went wrong in a command's call, and when its limit resets: from words, where words are all.

Some of these commands name their troubles by a code or a status; all of them say some in words
alone, the time of a reset among them. The words are those of the commands' own source and of runs
against a server that answers as the vendors' do (November 2026).
"""

import enum
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from attrs import frozen

from agent_runner.model.errors import (
    AuthError,
    BudgetError,
    FatalError,
    ProviderError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
)
from agent_runner.model.usage import ReportedLimit, Usage
from agent_runner.providers.http.codes import BUDGET_WORDS


class Trouble(enum.Enum):
    """Why a call brought nothing; each is another outcome for the task and the run."""

    LIMIT = enum.auto()
    AUTH = enum.auto()
    CREDIT = enum.auto()
    OVERLOAD = enum.auto()
    CUT = enum.auto()
    WRONG = enum.auto()
    """The call can never work as it is: an unknown model, a flag that it does not have."""


_KINDS: dict[Trouble, type[ProviderError]] = {
    Trouble.LIMIT: RateLimitedError,
    Trouble.AUTH: AuthError,
    Trouble.CREDIT: BudgetError,
    Trouble.OVERLOAD: TransientError,
    Trouble.CUT: UnknownOutcomeError,
    Trouble.WRONG: FatalError,
}

_FIXES = {
    Trouble.LIMIT: "wait, then resume",
    Trouble.CREDIT: "add credit or raise the cap, then resume",
    Trouble.OVERLOAD: "wait, then resume",
    Trouble.CUT: "resume",
}

_WORDS = (
    # money first: several commands report it under the status of a passing limit
    (Trouble.CREDIT, BUDGET_WORDS),
    (
        Trouble.CREDIT,
        re.compile(
            r"check your plan and billing|insufficient[_ ]quota|to use codex with your chatgpt plan"
            r"|billing_error",
            re.IGNORECASE,
        ),
    ),
    (
        Trouble.AUTH,
        re.compile(
            r"not logged in|please run /login|invalid api key|api key not valid|incorrect api key"
            r"|invalid x-api-key|\b40[13] (?:unauthorized|forbidden)\b|authentication[_ ]?error"
            r"|authentication_failed|failed to authenticate|missing environment variable"
            r"|set an auth method|must specify the \w+ environment variable|invalid auth method",
            re.IGNORECASE,
        ),
    ),
    (
        Trouble.LIMIT,
        re.compile(
            r"hit your \w*\s?limit|usage limit|rate.?limit|\b429\b|quota|too many requests"
            r"|limit .{0,3}resets",
            re.IGNORECASE,
        ),
    ),
    (
        Trouble.OVERLOAD,
        re.compile(
            r"overloaded|at capacity|high demand|\b5[02][0-9]\b|service.?unavailable"
            r"|internal.?server.?error",
            re.IGNORECASE,
        ),
    ),
    (
        Trouble.CUT,
        re.compile(
            r"stream (?:disconnected|closed|ended)|connection (?:error|closed|reset)|peer closed"
            r"|without a finish reason|timed? ?out|api ?(?:connection)?error",
            re.IGNORECASE,
        ),
    ),
)
"""In this order: the first that fits decides."""

_BILLED_PER_MINUTE = re.compile(r"\bretry in \d|\btry again in \d", re.IGNORECASE)
"""Words of a limit that passes at once, whatever else the text says of plan and billing."""


def trouble_in(words: str) -> Trouble | None:
    """What a text of a failed call tells; None where it is not known."""
    words = _plain(words)
    if _BILLED_PER_MINUTE.search(words):
        return Trouble.LIMIT
    return next((trouble for trouble, pattern in _WORDS if pattern.search(words)), None)


def trouble_of(status: int | None, words: str) -> Trouble | None:
    """The same, with the HTTP status that the command was answered, if it says so.

    Money and keys are told in words under several statuses, so that those go first.
    """
    told = trouble_in(words)
    if told in {Trouble.CREDIT, Trouble.AUTH} or not status:
        return told
    if status in {401, 403}:
        return Trouble.AUTH
    if status in {402, 429}:
        return Trouble.CREDIT if status == 402 else Trouble.LIMIT
    if status >= 500 or status == 408:
        return Trouble.OVERLOAD
    return Trouble.WRONG


@frozen
class Told:
    """What is known of a call that brought nothing.

    Attributes:
        words: What the command said, for people.
        resets_at: When its limit resets (epoch seconds); None where it did not say.
        limits: What it said of its limits.
        usage: What was used until then; `cost` in dollars. None where nothing is known.
        fix: What to do next, where the kind of trouble does not say it.
        again: Whether this run may ask again after a short wait.
    """

    words: str
    resets_at: float | None = None
    limits: tuple[ReportedLimit, ...] = ()
    usage: Usage | None = None
    cost: float | None = None
    fix: str = ""
    again: bool = True


def error_of(trouble: Trouble, told: Told, now: float) -> ProviderError:
    """The error to raise. `now`: epoch seconds."""
    facts = {
        "fix": told.fix or _FIXES.get(trouble, ""),
        "limits": told.limits,
        "usage": told.usage,
    }
    if trouble is Trouble.LIMIT:
        wait = None if told.resets_at is None else max(0.0, told.resets_at - now)
        error: ProviderError = RateLimitedError(
            told.words, retry_after=wait, again=told.again, **facts
        )
    else:
        error = _KINDS[trouble](told.words, **facts)  # type: ignore[arg-type]  # typed facts
    error.cost = told.cost
    return error


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_AT = re.compile(
    r"(?:resets?|again|access)(?: (?:at|on))? "
    r"(?:(?P<month>[A-Z][a-z]{2})[a-z]* (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?:(?P<year>\d{4}),? )?"
    r"(?:at )?)?(?P<hour>\d{1,2})(?::(?P<minute>\d\d))? ?(?P<half>[ap]\.?m\.?)?"
    r"(?: \((?P<zone>[A-Za-z0-9_+\-/]+)\))?",
    re.IGNORECASE,
)
_IN = re.compile(
    r"(?:retry|again|resets?) in (?P<number>\d{1,9}(?:\.\d+)?) ?"
    r"(?P<unit>ms|s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)\b",
    re.IGNORECASE,
)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def reset_in(words: str, now: float) -> float | None:
    """When a limit resets, from a text such as `resets 2:44pm (UTC)`; epoch seconds.

    None where the text names no time. A time without a zone is UTC: the commands are run so. One
    without a day is the next that comes; one with a day and no year likewise.
    """
    words = _plain(words)
    found = _IN.search(words)
    if found:
        unit = found["unit"].lower()
        each = _SECONDS["ms"] if unit == "ms" else _SECONDS[unit[0]]
        return now + float(found["number"]) * each
    at = _AT.search(words)
    if at is None or (at["minute"] is None and at["half"] is None):
        return None
    try:
        return _time_of(at, now)
    except (ValueError, KeyError, OSError, OverflowError):  # no such day, hour or zone
        return None


def _time_of(at: re.Match[str], now: float) -> float:
    zone = UTC if at["zone"] in {None, "UTC"} else ZoneInfo(at["zone"])
    today = datetime.fromtimestamp(now, zone)
    hour = int(at["hour"])
    if at["half"]:
        hour = hour % 12 + (12 if at["half"].lower().startswith("p") else 0)
    when = today.replace(hour=hour, minute=int(at["minute"] or 0), second=0, microsecond=0)
    if at["month"]:
        month = _MONTHS.index(at["month"].lower()) + 1
        when = when.replace(year=int(at["year"] or today.year), month=month, day=int(at["day"]))
        if not at["year"] and when < today - timedelta(days=1):
            when = when.replace(year=when.year + 1)
    elif when < today - timedelta(minutes=1):  # the minute that is named is not over yet
        when += timedelta(days=1)
    return when.timestamp()


def _plain(words: str) -> str:
    """A text with typewriter apostrophes and single spaces, so that one pattern fits all."""
    return re.sub(r"\s+", " ", words.replace("\u2019", "'").replace("\u202f", " "))
