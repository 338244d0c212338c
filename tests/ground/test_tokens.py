"""The ruler for tokens: guesses, cuts, and what the journal teaches."""

import random

import pytest
from hypothesis import given, strategies as st

from agent_runner.ground.tokens import MESSAGE, Ruler, characters_per_token, corrected, tokens_of
from agent_runner.limits.room import Need
from agent_runner.model import events as e
from agent_runner.model.agent import Message, Prompt
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


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("abc", 1),
        ("漢字かな한글", 6),
        ("äöüß" * 3, 6),
        ("Привет", 3),
        ("γειά", 4),
        ("नमस्ते", 6),
        ("🙂🎉", 4),
        ("├── a", 3 + 1),
        ("\udcff", 1),
        ("", 0),
    ],
)
def test_a_character_weighs_by_its_script(text: str, tokens: int) -> None:
    assert tokens_of(text, "gpt-6-sol") == tokens


def test_a_prompt_is_its_texts_and_their_form() -> None:
    prompt = Prompt("x" * 30, (Message("user", "y" * 60), Message("assistant", "")))
    assert Ruler("qwen3-coder").prompt(prompt) == 10 + 20 + 0 + 3 * MESSAGE


TEXTS = st.lists(st.sampled_from(["x = 1", "äöü", "漢字", "🙂", "y" * 99, ""]), max_size=60).map(
    "\n".join
)


@given(TEXTS, st.integers(0, 200), st.sampled_from(["", "claude-sonnet-5-5"]))
def test_a_cut_text_fits_and_is_made_of_whole_lines(text: str, room: int, model: str) -> None:
    ruler = Ruler(model)
    head = ruler.head(text, room)
    assert ruler.tokens(head) <= room
    assert text.startswith(head)
    assert head == text or not head or head.endswith("\n")
    ends = ruler.head_and_tail(text, room)
    assert ends == text or " lines left out ...]\n" in ends
    assert ruler.tokens(ends) <= max(room, ruler.tokens("[... 60 lines left out ...]\n"))


def test_what_is_left_out_of_a_middle_is_counted() -> None:
    text = "".join(f"line {number}\n" for number in range(1000))
    head, _, tail = Ruler().head_and_tail(text, 300).partition("[... ")
    left_out, _, tail = tail.partition(" lines left out ...]\n")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert head.count("\n") + int(left_out) + tail.count("\n") in {999, 1000}
    assert 0 < head.count("\n") < tail.count("\n")


@given(st.text(), st.text())
def test_more_text_is_never_fewer_tokens(one: str, two: str) -> None:
    assert tokens_of(one + two) >= max(tokens_of(one), tokens_of(two))
    assert bool(tokens_of(one)) == bool(one)


def learn(spending: Spending, number: int, real: float, *, told: bool = True) -> int:
    """One call of a 30,000-character prompt; returns what was estimated."""
    prompt = "x" * 30_000
    raw = tokens_of(prompt, MODEL)
    estimate = corrected(raw, MODEL, spending)
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
