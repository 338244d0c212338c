"""Keys are taken out wherever they stand, and nothing else is."""

import json
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st

from agent_runner.ground.redaction import MARK, Redactor

KEY = 'pl/anted"key+4f9a'


def test_a_known_key_in_every_way_it_is_written() -> None:
    redactor = Redactor([KEY])
    for written in (KEY, json.dumps(KEY), quote(KEY, safe=""), f"a{KEY}b{KEY}c"):
        assert KEY not in redactor.text(written)
        assert MARK in redactor.exact(written)
        assert MARK.encode() in redactor.exact_raw(written.encode())


def test_a_longer_key_is_not_left_in_part() -> None:
    assert Redactor(["abcdefgh", "abcdefgh-longer"]).text("abcdefgh-longer") == MARK


@pytest.mark.parametrize("placeholder", ["", "none", "ollama", "EMPTY", "lm-studio"])
def test_placeholders_are_ordinary_words(placeholder: str) -> None:
    assert Redactor([placeholder]).text("none of ollama, EMPTY lm-studio") == (
        "none of ollama, EMPTY lm-studio"
    )


@pytest.mark.parametrize(
    "text",
    [
        "sk-ant-api03-AAAAAAAAAAAAAAAAAAAA",
        "sk-proj-AAAAAAAAAAAAAAAAAAAA",
        "sk-or-v1-aaaaaaaaaaaaaaaaaaaaaaaa",
        "key=ghp_aaaaaaaaaaaaaaaaaaaaaaaa",
        "AKIAABCDEFGHIJKLMNOP",
        "Authorization: Bearer abc123def456ghi",
        '"x-api-key": "abc123def456ghi"',
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    ],
)
def test_what_is_shaped_like_a_key(text: str) -> None:
    assert MARK in Redactor().text(text)
    assert MARK.encode() in Redactor().raw(text.encode())
    assert Redactor().exact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "ask-for-something-that-is-long-enough",
        "the bearer of bad news, Bearer authentication",
        "task-1234567890123456789",
        "risk-assessment-of-all-the-things",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert Redactor().text(text) == text


def test_its_repr_tells_no_secret() -> None:
    assert KEY not in repr(Redactor([KEY]))
    assert "planted" not in repr(Redactor([KEY]))


@given(
    st.lists(st.sampled_from(["x", "pl/an", KEY, "\n", "é", 'ted"key+4f9a']), max_size=12),
    st.data(),
)
def test_pieces_are_cleaned_wherever_they_are_cut(words: list[str], data: st.DataObject) -> None:
    raw = "".join(words).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)))))
    redactor = Redactor([KEY])
    stream = redactor.stream()
    edges = [0, *cuts, len(raw)]
    out = b"".join(stream.feed(raw[a:b]) for a, b in pairwise(edges))
    out += stream.end()
    assert out == redactor.exact_raw(raw)
