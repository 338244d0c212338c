"""How much a call used where nobody counted it, and what calls cost. Pure.

Tokens are counts, prices are dollars per million tokens, costs are dollars.
"""

import re
from collections.abc import Mapping

from agent_runner.ground.tokens import Ruler
from agent_runner.model.agent import Prompt
from agent_runner.model.settings import Price
from agent_runner.model.usage import Usage
from agent_runner.providers.prices import LIST_PRICES

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
    read = plain * price.input + usage.cached * cached_price + usage.cache_write * write_price
    more_in, more_out = _long(usage.input, price)
    return (read * more_in + usage.output * price.output * more_out) / 1_000_000


def highest_cost(input_tokens: int, output_cap: int, price: Price) -> float:
    """Dollars that a call can cost at most: what is reserved before it.

    Writing the cache can cost more than plain input (1.25 times, at Anthropic and OpenAI).
    """
    dearest = max(price.input, price.cached or 0.0, price.cache_write or 0.0)
    more_in, more_out = _long(input_tokens, price)
    dollars = input_tokens * dearest * more_in + output_cap * price.output * more_out
    return dollars / 1_000_000


def _long(input_tokens: int, price: Price) -> tuple[float, float]:
    """How many times the input and the output of a call of this length cost."""
    if price.long_prompt is None or input_tokens <= price.long_prompt:
        return 1.0, 1.0
    return price.long_input, price.long_output


def price_of(prices: Mapping[str, Price], model: str, *, official: bool) -> Price | None:
    """What a model costs: as the user says, else the list price where its own vendor is asked.

    A dated name has its plain name's price. `official`: whether the address is the vendor's own:
    what others take for a model of the same name is not known.
    """
    for known in (prices, LIST_PRICES if official else {}):
        for name in (model, _DATED.sub("", model)):
            if name in known:
                return known[name]
    return None
