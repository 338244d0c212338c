"""The estimate of a prompt's tokens: first guesses, and what the journal teaches."""

import random

import pytest

from agent_runner.ground.tokens import characters_per_token, tokens_of
from agent_runner.limits.decision import Need
from agent_runner.limits.estimate import estimate_input
from agent_runner.model import events as e
from agent_runner.model.spending import Spending
from agent_runner.model.usage import Usage
from tests.limits.scene import MODEL, PROVIDER, began, settled


@pytest.mark.parametrize(
    ("model", "ratio"),
    [
        ("claude-opus-4-7", 2.5),
        ("claude-sonnet-5-5", 2.5),
        ("claude-haiku-5", 2.5),
        ("anthropic/claude-opus-4.8", 2.5),
        ("us.anthropic.claude-opus-5-v1:0", 2.5),
        ("claude-mythos-preview", 2.5),
        ("claude-opus-4-6", 3.0),
        ("claude-haiku-4-5-20251001", 3.0),
        ("claude-opus-4-20250514", 3.0),
        ("claude-3-5-sonnet-20241022", 3.0),
        ("gpt-6-sol", 3.0),
        ("qwen3-coder", 3.0),
    ],
)
def test_the_first_guess_depends_on_the_tokenizer(model: str, ratio: float) -> None:
    assert characters_per_token(model) == ratio
    assert tokens_of("x" * 3000, model) == 3000 / ratio


def test_a_wide_character_is_about_a_token() -> None:
    assert tokens_of("漢字かな한글🙂" + "abc", "gpt-6-sol") == 7 + 1
    assert tokens_of("äöüß" * 3, "gpt-6-sol") == 4
    assert tokens_of("", "gpt-6-sol") == 0


def learn(spending: Spending, number: int, real: float, *, told: bool = True) -> int:
    """One call of a 30,000-character prompt; returns what was estimated."""
    prompt = "x" * 30_000
    estimate = estimate_input(prompt, MODEL, spending)
    raw = tokens_of(prompt, MODEL)
    call = f"c{number}"
    started = e.CallStarted(call, 1, 1, 1, PROVIDER, MODEL, estimate, 100, raw_estimate=raw)
    spending.take(1e9 + number, "T1", started)
    settled(spending, 1e9 + number, call, Usage(int(raw * real), 10, estimated=not told))
    return estimate


def test_the_error_shrinks_with_the_usage_that_is_seen() -> None:
    spending, chance = Spending(), random.Random(7)  # reproducible, no secret
    errors = []
    for number in range(60):
        real = 0.62 * chance.uniform(0.97, 1.03)
        estimate = learn(spending, number, real)
        errors.append(estimate / (12_000 * real) - 1)
    first, last = errors[0], errors[-20:]
    assert first > 0.5
    assert max(last) < 0.2
    assert sum(last) / len(last) < 0.12
    assert sum(error < 0 for error in errors) <= 1


def test_a_guess_that_was_too_low_is_raised() -> None:
    spending = Spending()
    estimates = [learn(spending, number, 1.3) for number in range(30)]
    assert estimates[0] == 12_000
    assert estimates[1] >= 1.3 * 12_000
    assert estimates[-1] == pytest.approx(1.3 * 12_000, rel=0.1)


def test_usage_that_is_itself_a_guess_teaches_nothing() -> None:
    spending = Spending()
    learn(spending, 1, 0.5, told=False)
    assert spending.ratios == {}
    began(spending, 1e9, "x", Need(0, 10))
    settled(spending, 1e9, "x", Usage(5, 5))
    assert spending.ratios == {}
