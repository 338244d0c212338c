"""What a word without quotes means: the core schema of YAML 1.2 (`yes`, `no` and `off` are text).

Source: YAML 1.2.2, section 10.3.2.
"""

import math
import re

MAX_DIGITS = 400
"""Longest whole number that is read as one; beyond it is text (and reading would be quadratic)."""

_MAYBE_SPECIAL = frozenset("0123456789+-.~nNtTfF")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+])?\.(?:inf|Inf|INF)")
_NAN = frozenset({".nan", ".NaN", ".NAN"})


def resolved(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar."""
    if text and text[0] not in _MAYBE_SPECIAL:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > MAX_DIGITS:
        return text
    if _WHOLE.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return _rare(text)


def _rare(text: str) -> str | int | float:
    if _OCTAL_OR_HEX.fullmatch(text):
        return int(text, 0)
    infinite = _INFINITE.fullmatch(text)
    if infinite:
        return -math.inf if infinite[1] == "-" else math.inf
    return math.nan if text in _NAN else text
