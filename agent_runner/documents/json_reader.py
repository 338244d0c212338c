"""JSON to a tree: a small scanner that keeps positions and tells duplicate keys.

About 0.1 s a MB; the parsers of the standard library know no positions.
"""

import json
import re
import sys
from typing import NoReturn

from agent_runner.documents.tree import (
    MAX_DEPTH,
    MAX_DIGITS,
    Document,
    Fields,
    Items,
    Node,
    Scalar,
    Source,
    quoted,
)
from agent_runner.model.errors import InputError, Problem

_SPACE = re.compile(r"[ \t\n]*")
_PLAIN_STRING = re.compile(r'"([^"\\\x00-\x1f]*)"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?(?![0-9A-Za-z_.])")
_WORD = re.compile(r"[^\s,:\[\]{}\"]+")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_decoder = json.JSONDecoder()


def parse_json(source: Source) -> Document:
    """The value in `source`; empty text has None as its root. Raises InputError."""
    return _Scanner(source).document()


class _Scanner:
    """Reads values one after the other; `_at` is the offset of the next character."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._text = source.text
        self._at = 0
        self._problems: list[Problem] = []

    def document(self) -> Document:
        if not self._text.strip():
            return Document(self._source, Scalar(None, "", 0, self._source))
        self._skip()
        root = self._value(0)
        self._skip()
        if self._at < len(self._text):
            self._fail("nothing may follow the value", "is a bracket closed too early?")
        return Document(self._source, root, tuple(self._problems))

    def _value(self, depth: int) -> Node:
        start = self._text[self._at : self._at + 1]
        if start == '"':
            at = self._at
            text = self._string()
            return Scalar(text, text, at, self._source)
        if start in ("{", "["):
            if depth >= MAX_DEPTH:
                self._fail(f"more than {MAX_DEPTH} levels of nesting")
            return self._object(depth) if start == "{" else self._array(depth)
        return self._plain()

    def _object(self, depth: int) -> Fields:
        node = Fields({}, {}, self._at, self._source)
        self._at += 1
        self._skip()
        if self._took("}"):
            return node
        while True:
            key = self._key(node)
            value = self._value(depth + 1)
            if key.text not in node.values:  # given twice is noted already; the first one stays
                node.values[key.text] = value
                node.keys[key.text] = key
            if self._ended("}"):
                return node

    def _key(self, node: Fields) -> Scalar:
        """The next key, with the colon behind it taken."""
        at = self._at
        if self._text[at : at + 1] != '"':
            self._fail("a key in double quotes is expected", self._unexpected())
        text = sys.intern(self._string())  # a long list has the same few, time and again
        key = Scalar(text, text, at, self._source)
        if text in node.values:
            first, _ = self._source.position(node.keys[text].at)
            hint = f"the first one is on line {first}"
            self._problems.append(key.problem(f"the key {quoted(text)} is given twice", hint))
        self._skip()
        if not self._took(":"):
            self._fail(f'":" is expected after the key {quoted(text)}')
        self._skip()
        return key

    def _array(self, depth: int) -> Items:
        node = Items([], self._at, self._source)
        self._at += 1
        self._skip()
        if self._took("]"):
            return node
        while True:
            node.items.append(self._value(depth + 1))
            if self._ended("]"):
                return node

    def _ended(self, close: str) -> bool:
        """Whether the collection ends here; otherwise the comma is taken and more must follow."""
        self._skip()
        if self._took(close):
            return True
        if not self._took(","):
            self._fail(f'"," or "{close}" is expected', self._unexpected())
        comma = self._at - 1
        self._skip()
        if self._text[self._at : self._at + 1] == close:
            self._at = comma
            self._fail(f'a comma is not allowed before "{close}"')
        return False

    def _string(self) -> str:
        # nearly every string: without escapes, what was written is what it means
        found = _PLAIN_STRING.match(self._text, self._at)
        if found:
            self._at = found.end()
            return found[1]
        at = self._at
        try:
            text, self._at = _decoder.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            self._at = min(error.pos, len(self._text))
            self._fail(*_string_mistake(error.msg))
        return self._checked(str(text), at)

    def _checked(self, text: str, at: int) -> str:
        """Text from escapes: no NUL, and no half of a pair that is no character by itself."""
        if "\0" in text:
            self._problems.append(self._source.problem(at, "a NUL character is not allowed"))
        try:
            text.encode()
        except UnicodeEncodeError:
            message = "half a surrogate pair is not a character"
            self._problems.append(self._source.problem(at, message))
            return text.encode(errors="replace").decode()
        return text

    def _plain(self) -> Scalar:
        """A number, true, false or null."""
        at = self._at
        # the length first: Python takes time that grows with the square of it to make an int
        found = _NUMBER.match(self._text, at)
        if found and len(found[0]) <= MAX_DIGITS:
            self._at = found.end()
            whole = found[1] is None and found[2] is None
            return Scalar(int(found[0]) if whole else float(found[0]), found[0], at, self._source)
        word = _WORD.match(self._text, at)
        if not word or word[0] not in _WORDS:
            self._fail("a value is expected", self._unexpected())
        self._at = word.end()
        return Scalar(_WORDS[word[0]], word[0], at, self._source)

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        if found:
            self._at = found.end()

    def _took(self, char: str) -> bool:
        if self._text.startswith(char, self._at):
            self._at += 1
            return True
        return False

    def _unexpected(self) -> str:
        """What stands here instead, with advice on what JSON does not have."""
        if self._at >= len(self._text):
            return "the file ends here"
        if self._text.startswith(("//", "/*", "#"), self._at):
            return "JSON has no comments"
        if self._text.startswith("'", self._at):
            return "JSON uses double quotes only"
        word = _WORD.match(self._text, self._at)
        return f"not {quoted(word[0] if word else self._text[self._at])}"

    def _fail(self, message: str, hint: str = "") -> NoReturn:
        problem = self._source.problem(self._at, f"this is not valid JSON: {message}", hint)
        raise InputError((*self._problems, problem)) from None


def _string_mistake(message: str) -> tuple[str, str]:
    """The decoder's words for a bad string, and advice."""
    if message.startswith("Unterminated"):
        return "a string is not closed", "a double quote is missing"
    if message.startswith("Invalid control"):
        return "a string must be on one line", r"write \n for a new line and \t for a tab"
    return "an unknown escape in a string", "a backslash is written twice"
