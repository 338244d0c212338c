"""The tree that YAML and JSON are read into: plain values that know their source and position."""

import bisect
import math
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, TypeAlias

from attrs import define, frozen

from agent_runner.ground.escaping import on_one_line
from agent_runner.model.errors import Problem

MAX_DEPTH = 64
"""Deepest nesting that is read; hand-written files have about six levels."""

MAX_DIGITS = 400
"""Longest whole number that is read as one; beyond it is text (and reading would be quadratic)."""

_MAYBE_SPECIAL = frozenset("0123456789+-.~nNtTfF")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+])?\.(?:inf|Inf|INF)")
_NAN = frozenset({".nan", ".NaN", ".NAN"})


@frozen(eq=False)
class Source:
    """A text with the name under which mistakes in it are reported.

    `numbered`: whether lines and columns mean something to the reader (a file) or not (a variable,
    a flag).
    """

    name: str
    text: str
    numbered: bool = True

    def position(self, at: int) -> tuple[int, int]:
        """Line and column of the character at offset `at`, both from 1; (0, 0) if not numbered."""
        if not self.numbered:
            return 0, 0
        line = bisect.bisect_right(self._line_starts, at)
        return line, at - self._line_starts[line - 1] + 1

    def problem(self, at: int, message: str, hint: str = "") -> Problem:
        """A mistake at offset `at`."""
        return Problem(self.name, *self.position(at), message, hint)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]


@define(eq=False)
class Scalar:
    """A single value: text, number, true/false or None. `text`: as it was written, unquoted."""

    value: str | int | float | bool | None
    text: str
    at: int
    source: Source

    def problem(self, message: str, hint: str = "") -> Problem:
        """A mistake at this value."""
        return self.source.problem(self.at, message, hint)


@define(eq=False)
class Items:
    """A list of nodes, in order."""

    items: "list[Node]"
    at: int
    source: Source

    def problem(self, message: str, hint: str = "") -> Problem:
        """A mistake at the start of this list."""
        return self.source.problem(self.at, message, hint)


@define(eq=False)
class Fields:
    """A mapping: `values` by key, and the `keys` themselves with their own positions."""

    values: "dict[str, Node]"
    keys: dict[str, Scalar]
    at: int
    source: Source

    def problem(self, message: str, hint: str = "") -> Problem:
        """A mistake at the start of this mapping."""
        return self.source.problem(self.at, message, hint)

    def __iter__(self) -> "Iterator[tuple[str, Scalar, Node]]":
        for name, value in self.values.items():
            yield name, self.keys[name], value


Node: TypeAlias = Scalar | Items | Fields


@frozen(eq=False)
class Document:
    """A text that was read. `problems`: mistakes beside which the rest could be read."""

    source: Source
    root: Node
    problems: tuple[Problem, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it but comments, or the word null."""
        return isinstance(self.root, Scalar) and self.root.value is None


def plain_value(node: Node) -> Any:
    """The node as Python's own values: dict, list, str, int, float, bool, None."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [plain_value(item) for item in node.items]
    return {key: plain_value(value) for key, value in node.values.items()}


def described(node: Node) -> str:
    """What the node is, in a few words for messages: `the number "3"`, `a list`."""
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Fields):
        return "a mapping"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return f"the word {node.text}"
    kind = "the text" if isinstance(node.value, str) else "the number"
    return f"{kind} {quoted(node.text)}"


def quoted(text: str, most: int = 60) -> str:
    """`text` in quotes, control characters escaped, at most about `most` characters."""
    shown = text if len(text) <= most else text[: most - 3] + "..."
    return f'"{on_one_line(shown)}"'


def resolved(text: str) -> str | int | float | bool | None:
    """What a word without quotes means in YAML 1.2's core schema (section 10.3.2).

    So `yes`, `no` and `off` are text. What is longer than `MAX_DIGITS` is text too.
    """
    if text and text[0] not in _MAYBE_SPECIAL:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > MAX_DIGITS:
        return text
    if _WHOLE.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return _rare(text)


def _rare(text: str) -> str | int | float:
    if _OCTAL_OR_HEX.fullmatch(text):
        return int(text, 0)
    infinite = _INFINITE.fullmatch(text)
    if infinite:
        return -math.inf if infinite[1] == "-" else math.inf
    return math.nan if text in _NAN else text
