"""How many tokens a prompt will be: the first guess, corrected by what was seen in this journal."""

import math

from agent_runner.ground.tokens import tokens_of
from agent_runner.model.spending import Ratio, Spending

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
    return corrected(tokens_of(text, model), model, spending)


def corrected(raw: int, model: str, spending: Spending) -> int:
    """A first guess made better by what was seen; as it is where nothing was."""
    ratio = spending.ratios.get(model)
    return raw if ratio is None else math.ceil(raw * correction(ratio))


def correction(ratio: Ratio) -> float:
    """The factor that real input kept below, nearly always."""
    return min(max(ratio.mean + _SPREADS * ratio.spread, _LEAST), _MOST)
