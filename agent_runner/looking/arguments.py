"""Reads the arguments of a call leniently: models know these tools from elsewhere by other names.

The schema that is advertised stays strict. What is understood beyond it: other names of the same
thing (`file_path`, `old_str`, `offset` and `limit`), numbers and booleans in quotes, a bare text in
place of an object, JSON within a JSON string. Unknown keys are passed over, and named.
"""

import enum
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from agent_runner.ground.escaping import on_one_line
from agent_runner.model.agent import ToolCall

LONGEST = 2_000
"""Most characters of a path, pattern, name or revision; texts to be written have no limit here."""

_MOST_NAMED = 8
_AROUND = 30  # characters shown on either side of a mistake in JSON
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_YES, _NO = {"true", "yes", "1", "on"}, {"false", "no", "0", "off", ""}
_RANGES = ("view_range", "line_range", "range", "lines")


class AskError(Exception):
    """What was asked cannot be answered; `str()` says why, for the model. Never leaves the room.

    `outcome`: the same in a few words, for people.
    """

    def __init__(self, text: str, outcome: str = "") -> None:
        super().__init__(text)
        self.outcome = outcome or text.partition("\n")[0]


class Kind(enum.Enum):
    """What an argument is. A `PROSE` is a text of any length, which is written somewhere."""

    TEXT = "string"
    PROSE = "string "
    NUMBER = "integer"
    FLAG = "boolean"

    @property
    def schema(self) -> str:
        """Its name in a JSON Schema."""
        return self.value.strip()


@frozen
class Argument:
    """One argument of a tool: its name, what it is, a line for the model, other names it has."""

    name: str
    kind: Kind
    doc: str
    required: bool = False
    aliases: tuple[str, ...] = ()


@frozen
class Given:
    """The arguments of a call as they were understood; `ignored`: keys that mean nothing here."""

    values: Mapping[str, str | int | bool] = field(factory=dict, hash=False)
    ignored: tuple[str, ...] = ()

    def text(self, name: str, default: str = "") -> str:
        """A text, or the default where it was not given."""
        return str(self.values.get(name, default))

    def number(self, name: str) -> int | None:
        """A whole number, None where it was not given."""
        value = self.values.get(name)
        return None if value is None else int(value)

    def flag(self, name: str) -> bool:
        """Whether it was given and is true."""
        return bool(self.values.get(name, False))

    def has(self, name: str) -> bool:
        """Whether it was given."""
        return name in self.values


def schema_of(arguments: Sequence[Argument]) -> dict[str, Any]:
    """The JSON Schema that is advertised, an object; required arguments first."""
    ordered = sorted(arguments, key=lambda argument: not argument.required)
    return {
        "type": "object",
        "properties": {a.name: {"type": a.kind.schema, "description": a.doc} for a in ordered},
        "required": [a.name for a in ordered if a.required],
        "additionalProperties": False,
    }


def read_arguments(call: ToolCall, arguments: Sequence[Argument]) -> Given:
    """What a call was given, in the tool's own names and types.

    Raises AskError for what cannot be understood, with the place of a mistake in the JSON.
    """
    first = arguments[0].name if arguments else ""
    raw = {first: call.arguments} if call.freeform else _object(call.arguments, first)
    names = {alias: a for a in arguments for alias in a.aliases} | {a.name: a for a in arguments}
    values: dict[str, str | int | bool] = {}
    ignored: list[str] = []
    for key, value in _with_ranges(raw, names).items():
        argument = names.get(key) or names.get(_snake(key))
        if argument is None or (argument.name in values and key != argument.name):
            ignored.append(_name(key))
        elif value is not None:
            values[argument.name] = _converted(argument, value)
    missing = [f"`{a.name}`" for a in arguments if a.required and a.name not in values]
    if missing:
        known = ", ".join(f"`{a.name}`" for a in arguments)
        raise AskError(
            f"{' and '.join(missing)} is missing; the arguments are {known}.", "incomplete"
        )
    return Given(values, tuple(ignored[:_MOST_NAMED]))


