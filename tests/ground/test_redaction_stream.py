"""Secrets are taken out of a stream wherever it is cut, and nothing else is held back."""

from hypothesis import given, strategies as st

from agent_runner.ground.redaction import Redactor

KEY = "abab-abac-0123"
PARTS = [b"a", b"ab", b"abab-", b"-abac", b"-0123", b"x", KEY.encode()]


@given(st.lists(st.sampled_from(PARTS)), st.lists(st.integers(1, 5), min_size=1))
def test_the_cuts_do_not_matter(parts: list[bytes], cuts: list[int]) -> None:
    text = b"".join(parts)
    redactor = Redactor([KEY])
    stream = redactor.stream()
    written, at, turn = b"", 0, 0
    while at < len(text):
        size = cuts[turn % len(cuts)]
        written += stream.feed(text[at : at + size])
        at, turn = at + size, turn + 1
    assert written + stream.end() == redactor.exact_raw(text)


def test_what_cannot_begin_a_secret_is_let_through_at_once() -> None:
    stream = Redactor([KEY]).stream()
    assert stream.feed(b"collected 3 items\n..") == b"collected 3 items\n.."
    assert stream.feed(b"F aba") == b"F "
    assert stream.feed(b"cus") == b"abacus"


SHAPED = [
    *(b"sk-ant-", b"Zq9vX7p4Zq9vX7p4Zq9v", b"ta", b"ghp_", b"AKIA", b"IOSFODNN7EXAMPLE", b"eyJ"),
    *(b".eyJ", b"Authorization: Bearer ", b"abcdefghijkl1", b" ", b"...", b"\xc3\xa9"),
    *(b"x-api-key: ", b"r", b"s", b"k-", KEY.encode()),
]


@given(st.lists(st.sampled_from(SHAPED), max_size=14), st.lists(st.integers(1, 30), min_size=1))
def test_what_is_shaped_like_a_key_is_taken_out_wherever_it_is_cut(
    parts: list[bytes], cuts: list[int]
) -> None:
    text = b"".join(parts)
    redactor = Redactor([KEY])
    stream = redactor.stream(shapes=True)
    written, at, turn = b"", 0, 0
    while at < len(text):
        size = cuts[turn % len(cuts)]
        written += stream.feed(text[at : at + size])
        at, turn = at + size, turn + 1
    written += stream.end()
    assert written == redactor.raw(text)


def test_progress_without_an_end_of_line_is_shown_at_once() -> None:
    stream = Redactor([KEY]).stream(shapes=True)
    assert stream.feed(b"collected 3 items\n..") == b"collected 3 items\n.."
    assert stream.feed(b" 40 %") == b" 40 %"
    assert stream.feed(b" sk-ant-0123") == b" "
    assert stream.feed(b"4567890123456789 done") == b""
    assert stream.feed(b"\n") == b"[redacted] done\n"
