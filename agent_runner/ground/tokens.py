"""How many tokens a text is, guessed without a tokenizer: rather too many than too few.

2.5 characters a token for Claude from 4.7 on (its makers count 1 M tokens as about 2.5 M
characters), 3 for all others, and one token for each character of scripts that are written without
spaces or spelled in syllables, and for each emoji.
"""

import math
import re

_OTHERS = 3.0
_NEW_CLAUDE = 2.5
_SINCE = (4, 7)
_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2}))?(?!\d)")

_DENSE = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef"
    "\U00010000-\U0010ffff]+"
)
"""Runs of characters that are about a token each: Thai to CJK, Hangul, emoji."""


def tokens_of(text: str, model: str = "") -> int:
    """About how many tokens `text` is for that model; 0 only for no text."""
    dense = 0 if text.isascii() else sum(len(run) for run in _DENSE.findall(text))
    return math.ceil((len(text) - dense) / characters_per_token(model) + dense)


def characters_per_token(model: str) -> float:
    """Characters of Latin text and code in a token; a Claude of unknown version counts as new."""
    if "claude" not in model:
        return _OTHERS
    match = _CLAUDE.search(model)
    if match is None:
        return _NEW_CLAUDE
    return _OTHERS if (int(match[1]), int(match[2] or 0)) < _SINCE else _NEW_CLAUDE
