"""A call that failed, as it came: read from whatever a server sent, and judged by nobody yet."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from agent_runner.ground.redaction import Redactor
from agent_runner.providers.http import codes
from agent_runner.providers.http.headers import request_id
from agent_runner.providers.http.reply import error_in, failure_text, mapping_of, text_of

LONGEST_TEXT = 600
"""Characters of a server's message that are shown."""

WITHIN = 200
"""The status of an error that came inside of an answer and names no other."""


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
    status = number or WITHIN
    given = _codes((error.get("type"), code), redactor)
    if status == WITHIN and codes.PASSING.intersection(given):
        status = 500
    message = redactor.text(_one_line(failure_text(error)))
    param = text_of(error.get("param"))
    return FailedCall(status, headers, message, given, param, {"error": error}, request_id(headers))


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
