"""What calls cost."""

import pytest
from hypothesis import given, strategies as st

from agent_runner.model.settings import Price
from agent_runner.model.usage import Usage
from agent_runner.providers.costs import cost, highest_cost, price_of


def test_cost_by_kind_of_token() -> None:
    usage = Usage(input=1_000_000, output=100_000, cached=400_000, cache_write=100_000)
    price = Price(input=2.0, output=10.0, cached=0.2, cache_write=2.5)
    assert cost(usage, price) == pytest.approx(0.5 * 2 + 0.4 * 0.2 + 0.1 * 2.5 + 0.1 * 10)
    assert cost(usage, Price(input=2.0, output=10.0)) == pytest.approx(3.0)


@given(
    st.integers(0, 10**7),
    st.integers(0, 10**6),
    st.floats(0, 1),
    st.builds(Price, input=st.floats(0, 99), output=st.floats(0, 99), cached=st.floats(0, 99)),
)
def test_what_is_reserved_covers_what_is_used(
    sent: int, received: int, share: float, price: Price
) -> None:
    usage = Usage(input=sent, output=received, cached=int(sent * share))
    assert cost(usage, price) <= highest_cost(sent, received, price) + 1e-6


def test_a_dated_model_has_the_price_of_its_plain_name() -> None:
    prices = {"gpt-5.5": Price(input=5.0), "m-2026-01-01": Price(input=1.0)}
    assert price_of(prices, "gpt-5.5-2026-04-23") == Price(input=5.0)
    assert price_of(prices, "m-2026-01-01") == Price(input=1.0)
    assert price_of(prices, "unknown", "gpt-5.5") == Price(input=5.0)
    assert price_of(prices, "gpt-5.5-pro") is None
