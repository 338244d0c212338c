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
        # the longest first: where one secret begins with another, the rest of it must not stay
        ordered = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        self._raw_forms = tuple(form.encode() for form in ordered)
        self._known_raw = (
            re.compile(b"|".join(map(re.escape, self._raw_forms))) if ordered else None
        )
        self._count = len(forms)

    def text(self, text: str) -> str:
        """`text` without known secrets and without anything shaped like a key."""
        exact = self.exact(text)
        return _SHAPES.sub(_marked, exact) if _may_hold_a_key(exact) else exact

    def raw(self, raw: bytes) -> bytes:
        """The same for bytes, whatever their encoding."""
        return _without_shapes(self.exact_raw(raw))

    def exact(self, text: str) -> str:
        """`text` without known secrets; everything else as it came."""
        return self._known.sub(MARK, text) if self._known else text

    def exact_raw(self, raw: bytes) -> bytes:
        """Bytes without known secrets; everything else as it came."""
        return self._known_raw.sub(MARK.encode(), raw) if self._known_raw else raw

    def stream(self, *, shapes: bool = False) -> "RedactedStream":
        """A filter for bytes that come in pieces: as `exact_raw`; with `shapes` as `raw`."""
        return RedactedStream(self, self._raw_forms, shapes=shapes)

    def __repr__(self) -> str:
        return f"Redactor({self._count} forms)"


class RedactedStream:
    """Takes known secrets out of bytes that come in pieces.

    Last bytes that may be the beginning of a secret are held back, so that one split between two
    pieces is found too; all others are let through at once, so that a screen shows what happens.
    """

    def __init__(self, redactor: Redactor, forms: tuple[bytes, ...], *, shapes: bool) -> None:
        self._exact = redactor.exact_raw
        self._forms = forms
        self._shapes = shapes
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """What may be written now; less than the longest secret's length stays behind."""
        clean = self._exact(self._held + piece)
        at = len(clean) - self._beginning(clean)
        if self._shapes:
            at = min(at, _unfinished_at(clean))
        self._held = clean[at:]
        return _without_shapes(clean[:at]) if self._shapes else clean[:at]

    def end(self) -> bytes:
        """The bytes that were held back; call it once, after the last piece."""
        held, self._held = self._exact(self._held), b""
        return _without_shapes(held) if self._shapes else held

    def _beginning(self, clean: bytes) -> int:
        """How many of the last bytes are a secret's beginning; the most that are."""
        most = 0
        for form in self._forms:
            tail = clean[-(len(form) - 1) :]
            at = tail.find(form[:1])
            while at >= 0 and not form.startswith(tail[at:]):
                at = tail.find(form[:1], at + 1)
            most = max(most, len(tail) - at if at >= 0 else 0)
        return most


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
# only where a word begins: from every `eyJ` inside of one, the search would run to its end again
_JWT = r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
_HEADER = (
    r"(?i:(?P<header>authorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic)\s+|\bbearer\s+|"
    r"(?:x-api-key|api-key)[\"']?\s*[:=]\s*[\"']?))"
    r"(?=[A-Za-z._~+/=\-]*[0-9])[A-Za-z0-9._~+/=\-]{12,}"
)
_SHAPES = re.compile(f"{_PREFIXED}|{_AWS}|{_JWT}|{_HEADER}")
_SHAPES_RAW = re.compile(_SHAPES.pattern.encode())


_BEGINNINGS = (
    *("sk-", "gsk_", "xai-", "hf_", "aiza", "pplx-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    *("github_pat_", "glpat-", "xox", "npm_", "pypi-", "r8_", "akia", "asia", "eyj"),
    *("authorization", "bearer", "api-key"),
)
"""What one of stands in whatever is shaped like a key, in small letters."""

_BEGINNINGS_RAW = tuple(map(str.encode, _BEGINNINGS))


def _may_hold_a_key(text: str) -> bool:
    """A look of microseconds, which spares the search through nearly every text.

    Not where letters beyond ASCII stand: some of them pass for others where case is ignored.
    """
    if not text.isascii():
        return True
    small = text.lower()
    return any(beginning in small for beginning in _BEGINNINGS)


_LONGEST_KEY = 4096
"""Bytes; what goes on for longer without an end of line is no key."""

_IN_A_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def _without_shapes(raw: bytes) -> bytes:
    """Bytes without what is shaped like a key; most are let through after a quick look."""
    small = raw.lower()
    may_hold_a_key = any(beginning in small for beginning in _BEGINNINGS_RAW)
    return _SHAPES_RAW.sub(_marked_raw, raw) if may_hold_a_key else raw


def _unfinished_at(clean: bytes) -> int:
    """Where in the last line something begins that may become shaped like a key; else its end."""
    start = max(clean.rfind(b"\n") + 1, len(clean) - _LONGEST_KEY)
    line = clean[start:].lower()
    found = [at for beginning in _BEGINNINGS_RAW if (at := line.find(beginning)) >= 0]
    if not found:
        cut = (beginning[:n] for beginning in _BEGINNINGS_RAW for n in range(1, len(beginning)))
        found = [len(line) - max((len(c) for c in cut if line.endswith(c)), default=0)]
    at = start + min(found)
    while at > start and clean[at - 1] in _IN_A_WORD:  # whether it is one depends on these as well
        at -= 1
    return at


def _marked(match: re.Match[str]) -> str:
    return (match["header"] or "") + MARK


def _marked_raw(match: re.Match[bytes]) -> bytes:
    return (match["header"] or b"") + MARK.encode()
