"""How many tokens a prompt will be, without a tokenizer.

Too many rather than too few, corrected by what was seen.

First guesses are characters per token, for a budget guard: 2.5 for Claude from 4.7 on (its makers
count 1 M tokens as about 2.5 M characters), 3 for all others, and one token for each Chinese,
Japanese or Korean character or emoji.
"""

import math
import re

from agent_runner.model.spending import Ratio, Spending

_CHARS_PER_TOKEN = 3.0
_CHARS_PER_TOKEN_NEW_CLAUDE = 2.5
_NEW_CLAUDE = (4, 7)
_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2}))?(?!\d)")

_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef\U00010000-\U0010ffff]+")
"""Runs of characters that are about a token each."""

_LEAST, _MOST = 0.2, 4.0
"""Bounds of the correction: beyond them something else is wrong than the guess."""

_SPREADS = 2.0
"""How many mean deviations above the mean ratio a correction aims.

So that it seldom falls short.
"""


def estimate_input(text: str, model: str, spending: Spending) -> int:
    """Tokens to reserve for a prompt.

    The first guess, corrected by this journal's usage of the model.
    """
    return corrected(raw_estimate(text, model), model, spending)


def raw_estimate(text: str, model: str) -> int:
    """The first guess, from the text and the model's name alone.

    Journaled, so that it can be compared with usage.
    """
    wide = 0 if text.isascii() else sum(len(run) for run in _WIDE.findall(text))
    return math.ceil((len(text) - wide) / chars_per_token(model) + wide)


def corrected(raw: int, model: str, spending: Spending) -> int:
    """A first guess made better by what was seen; as it is where nothing was."""
    ratio = spending.ratios.get(model)
    return raw if ratio is None else math.ceil(raw * correction(ratio))


def correction(ratio: Ratio) -> float:
    """The factor that real input kept below, nearly always."""
    return min(max(ratio.mean + _SPREADS * ratio.spread, _LEAST), _MOST)


def chars_per_token(model: str) -> float:
    """Characters per token of Latin text and code, on the safe side.

    A Claude of unknown version counts as new.
    """
    if "claude" not in model:
        return _CHARS_PER_TOKEN
    match = _CLAUDE.search(model)
    if match is None:
        return _CHARS_PER_TOKEN_NEW_CLAUDE
    version = int(match[1]), int(match[2] or 0)
    return _CHARS_PER_TOKEN if version < _NEW_CLAUDE else _CHARS_PER_TOKEN_NEW_CLAUDE
