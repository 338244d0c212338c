"""Limits that cannot be meant are named, with their place and how bad it is."""

import pytest

from agent_runner.limits.contradictions import Kind, LeastCall, contradictions
from agent_runner.limits.room import Need
from agent_runner.model.settings import (
    BudgetSettings,
    LimitSettings,
    Price,
    ProviderSettings,
    Settings,
)

CAP = Settings().max_output_tokens
PRICED = LeastCall("claude", "m", Need(1, CAP, 0.24))
UNPRICED = LeastCall("claude", "m", Need(1, CAP))


def limited(**options: object) -> Settings:
    return Settings(rate_limits={"claude": LimitSettings(**options)})  # type: ignore[arg-type]  # built by name


def budget(**options: object) -> Settings:
    return Settings(budget=BudgetSettings(**options))  # type: ignore[arg-type]  # built by name


@pytest.mark.parametrize(
    ("settings", "path", "text"),
    [
        (
            limited(max_requests_hour=50, max_requests_week=10),
            ("rate_limits", "claude", "max_requests_hour"),
            (
                "max_requests_hour (50 calls) can never be reached, since max_requests_week (10"
                " calls) is less"
            ),
        ),
        (
            limited(max_requests_hour=50, max_requests_day=40, max_requests_week=30),
            ("rate_limits", "claude", "max_requests_hour"),
            (
                "max_requests_hour (50 calls) can never be reached, since max_requests_week (30"
                " calls) is less"
            ),
        ),
        (
            limited(models={"m.1": LimitSettings(max_requests_day=6)}, max_requests_day=5),
            ("rate_limits", "claude", "models", "m.1", "max_requests_day"),
            (
                "max_requests_day (6 calls) can never be reached, since the provider's own"
                " max_requests_day (5 calls) is less"
            ),
        ),
        (
            budget(max_calls_run=5, max_calls_task=9),
            ("budget", "max_calls_task"),
            "max_calls_task (9 calls) can never be reached, since max_calls_run (5 calls) is less",
        ),
        (
            budget(max_cost_run=0.5, max_cost_task=2.0),
            ("budget", "max_cost_task"),
            "max_cost_task ($2.00) can never be reached, since max_cost_run ($0.50) is less",
        ),
    ],
)
def test_a_limit_that_is_never_reached_is_harmless(
    settings: Settings, path: tuple[str, ...], text: str
) -> None:
    first, *_ = contradictions(settings, [PRICED])
    assert (first.kind, first.path, first.text) == (Kind.NEVER_REACHED, path, text)


@pytest.mark.parametrize(
    ("settings", "path", "named"),
    [
        (limited(max_tokens_minute=CAP), "rate_limits.claude.max_tokens_minute", "16,000 tokens"),
        (
            limited(models={"m": LimitSettings(max_tokens_day=9)}),
            "rate_limits.claude.models.m.max_tokens_day",
            "9 tokens",
        ),
        (limited(max_cost_hour=0.2), "rate_limits.claude.max_cost_hour", "$0.20"),
        (budget(max_tokens_task=9_000), "budget.max_tokens_task", "9,000 tokens"),
        (budget(max_cost_run=0.01), "budget.max_cost_run", "$0.0100"),
    ],
)
def test_a_limit_that_no_call_fits_into_is_found_before_the_first(
    settings: Settings, path: str, named: str
) -> None:
    (found,) = contradictions(settings, [PRICED])
    assert (found.kind, ".".join(found.path)) == (Kind.NO_CALL_FITS, path)
    assert found.text.startswith(f"no call fits into {found.path[-1]} ({named}): the smallest")
    assert "max_output_tokens" in found.fix


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        (limited(max_cost_day=5.0), ("rate_limits", "claude", "max_cost_day")),
        (budget(max_cost_task=5.0), ("budget", "max_cost_task")),
    ],
)
def test_a_limit_in_dollars_needs_a_price(settings: Settings, path: tuple[str, ...]) -> None:
    (found,) = contradictions(settings, [UNPRICED])
    assert (found.kind, found.path) == (Kind.UNPRICED, path)
    assert "no price is known for model m" in found.text
    assert contradictions(settings, [PRICED]) == ()


def test_limits_of_somebody_who_is_not_asked_do_no_harm() -> None:
    settings = limited(max_tokens_hour=5, max_cost_day=1.0)
    assert contradictions(settings, [LeastCall("openai", "o", Need(1, CAP))]) == ()
    assert contradictions(settings, []) == ()


def test_each_is_said_once_whoever_is_asked() -> None:
    settings = limited(max_tokens_hour=5)
    assert len(contradictions(settings, [PRICED, PRICED])) == 1


def test_sensible_limits_contradict_nothing() -> None:
    limits = LimitSettings(
        max_requests_minute=5,
        max_requests_hour=100,
        max_tokens_hour=100_000,
        max_tokens_week=1_000_000,
        max_cost_day=5.0,
        models={"m": LimitSettings(max_requests_minute=2)},
    )
    settings = Settings(
        rate_limits={"claude": limits},
        providers={"claude": ProviderSettings(model="m")},
        prices={"m": Price()},
        budget=BudgetSettings(max_cost_run=5.0, max_cost_task=1.0),
    )
    assert contradictions(settings, [PRICED]) == ()
