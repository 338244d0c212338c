"""Limits that cannot be meant are named."""

import pytest

from agent_runner.limits.contradictions import contradictions
from agent_runner.model.settings import (
    BudgetSettings,
    LimitSettings,
    Price,
    ProviderSettings,
    Settings,
    WindowSettings,
)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            Settings(
                rate_limits={"claude": LimitSettings(max_requests_hour=50, max_requests_week=10)}
            ),
            (
                "rate_limits.claude: max_requests_hour (50 calls) can never be reached, since"
                " max_requests_week (10 calls) is less"
            ),
        ),
        (
            Settings(rate_limits={"claude": LimitSettings(max_tokens_minute=16_000)}),
            (
                "rate_limits.claude: no call fits into max_tokens_minute (16,000 tokens), since"
                " each reserves max_output_tokens (16,000) for its answer"
            ),
        ),
        (
            Settings(
                rate_limits={
                    "claude": LimitSettings(
                        max_requests_day=5, models={"m": LimitSettings(max_requests_day=6)}
                    )
                }
            ),
            (
                "rate_limits.claude.models.m: max_requests_day (6 calls) can never be reached,"
                " since the provider's own max_requests_day (5 calls) is less"
            ),
        ),
        (
            Settings(
                rate_limits={"claude": LimitSettings(max_cost_day=5)},
                providers={"claude": ProviderSettings(model="m")},
            ),
            "rate_limits.claude: max_cost_day needs a price for model m under prices",
        ),
        (
            Settings(budget=BudgetSettings(max_calls_run=5, max_calls_task=9)),
            "budget: max_calls_task (9) can never be reached, since max_calls_run (5) is less",
        ),
        (
            Settings(budget=BudgetSettings(max_tokens_task=9_000)),
            (
                "budget: no call fits into max_tokens_task (9,000), since each reserves"
                " max_output_tokens (16,000) for its answer"
            ),
        ),
        (
            Settings(limits=WindowSettings(timezone="Mars/Base")),
            "limits.timezone: there is no time zone 'Mars/Base'",
        ),
        (
            Settings(limits=WindowSettings(timezone="Europe")),
            "limits.timezone: there is no time zone 'Europe'",
        ),
        (
            Settings(limits=WindowSettings(week_starts="someday 25:00")),
            "limits.week_starts: 'someday 25:00' is not a weekday and time",
        ),
    ],
)
def test_a_contradiction_is_named(settings: Settings, said: str) -> None:
    assert contradictions(settings) == (said,)


def test_sensible_limits_are_not() -> None:
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
        limits=WindowSettings(timezone="Europe/Berlin", week_starts="Sunday"),
    )
    assert contradictions(settings) == ()
