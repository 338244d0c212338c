"""What an answer's headers say of waits and limits, in every form in which providers write them.

Times come out as epoch seconds, waits as seconds. A value that makes no sense (-1, 0, words, a time
long past) counts as absent: a wrong wait is worse than none.

The forms: Anthropic documents `anthropic-ratelimit-*` with RFC 3339 times; the headers of its
subscriptions (`-unified-`, epoch seconds) are undocumented and known from bug reports of 2026.
OpenAI documents `x-ratelimit-*` with Go durations; compatible servers send seconds, epoch
milliseconds, or -1.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from agent_runner.model.usage import REJECTED, ReportedLimit

LONGEST = 366 * 86400.0
"""Seconds; a wait beyond this is a misread unit. (A subscription's own reach 33.7 hours.)"""


def request_id(headers: Mapping[str, str]) -> str | None:
    """The provider's name for the call; `headers` must look names up in lower case."""
    for name in ("request-id", "x-request-id", "x-generation-id", "apim-request-id"):
        if headers.get(name):
            return headers[name]
    return None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait, as the server asks: milliseconds first, then seconds or a date.

    In the order of the vendors' own SDKs, since a server that sends both means the finer one.
    """
    millis = _number(headers.get("retry-after-ms"))
    if millis is not None and 0 < millis / 1000 <= LONGEST:
        return millis / 1000
    # a gateway renames the header of the provider behind it
    text = headers.get("retry-after") or headers.get("llm_provider-retry-after")
    if not text:
        return None
    seconds = _number(text)
    if seconds is None:
        seconds = duration(text)  # against the standard, but seen at gateways
    if seconds is None:
        # a date is compared with our clock: one that runs ahead makes the wait too short, and the
        # next refusal says so again
        when = _http_date(text)
        seconds = when - now if when is not None else None
    return seconds if seconds is not None and 0 < seconds <= LONGEST else None


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """Whether the server says that the same call is worth another try; None: it does not say.

    Both vendors' SDKs obey this header, whatever the status is.
    """
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


def wait_until_reset(limits: tuple[ReportedLimit, ...], now: float) -> float | None:
    """Seconds until the limits that turned the call away let one through; None if none says.

    Of several that are used up the longest wait counts. A verdict goes before mere counts, since
    it is about this very call.
    """
    spent = [limit for limit in limits if limit.is_spent and limit.resets_at is not None]
    verdicts = [limit for limit in spent if limit.status == REJECTED]
    waits = [limit.resets_at - now for limit in verdicts or spent if limit.resets_at is not None]
    return max((wait for wait in waits if 0 < wait <= LONGEST), default=None)


def wait_in_words(message: str) -> float | None:
    """Seconds from words such as "try again in 9.816s" or "in 1m26s", None without them.

    The last resort: OpenAI's messages end so, also where a gateway dropped the headers.
    """
    match = _HINT.search(message)
    if not match:
        return None
    if match["length"]:
        wait = duration(match["length"].lower()) or 0.0
    else:
        unit = match["unit"].lower()
        wait = float(match["number"]) * _UNITS["ms" if unit.startswith("milli") else unit[0]]
    return wait if 0 < wait <= LONGEST else None


def limits_of(headers: Mapping[str, str], now: float) -> tuple[ReportedLimit, ...]:
    """All limits that the headers report, by name; empty where there are none."""
    found: dict[str, dict[str, str]] = {}
    # read by shape and not by a list of names: accounts see further suffixes, such as
    # `x-ratelimit-remaining-tokens_usage_based`
    for header, value in headers.items():
        match = _LIMIT.fullmatch(header.lower())
        if match:
            name = match["first"] or match["last"]
            found.setdefault(name, {})[match["what1"] or match["what2"]] = value
    ordinary = [_limit(name, values, now) for name, values in sorted(found.items())]
    return (*filter(None, ordinary), *_windows(headers, now))


def moment(text: str | None, now: float) -> float | None:
    """A reset as epoch seconds: from RFC 3339, a Go duration, an epoch time, seconds from now."""
    if not text:
        return None
    number = _number(text)
    if number is not None:
        at = _epoch(number, now)
    else:
        length = duration(text)
        at = now + length if length is not None else _rfc3339(text)
    # a reset that has just passed still says which limit it was; one long past says nothing
    return at if at is not None and now - 60 <= at <= now + LONGEST else None


def duration(text: str) -> float | None:
    """Seconds of a Go duration (`6m0s`, `20ms`, `1h2m3s`, `1.41s`); None if it is none."""
    if not _DURATION.fullmatch(text.strip()):
        return None
    return sum(float(value) * _UNITS[unit] for value, unit in _PART.findall(text))


_HINT = re.compile(
    r"\b(?:again|retry|retry-after|wait|resets?)(?: in| after| for|:)? (?:about )?"
    r"(?:(?P<length>(?:\d+(?:\.\d+)?(?:ms|h|m|s))+)"
    r"|(?P<number>\d+(?:\.\d+)?) ?(?P<unit>milliseconds?|seconds?|s|minutes?|m|hours?|h))\b",
    re.IGNORECASE,
)
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|µs|us|ns|h|m|s)")  # ms before m
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|µs|us|ns|h|m|s))+")

_LIMIT = re.compile(
    r"anthropic-(?:ratelimit-|(?=priority-|fast-))(?!unified)"
    r"(?P<first>[a-z-]+)-(?P<what1>limit|remaining|reset)"
    r"|x-ratelimit-(?P<what2>limit|remaining|reset)-(?P<last>[a-z_-]+)"
)

_UNIFIED = "anthropic-ratelimit-unified-"
_WINDOW = re.compile(_UNIFIED + r"(?P<name>\d+[a-z_]+)-(?P<what>status|utilization|reset)")

_CLAIMS = {"five_hour": "5h", "seven_day": "7d", "seven_day_overage_included": "7d_oi"}
"""From a window's name in the verdict (`representative-claim`) to that in its own headers."""


def _limit(name: str, values: Mapping[str, str], now: float) -> ReportedLimit | None:
    limit, remaining = _count(values.get("limit")), _count(values.get("remaining"))
    if not limit and remaining == 0:
        remaining = None  # some servers send zeros where they count nothing
    if limit is None and remaining is None:
        return None
    return ReportedLimit(
        name, now, limit=limit, remaining=remaining, resets_at=moment(values.get("reset"), now)
    )


def _windows(headers: Mapping[str, str], now: float) -> tuple[ReportedLimit, ...]:
    """A subscription's windows, and its verdict on this call, the only one that counts.

    `unified-status` judges the call; the windows' own states and the overage's (`rejected` is
    normal there on an allowed call) do not.
    """
    found: dict[str, dict[str, str]] = {}
    for header, value in headers.items():
        match = _WINDOW.fullmatch(header.lower())
        if match:
            found.setdefault(match["name"], {})[match["what"]] = value
    windows = {
        name: ReportedLimit(
            name,
            now,
            used=_number(values.get("utilization")),
            resets_at=moment(values.get("reset"), now),
            status=values.get("status"),
        )
        for name, values in sorted(found.items())
    }
    verdict = headers.get(f"{_UNIFIED}status")
    if verdict:
        claim = headers.get(f"{_UNIFIED}representative-claim", "")
        name = _CLAIMS.get(claim, claim) or "subscription"
        known = windows.get(name)
        # accounts that are billed for overage send this one alone, and none for the windows
        resets_at = moment(headers.get(f"{_UNIFIED}reset"), now)
        windows[name] = ReportedLimit(
            name,
            now,
            used=known.used if known else None,
            resets_at=resets_at or (known.resets_at if known else None),
            status=verdict,
        )
    return tuple(windows.values())


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    # float() also takes "nan" and "inf", which no header means
    return number if number is not None and abs(number) < 1e18 else None


def _count(text: str | None) -> int | None:
    number = _number(text)
    return int(number) if number is not None and number >= 0 else None


def _epoch(number: float, now: float) -> float | None:
    """A bare number by its size: milliseconds or seconds since 1970, or seconds from now.

    No server says which one it means; the sizes do not overlap before the year 5138.
    """
    if number > 1e11:
        return number / 1000
    if number > 1e9:
        return number
    return now + number if number > 0 else None


def _rfc3339(text: str) -> float | None:
    return _timestamp(datetime.fromisoformat, text)


def _http_date(text: str) -> float | None:
    when = _timestamp(parsedate_to_datetime, text)
    return _rfc3339(text) if when is None else when


def _timestamp(read: Callable[[str], datetime], text: str) -> float | None:
    """Epoch seconds of a date; one without a zone is in UTC, as HTTP has it.

    The machine's own zone would make the wait wrong by hours. An absurd zone or year overflows
    somewhere in `datetime`, or in the C library below it.
    """
    try:
        when = read(text.strip())
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