def _object(text: str, first: str) -> Mapping[str, Any]:
    found = _json(text) if text.strip() else {}
    if isinstance(found, str) and found.lstrip().startswith("{"):
        found = _json(found)
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], dict):
        found = found[0]
    if isinstance(found, str) and first:
        return {first: found}
    if not isinstance(found, dict):
        message = f"the arguments must be a JSON object, not {_kind(found)}."
        raise AskError(message, "not an object")
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text, strict=False)  # models write newlines into texts as they are
    except json.JSONDecodeError as error:
        near = text[max(0, error.pos - _AROUND) : error.pos + _AROUND]
        where = f"line {error.lineno} column {error.colno} (character {error.pos} of {len(text)})"
        raise AskError(
            f"the arguments are not JSON: {error.msg} at {where}, near `{on_one_line(near)}`.",
            "no JSON",
        ) from error
    except (ValueError, RecursionError) as error:
        raise AskError("the arguments are not JSON that can be read.", "no JSON") from error


def _with_ranges(raw: Mapping[str, Any], names: Mapping[str, Argument]) -> Mapping[str, Any]:
    """The same, with lines in the forms of other harnesses put as `start_line` and `end_line`.

    A first line and a count (`offset`, `limit`), or a pair of lines (`view_range`).
    """
    if "start_line" not in names:
        return raw
    plain = dict(raw)
    for key in list(plain):
        pair = plain[key]
        if _snake(key) in _RANGES and isinstance(pair, list) and len(pair) == 2:
            del plain[key]
            plain.setdefault("start_line", pair[0])
            plain.setdefault("end_line", pair[1])
    if "limit" in plain and "end_line" not in plain:
        given = plain.get("start_line", plain.get("offset"))
        first = _number("offset", given) if given is not None else 1
        plain["end_line"] = max(1, first) + max(1, _number("limit", plain.pop("limit"))) - 1
    return plain


def _converted(argument: Argument, value: Any) -> str | int | bool:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if argument.kind is Kind.NUMBER:
        return _number(argument.name, value)
    if argument.kind is Kind.FLAG:
        word = str(value).strip().lower()
        if isinstance(value, bool | int | str) and word in _YES | _NO:
            return word in _YES
        raise AskError(f"`{argument.name}` must be true or false.", "wrong argument")
    if not isinstance(value, str | int | float):
        message = f"`{argument.name}` must be one text, not {_kind(value)}."
        raise AskError(message, "wrong argument")
    text = value if isinstance(value, str) else json.dumps(value)
    _check_text(argument, text)
    return text


def _check_text(argument: Argument, text: str) -> None:
    if argument.kind is Kind.PROSE:
        return
    if len(text) > LONGEST:
        raise AskError(f"`{argument.name}` is longer than {LONGEST} characters.", "too long")
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise AskError(f"`{argument.name}` holds a character that no file has.", "wrong argument")


def _number(name: str, value: Any) -> int:
    text = str(value).strip() if not isinstance(value, bool) else ""
    try:
        number = float(text)
        whole = int(text) if re.fullmatch(r"[+-]?\d{1,18}", text) else int(number)
    except (ValueError, OverflowError):
        shown = on_one_line(text[:40])
        message = f"`{name}` must be a whole number, not `{shown}`."
        raise AskError(message, "wrong argument") from None
    return max(-(10**12), min(whole, 10**12))


def _kind(value: Any) -> str:
    known = {
        dict: "an object",
        list: "a list",
        str: "a text",
        type(None): "null",
        bool: "a boolean",
    }
    return known.get(type(value), "a number")


def _snake(key: str) -> str:
    return _HUMP.sub("_", key).lower().replace("-", "_").strip()


def _name(key: str) -> str:
    return on_one_line(key[:60])
