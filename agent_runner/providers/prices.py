"""List prices of the vendors' own models, for costs where the user has set no price.

In US dollars per million tokens, as the vendors and the price table of litellm 1.109.1 had them in
November 2026. Prices change: an entry under `prices` goes before the one here, and `LIST_PRICES_OF`
(model/usage.py) is the day of this table, by which old ones are called so.
"""

from collections.abc import Mapping

from agent_runner.model.settings import Price


def _claude(input_: float, output: float, cached: float) -> Price:
    """Anthropic: writing the cache for five minutes costs 1.25 times plain input."""
    return Price(input=input_, output=output, cached=cached, cache_write=input_ * 1.25)


def _gpt(
    input_: float, output: float, cached: float, *, tiered: bool = False, writes: bool = False
) -> Price:
    """OpenAI: from 272,000 tokens of input on some models cost twice the input, 1.5 the output.

    `writes`: writing the cache costs 1.25 times plain input, as from gpt-5.6 on.
    """
    return Price(
        input=input_,
        output=output,
        cached=cached,
        cache_write=input_ * 1.25 if writes else None,
        long_prompt=272_000 if tiered else None,
        long_input=2.0 if tiered else 1.0,
        long_output=1.5 if tiered else 1.0,
    )


def _for(names: str, price: Price) -> dict[str, Price]:
    return dict.fromkeys(names.split(), price)


_NEW = {"tiered": True, "writes": True}

LIST_PRICES: Mapping[str, Price] = {
    **_for("claude-fable-5-1", _claude(10, 50, 0.25)),
    **_for("claude-fable-5", _claude(10, 50, 1.0)),
    **_for("claude-opus-5-5", _claude(4, 20, 0.2)),
    **_for("claude-opus-5 claude-opus-4-8 claude-opus-4-7", _claude(5, 25, 0.5)),
    **_for("claude-opus-4-6 claude-opus-4-5", _claude(5, 25, 0.5)),
    **_for("claude-sonnet-5-5", _claude(2, 10, 0.1)),
    **_for("claude-sonnet-5", _claude(2, 10, 0.2)),
    **_for("claude-sonnet-4-6 claude-sonnet-4-5", _claude(3, 15, 0.3)),
    "claude-haiku-5-5": Price(
        input=0.1,
        output=0.5,
        cached=0.01,
        cache_write=0.125,
        long_prompt=100_000,
        long_input=5.0,
        long_output=5.0,
    ),
    **_for("claude-haiku-4-5", _claude(1, 5, 0.1)),
    **_for("gpt-6-astra", _gpt(10, 50, 1.0, **_NEW)),
    **_for("gpt-6.1-sol", _gpt(2, 10, 0.1, **_NEW)),
    **_for("gpt-6.1-terra", _gpt(1, 5, 0.05, **_NEW)),
    **_for("gpt-6-sol", _gpt(2, 10, 0.2, **_NEW)),
    **_for("gpt-6-luna", _gpt(0.1, 0.5, 0.01, **_NEW)),
    **_for("gpt-5.6-sol", _gpt(4, 20, 0.4, **_NEW)),
    **_for("gpt-5.6-terra", _gpt(2, 12, 0.2, **_NEW)),
    **_for("gpt-5.6-luna", _gpt(0.2, 1.2, 0.02, **_NEW)),
    **_for("gpt-5.5", _gpt(5, 30, 0.5, tiered=True)),
    **_for("gpt-5.4", _gpt(2.5, 15, 0.25, tiered=True)),
    **_for("gpt-5.4-mini", _gpt(0.75, 4.5, 0.075)),
    **_for("gpt-5.4-nano", _gpt(0.2, 1.25, 0.02)),
    **_for("gpt-5.3-codex gpt-5.2-codex gpt-5.2", _gpt(1.75, 14, 0.175)),
    **_for("gpt-5.1 gpt-5 gpt-5-codex gpt-5.1-codex-max", _gpt(1.25, 10, 0.125)),
    **_for("gpt-5-mini gpt-5.1-codex-mini", _gpt(0.25, 2, 0.025)),
    **_for("gpt-5-nano", _gpt(0.05, 0.4, 0.005)),
    **_for("gpt-5.5-pro gpt-5.4-pro", _gpt(30, 180, 30, tiered=True)),
    **_for("gpt-4.1", _gpt(2, 8, 0.5)),
    **_for("gpt-4.1-mini", _gpt(0.4, 1.6, 0.1)),
    **_for("gpt-4o", _gpt(2.5, 10, 1.25)),
    **_for("gpt-4o-mini", _gpt(0.15, 0.6, 0.075)),
}
"""By model; those of which a part was not known are left out."""
