"""Values as they are written in a configuration file, and durations as they are read."""

import enum
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from attrs import NOTHING

from agent_runner.config.schema import Option, OptionKind
from agent_runner.documents.tree import resolved
from agent_runner.model.options import Reading

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PIECE = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*")
DURATION = r"(?:\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)\s*)+"
"""What a duration looks like, in regular expressions of any kind."""

_DURATION = re.compile(DURATION)
_PLAIN = re.compile(r"[A-Za-z0-9_./<][A-Za-z0-9_ ./@+=<>()-]*")


def seconds(text: str) -> float | None:
    """The seconds in `90s`, `10m`, `1h30m`, `1.5h`, `2d`; None if it is no duration."""
    if not _DURATION.fullmatch(text.strip()):
        return None
    found = sum(float(amount) * _UNITS[unit] for amount, unit in _PIECE.findall(text))
    return found if math.isfinite(found) else None


def written_duration(value: float) -> str:
    """Seconds in the largest units that tell them exactly: `10m`, `1h30m`, `90s` as `1m30s`."""
    if value != int(value) or value <= 0:
        return _number(value)
    rest, text = int(value), ""
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text


def written(value: Any) -> str:
    """A value as YAML on one line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(k))}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(item) for item in value) + "]"
    return _text(str(value))


def as_plain(option: Option, value: Any) -> Any:
    """An option's default as it would stand in JSON; NOTHING for groups, whose parts have some."""
    if option.kind in {OptionKind.GROUP, OptionKind.ENTRIES} or value is NOTHING:
        return NOTHING
    if option.reading in {Reading.DURATION, Reading.TIMEOUT} and isinstance(value, int | float):
        return written_duration(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, bool | int | float | None) else str(value)


def written_option(option: Option, value: Any) -> str:
    """An option's value as YAML on one line, durations with their units."""
    timed = option.reading in {Reading.DURATION, Reading.TIMEOUT}
    if timed and isinstance(value, int | float):
        return written_duration(value)
    return written(value)


def _number(value: float) -> str:
    if isinstance(value, int) or not math.isfinite(value) or value != int(value):
        return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(str(value), str(value))
    # beyond 2**53 (about 9e15) floats skip whole numbers, and digits would claim more than is known
    return str(int(value)) if abs(value) < 1e15 else repr(value)


def _text(text: str) -> str:
    """Without quotes where it is safe to leave them out, even inside brackets."""
    if _PLAIN.fullmatch(text) and not text.endswith(" ") and isinstance(resolved(text), str):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())
