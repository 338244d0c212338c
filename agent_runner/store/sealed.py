"""JSON files that are caches: a CRC-32 over all bytes before it is their last member.

Most flipped bits leave good JSON: without the checksum a passed task could be read as pending and
be paid for again. What does not fit is thrown away and made anew.
"""

import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from agent_runner.ground.plain_files import read_plain

_TAIL = len(',"crc":"00000000"}\n')


def sealed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A JSON object, given in pieces without its closing brace; a checksum is its last member."""
    checksum = 0
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
        yield piece
    yield b',"crc":"%08x"}\n' % checksum


def without_nan(constant: str) -> float:
    """The float that one of JSON's unofficial constants stands for.

    Raises ValueError for NaN, which is never written here, and equals and fits nothing.
    """
    if constant == "NaN":
        raise ValueError("not a number")
    return float(constant)


def read_sealed(path: Path) -> dict[str, Any] | None:
    """The object in a sealed file; None if it is missing, damaged, or was never sealed."""
    try:
        raw = read_plain(path)
        if raw[-_TAIL:] != b',"crc":"%08x"}\n' % zlib.crc32(raw[:-_TAIL]):
            return None
        content = json.loads(raw, parse_constant=without_nan)
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
