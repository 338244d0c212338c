"""Times of resets in words, whatever the command, its clock and its apostrophes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from agent_runner.providers.commands.troubles import Trouble, reset_in, trouble_in, trouble_of

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("words", "when"),
    [
        ("limit · resets 2:44pm (UTC)", datetime(2026, 11, 26, 14, 44, tzinfo=UTC)),
        ("resets 9am (UTC)", datetime(2026, 11, 27, 9, 0, tzinfo=UTC)),
        ("resets 9am (America/New_York)", datetime(2026, 11, 26, 14, 0, tzinfo=UTC)),
        ("weekly limit · resets Nov 29, 11:34pm (UTC)", datetime(2026, 11, 29, 23, 34, tzinfo=UTC)),
        ("or try again at 2:45 PM.", datetime(2026, 11, 26, 14, 45, tzinfo=UTC)),
        ("or try again at 2:45\u202fPM.", datetime(2026, 11, 26, 14, 45, tzinfo=UTC)),
        ("try again at Nov 29th, 2026 11:35 PM.", datetime(2026, 11, 29, 23, 35, tzinfo=UTC)),
        ("resets Jan 2, 12am (UTC)", datetime(2027, 1, 2, 0, 0, tzinfo=UTC)),
        ("Please retry in 2s.", datetime(2026, 11, 26, 12, 0, 2, tzinfo=UTC)),
        ("try again in 1.5 hours", datetime(2026, 11, 26, 13, 30, tzinfo=UTC)),
        ("resets 14:30", datetime(2026, 11, 26, 14, 30, tzinfo=UTC)),
        # the minute that is named is not over yet
        ("resets 12:00pm (UTC)", datetime(2026, 11, 26, 12, 0, tzinfo=UTC)),
    ],
)
def test_a_time_in_words_is_found(words: str, when: datetime) -> None:
    assert reset_in(words, NOW) == when.timestamp()


@pytest.mark.parametrize(
    "words",
    ["Try again later.", "resets 99:99pm", "resets Feb 31, 1pm (UTC)", "resets 1pm (Nowhere/Zone)"],
)
def test_words_without_a_time_have_none(words: str) -> None:
    assert reset_in(words, NOW) is None


@given(st.text(max_size=60))
def test_no_text_does_harm(words: str) -> None:
    reset_in(f"resets {words}", NOW)
    trouble_in(words)


@pytest.mark.parametrize(
    ("status", "words", "trouble"),
    [
        (400, "Your credit balance is too low", Trouble.CREDIT),
        (400, "invalid x-api-key", Trouble.AUTH),
        (400, "no such parameter", Trouble.WRONG),
        (429, "slow down", Trouble.LIMIT),
        (402, "pay", Trouble.CREDIT),
        (503, "later", Trouble.OVERLOAD),
        (None, "who knows", None),
    ],
)
def test_a_status_decides_where_words_do_not(
    status: int | None, words: str, trouble: Trouble | None
) -> None:
    assert trouble_of(status, words) is trouble
