"""Takes keys out of text and bytes before they reach a disk or a screen: known and likely ones."""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

MARK = "[redacted]"
"""What stands where a key was."""

SHORTEST = 8
"""Known secrets with fewer characters are placeholders (`none`, `ollama`).

Taking them out would riddle ordinary text with marks.
"""

PLACEHOLDERS = frozenset({"lm-studio", "not-needed", "no-key-required", "localhost", "anything"})
"""Longer words that people give as the key of a server that wants none."""


class Redactor:
    """Knows the secrets of a run. Its `repr` tells how many, never which.

    `text` and `raw` also take out what only looks like a key: right for logs, errors and the
    screen. `exact` and `exact_raw` touch nothing but known secrets: right for recordings, which
    must stay byte for byte what came.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if is_secret(secret) for form in _written(secret)}
        self._longest = max((len(form.encode()) for form in forms), default=0)
        ordered = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        self._known_raw = (
            re.compile(b"|".join(re.escape(form.encode()) for form in ordered)) if ordered else None
        )
        self._count = len(forms)

    def text(self, text: str) -> str:
        """`text` without known secrets and without anything shaped like a key."""
        return _SHAPES.sub(_marked, self.exact(text))

    def raw(self, raw: bytes) -> bytes:
        """The same for bytes, whatever their encoding."""
        return _SHAPES_RAW.sub(_marked_raw, self.exact_raw(raw))

    def exact(self, text: str) -> str:
        """`text` without known secrets; everything else as it came."""
        return self._known.sub(MARK, text) if self._known else text

    def exact_raw(self, raw: bytes) -> bytes:
        """Bytes without known secrets; everything else as it came."""
        return self._known_raw.sub(MARK.encode(), raw) if self._known_raw else raw

    def stream(self) -> "RedactedStream":
        """A filter for bytes that come in pieces."""
        return RedactedStream(self, hold=max(0, self._longest - 1))

    def __repr__(self) -> str:
        return f"Redactor({self._count} forms)"


class RedactedStream:
    """Takes known secrets out of bytes that come in pieces.

    The last bytes are held back, so that a secret split between two pieces is found too.
    """

    def __init__(self, redactor: Redactor, *, hold: int) -> None:
        self._redactor = redactor
        self._hold = hold
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """What may be written now; at most the longest secret's length stays behind."""
        clean = self._redactor.exact_raw(self._held + piece)
        if not self._hold:
            return clean
        self._held = clean[-self._hold :]
        return clean[: -self._hold]

    def end(self) -> bytes:
        """The rest."""
        held, self._held = self._held, b""
        return self._redactor.exact_raw(held)


def is_secret(value: str) -> bool:
    """Whether a configured key is worth hiding: not a placeholder of a server that wants none."""
    return len(value) >= SHORTEST and value.lower() not in PLACEHOLDERS


def _written(secret: str) -> tuple[str, ...]:
    """The ways in which a secret stands in text: as it is, inside JSON, inside a URL."""
    plain = json.dumps(secret, ensure_ascii=False)[1:-1]
    return secret, plain, json.dumps(secret)[1:-1], quote(secret, safe="")


_PREFIXED = (
    r"(?<![A-Za-z0-9_-])(?:sk-(?:ant-|proj-|or-v1-|svcacct-|admin-)?|gsk_|xai-|hf_|AIza|pplx-|"
    r"gh[pousr]_|github_pat_|glpat-|xox[abprs]-|npm_|pypi-|r8_)[A-Za-z0-9_\-]{16,}"
)
_AWS = r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"
_JWT = r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
_HEADER = (
    r"(?i:(?P<header>authorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic)\s+|\bbearer\s+|"
    r"(?:x-api-key|api-key)[\"']?\s*[:=]\s*[\"']?))"
    r"(?=[A-Za-z._~+/=\-]*[0-9])[A-Za-z0-9._~+/=\-]{12,}"
)
_SHAPES = re.compile(f"{_PREFIXED}|{_AWS}|{_JWT}|{_HEADER}")
_SHAPES_RAW = re.compile(_SHAPES.pattern.encode())


def _marked(match: re.Match[str]) -> str:
    return (match["header"] or "") + MARK


def _marked_raw(match: re.Match[bytes]) -> bytes:
    return (match["header"] or b"") + MARK.encode()
