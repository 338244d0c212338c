"""Server-sent events: what comes out does not depend on where the network cut the bytes."""

import json

import pytest
from hypothesis import given, strategies as st

from agent_runner.providers.http.stream import EventParser, ServerEvent, StreamBrokenError

text = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"))
events = st.lists(st.tuples(st.sampled_from(["", "delta", "ping"]), st.lists(text, min_size=1)))


def parsed(raw: bytes, cuts: list[int]) -> list[ServerEvent]:
    parser, at = EventParser(), 0
    found: list[ServerEvent] = []
    for cut in [*sorted(cuts), len(raw)]:
        found += parser.feed(raw[at:cut])
        at = max(at, cut)
    return found


@given(events, st.sampled_from(["\n", "\r\n", "\r"]), st.lists(st.integers(0, 400)))
def test_any_cut_gives_the_same_events(
    told: list[tuple[str, list[str]]], newline: str, cuts: list[int]
) -> None:
    wire = []
    for name, lines in told:
        wire += [": comment", *([f"event: {name}"] if name else [])]
        wire += [*(f"data: {line}" for line in lines), "id: 7", ""]
    raw = newline.join([*wire, ""]).encode()
    # a stream that ends in a lone CR cannot know yet that no LF follows
    raw += b": end\n" if newline == "\r" else b""
    expected = [ServerEvent(name, "\n".join(lines)) for name, lines in told]
    assert parsed(raw, [cut for cut in cuts if cut <= len(raw)]) == expected


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)))
def test_any_bytes_are_read_or_called_broken(raw: bytes, cuts: list[int]) -> None:
    try:
        parsed(raw, [cut for cut in cuts if cut <= len(raw)])
    except StreamBrokenError:
        with pytest.raises(UnicodeDecodeError):
            raw.decode()


def test_an_event_without_its_empty_line_is_none() -> None:
    assert parsed(b'data: {"a": 1}\n', []) == []


def test_json_over_several_data_lines_is_joined() -> None:
    [event] = parsed(b'data: {"a":\ndata: 1}\n\n', [])
    assert json.loads(event.data) == {"a": 1}


def test_a_byte_order_mark_is_no_part_of_the_name() -> None:
    assert parsed(b"\xef\xbb\xbfdata: x\n\n", [1, 2]) == [ServerEvent("", "x")]


def test_line_separators_of_unicode_end_no_line() -> None:
    assert parsed("data: a\u2028b\x85c\n\n".encode(), []) == [ServerEvent("", "a\u2028b\x85c")]
