"""What calls cost."""

import pytest
from hypothesis import given, strategies as st

from agent_runner.model.settings import Price
from agent_runner.model.usage import Usage
from agent_runner.providers.costs import cost, highest_cost, price_of
from agent_runner.providers.prices import LIST_PRICES


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
    assert price_of(prices, "gpt-5.5-2026-04-23", official=False) == Price(input=5.0)
    assert price_of(prices, "m-2026-01-01", official=False) == Price(input=1.0)
    assert price_of(prices, "gpt-5.5-pro", official=False) is None


def test_list_prices_hold_where_the_vendor_itself_is_asked_and_the_user_set_none() -> None:
    own = {"claude-sonnet-5-5": Price(input=7.0)}
    assert price_of(own, "claude-sonnet-5-5", official=True) == Price(input=7.0)
    listed = price_of({}, "claude-opus-4-5-20251101", official=True)
    assert listed == Price(input=5, output=25, cached=0.5, cache_write=6.25)
    assert price_of({}, "claude-opus-4-5-20251101", official=False) is None
    assert price_of({}, "some-model", official=True) is None


def test_a_long_call_costs_more_as_a_whole() -> None:
    price = LIST_PRICES["gpt-6.1-sol"]
    short = Usage(input=272_000, output=1_000)
    long = Usage(input=272_001, output=1_000)
    assert cost(short, price) == pytest.approx((272_000 * 2 + 1_000 * 10) / 1e6)
    assert cost(long, price) == pytest.approx((272_001 * 4 + 1_000 * 15) / 1e6)
    assert highest_cost(300_000, 1_000, price) == pytest.approx((300_000 * 5 + 15_000) / 1e6)


def test_no_price_of_the_table_is_below_that_of_its_cache() -> None:
    for model, price in LIST_PRICES.items():
        assert 0 < (price.cached or price.input) <= price.input < price.output, model
