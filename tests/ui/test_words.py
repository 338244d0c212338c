"""The words and figures that all screens share."""

import json
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from agent_runner.model.states import TaskState
from agent_runner.ui import words
from tests.ui.screen import SCRIPTS


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-3, "0.0s"),
        (0.04, "0.0s"),
        (3.21, "3.2s"),
        (9.96, "10s"),
        (59.4, "59s"),
        (59.6, "1m00s"),
        (65, "1m05s"),
        (7380, "2h03m"),
        (273_600, "3d04h"),
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert words.duration(seconds) == shown


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        *((0, "0"), (999, "999"), (1000, "1.0k"), (12_345, "12.3k"), (123_456, "123k")),
        *((999_499, "999k"), (999_500, "1.0M"), (1_234_567, "1.2M")),
    ],
)
def test_token_counts(tokens: int, shown: str) -> None:
    assert words.count(tokens) == shown


@given(st.integers(0, 10**9))
def test_token_counts_stay_short(tokens: int) -> None:
    assert len(words.count(tokens)) <= 5


@pytest.mark.parametrize(
    ("dollars", "shown"), [(0, "-"), (0.0042, "$0.0042"), (0.12, "$0.12"), (12.3, "$12.30")]
)
def test_money(dollars: float, shown: str) -> None:
    assert words.money(dollars) == shown


@given(st.text(st.characters()))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    cleaned = words.clean(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Zl", "Zp"} for c in cleaned)
    assert words.clean(cleaned) == cleaned


@given(st.text(st.characters()))
def test_nothing_is_hidden_in_a_command(text: str) -> None:
    shown = words.visible(text)
    assert all(c == "\n" or unicodedata.category(c) not in {"Cc", "Cf"} for c in shown)
    assert shown.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("10%\r50%\r100%\r\n", "100%"),
        ("a\tb", "a    b"),
        ("safe\u202etxt", "safetxt"),
        ("grüße 世界", "grüße 世界"),
    ],
)
def test_escape_sequences_go_and_words_stay(text: str, left: str) -> None:
    assert words.clean(text) == left


@pytest.mark.parametrize("script", SCRIPTS)
def test_columns_are_those_of_a_terminal(script: str) -> None:
    text, expected = SCRIPTS[script]
    assert words.columns(text) == expected


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("width", [2, 3, 5, 11])
def test_what_is_cut_fits_and_loses_no_marks(script: str, width: int) -> None:
    text = SCRIPTS[script][0] * 4
    shown = words.cut(text, width)
    assert words.columns(shown) <= width
    kept = shown.removesuffix("..")
    assert text.startswith(kept)
    assert unicodedata.category(text[len(kept) :][:1] or " ")[0] != "M"


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Zl", "Zp"])))
def test_broken_lines_fit_and_lose_only_spaces(text: str) -> None:
    starts = [0, *words.broken(text, 12), len(text)]
    lines = [text[start:end] for start, end in pairwise(starts)]
    assert "".join(lines) == text
    assert all(words.columns(line.rstrip(" ")) <= 12 for line in lines)


def test_lines_break_at_words_and_long_words_anywhere() -> None:
    assert words.broken("to be or not to be", 9) == [9]
    assert words.broken("abcdefghij kl", 4) == [4, 8, 11]
    assert words.broken("   indented far", 6) == [6, 12]


def test_every_state_has_one_of_five_words() -> None:
    assert {words.state_word(state) for state in TaskState} == {
        *("pending", "running", "passed", "failed", "skipped")
    }


def test_long_lists_are_cut() -> None:
    assert words.listed("abcdef", most=4) == "a, b, c, d and 2 more"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::error::x", "| ::error::x"),
        ("  ::set-env name=A::b", "|   ::set-env name=A::b"),
        ("a ##[error]x ##[group]", "a ## [error]x ## [group]"),
        ("##vso[task.setvariable]", "## vso[task.setvariable]"),
        ("a::b # [x]", "a::b # [x]"),
    ],
)
def test_no_line_is_a_command_of_a_build_server(line: str, shown: str) -> None:
    assert words.no_command(line) == shown


@given(st.text())
def test_json_says_the_same_and_holds_nothing_that_is_obeyed(text: str) -> None:
    written = json.dumps({"a": f"{text}##[error]\x9b\u202e"}, ensure_ascii=False, indent=2)
    made = words.json_without_commands(written)
    assert json.loads(made) == json.loads(written)
    assert "##[" not in made
    assert not {unicodedata.category(c) for c in made.replace("\n", "")} & {"Cc", "Cf", "Zl", "Zp"}


@given(st.text())
def test_harmless_text_keeps_tabs_and_lines_and_nothing_else(text: str) -> None:
    made = words.harmless(f"a\t{text}\n\x1b[2J\x9b\x07")
    assert not {"\x1b", "\x9b", "\x07", "\r"} & set(made)
    assert made.startswith("a\t")
    assert made.count("\n") == text.count("\n") + 1
