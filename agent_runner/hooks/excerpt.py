"""Head and tail of a hook's output as text, for prompt, screen and journal."""

import codecs
import re
from collections.abc import Callable

LIMIT = 4_000
"""Most characters of an excerpt, the note about what was left out included."""

_HEAD = 1_200
_TAIL = 2_600
_WHOLE = _HEAD + _TAIL

ANSI = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[@-Z\\^_])")
"""Escape sequences of terminals: colours, cursor moves, titles and links."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def excerpt(read: Callable[[int, int], bytes], length: int, closing: str = "") -> str:
    """The output's head and tail, without control codes; `closing` is a last line of our own.

    `read(at, size)` reads from the output, which is `length` bytes long. Bytes that are no UTF-8
    show as U+FFFD, other control characters too: neither a prompt nor a screen should obey them.
    """
    if length <= _WHOLE:
        text = _shown(_decoded(read(0, _WHOLE)))
    else:
        head = _decoded(read(0, _HEAD), cut_behind=True)
        tail = _decoded(read(length - _TAIL, _TAIL), cut_before=True)
        left_out = length - _HEAD - _TAIL
        text = f"{_shown(head)}\n... {left_out} bytes left out ...\n{_shown(tail)}"
    if closing:
        text = f"{text.rstrip(chr(10))}\n[{closing[:100]}]".lstrip("\n")
    return text[-LIMIT:]


def printable(raw: bytes) -> str:
    """All of a piece of output as text, in the same way."""
    return _shown(_decoded(raw, cut_before=True))


def _decoded(raw: bytes, *, cut_before: bool = False, cut_behind: bool = False) -> str:
    """UTF-8 with replacement; what a cut left of a character at an edge is dropped."""
    if cut_before:
        edge = re.match(rb"[\x80-\xbf]{0,3}", raw)
        raw = raw[edge.end() if edge else 0 :]
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return decoder.decode(ANSI.sub(b"", raw), final=not cut_behind)


def _shown(text: str) -> str:
    return _CONTROL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
