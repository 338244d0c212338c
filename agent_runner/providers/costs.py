"""How much a call used where nobody counted it, and what calls cost. Pure.

Tokens are counts, prices are dollars per million tokens, costs are dollars.
"""

import re
from collections.abc import Mapping

from agent_runner.ground.tokens import Ruler
from agent_runner.model.agent import Prompt
from agent_runner.model.settings import Price
from agent_runner.model.usage import Usage

_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})$")


def estimated_usage(prompt: Prompt, text: str, model: str) -> Usage:
    """The use of a call for which the server reported nothing."""
    ruler = Ruler(model)
    return Usage(input=ruler.prompt(prompt), output=ruler.tokens(text), estimated=True)


def cost(usage: Usage, price: Price) -> float:
    """Dollars that `usage` costs. A price that is not set is that of plain input."""
    cached_price = price.input if price.cached is None else price.cached
    write_price = price.input if price.cache_write is None else price.cache_write
    plain = max(0, usage.input - usage.cached - usage.cache_write)
    total = (
        plain * price.input
        + usage.cached * cached_price
        + usage.cache_write * write_price
        + usage.output * price.output
    )
    return total / 1_000_000


def highest_cost(input_tokens: int, output_cap: int, price: Price) -> float:
    """Dollars that a call can cost at most: what is reserved before it.

    Writing the cache can cost more than plain input (1.25 times, at Anthropic and OpenAI).
    """
    dearest = max(price.input, price.cached or 0.0, price.cache_write or 0.0)
    return (input_tokens * dearest + output_cap * price.output) / 1_000_000


def price_of(prices: Mapping[str, Price], *models: str) -> Price | None:
    """The price of the first of `models` that has one; a dated name has its plain name's price."""
    for model in models:
        for name in (model, _DATED.sub("", model)):
            if name in prices:
                return prices[name]
    return None
