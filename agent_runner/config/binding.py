"""From a tree to the settings classes, going by their types; every mistake is noted."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeGuard

import attrs
from attrs import NOTHING

from agent_runner.config.layers import Places
from agent_runner.config.schema import Option, OptionKind, choices, options_of
from agent_runner.config.writing import seconds
from agent_runner.documents import (
    Expect,
    Fields,
    Items,
    Node,
    Scalar,
    Source,
    Suggestions,
    described,
    plain_value,
    quoted,
)
from agent_runner.model.options import Reading

_LEAST = {Reading.AT_LEAST_ONE: 1, Reading.POSITIVE: 1, Reading.NOT_NEGATIVE: 0}
_GREATEST = 1e15
"""Of dollars and seconds: what is made of greater ones may be too much for a number."""

_ANY_SIZE = -(10**18)
_TIMES = frozenset({Reading.DURATION, Reading.TIMEOUT})


class Binder:
    """Makes objects of settings classes from trees.

    `bases`: the folder that relative paths of a source start from. `origins` holds, by path, the
    node of every option that was set. What is wrong is noted in `expect` and left at its default.
    """

    def __init__(self, expect: Expect, bases: Mapping[Source, Path], places: Places) -> None:
        self.origins: dict[tuple[str, ...], Node] = {}
        self._expect = expect
        self._bases = bases
        self._places = places
        self._read: Mapping[OptionKind, Callable[[Option, Node, tuple[str, ...]], Any]] = {
            OptionKind.TEXT: self._text,
            OptionKind.WHOLE: self._whole,
            OptionKind.NUMBER: self._number,
            OptionKind.SWITCH: self._switch,
            OptionKind.CHOICE: self._choice,
            OptionKind.PATH: self._path,
            OptionKind.TEXTS: self._texts,
            OptionKind.COMMAND: self._command,
            OptionKind.TEXT_MAP: self._text_map,
            OptionKind.ANY_MAP: self._any_map,
            OptionKind.GROUP: self._group,
            OptionKind.ENTRIES: self._entries,
        }

    def bind(self, cls: type, fields: Fields, path: tuple[str, ...] = ()) -> Any:
        """An object of `cls`; a required option that is missing is "" and noted elsewhere."""
        options = options_of(cls)
        called = ".".join(path) or "the configuration"
        self._expect.known_keys(fields, called, Suggestions(options))
        given: dict[str, Any] = {"id": path[-1]} if "id" in attrs.fields_dict(cls) else {}
        for name, option in options.items():
            value: Any = NOTHING
            if name in fields.values:
                value = self._value(option, fields.values[name], (*path, name))
            # a hook without a command still has to be made: its id is known then, and a task that
            # names it gets no second mistake (`checks` tells of the missing command)
            if value is NOTHING and option.default is NOTHING:
                value = ""
            if value is not NOTHING:
                given[name] = value
        return cls(**given)

    def _value(self, option: Option, node: Node, path: tuple[str, ...]) -> Any:
        """The value, or NOTHING where the default is to stay."""
        # null takes back what an earlier layer set, but only where None is a value of the option;
        # for a list it stays a mistake, since `protect:` with nothing below is rarely meant
        if isinstance(node, Scalar) and node.value is None and option.kind is not OptionKind.TEXTS:
            if option.optional:
                self.origins[path] = node
                return None
            if option.kind in {OptionKind.TEXT_MAP, OptionKind.ANY_MAP}:
                return NOTHING
        value = self._read[option.kind](option, node, path)
        if value is None:
            return NOTHING
        if option.kind not in {OptionKind.GROUP, OptionKind.ENTRIES}:
            self.origins[path] = node
        return value

    def _text(self, _option: Option, node: Node, path: tuple[str, ...]) -> str | None:
        if _is_loose(node):
            return node.text
        return self._expect.text(node, ".".join(path))

    def _whole(self, option: Option, node: Node, path: tuple[str, ...]) -> int | None:
        least = _LEAST.get(option.reading, _ANY_SIZE)
        return self._expect.whole(node, ".".join(path), least)

    def _number(self, option: Option, node: Node, path: tuple[str, ...]) -> float | None:
        name = ".".join(path)
        if option.reading in _TIMES:
            number = self._seconds(node, name)
        else:
            number = self._expect.number(node, name)
        if number is None:
            return None
        more_than_zero = option.reading in {Reading.POSITIVE, Reading.TIMEOUT}
        not_negative = option.reading in {Reading.NOT_NEGATIVE, Reading.DURATION}
        if more_than_zero and number <= 0:
            self._expect.note(node, f"{name} must be more than 0", _lift(option))
            return None
        if not_negative and number < 0:
            self._expect.note(node, f"{name} must not be negative")
            return None
        if number > _GREATEST:
            self._expect.note(node, f"{name} must not be more than {_GREATEST:.0e}")
            return None
        return number

    def _seconds(self, node: Node, name: str) -> float | None:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, str):
            found = seconds(value)
            if found is None:
                message = f"{name} must be a duration, not {described(node)}"
                self._expect.note(node, message, "write 90s, 10m, 1h30m, or seconds")
            return found
        return self._expect.number(node, name)

    def _switch(self, _option: Option, node: Node, path: tuple[str, ...]) -> bool | None:
        return self._expect.switch(node, ".".join(path))

    def _choice(self, option: Option, node: Node, path: tuple[str, ...]) -> Any:
        known = choices(option)
        text = node.text if isinstance(node, Scalar) else ""
        if text in known:
            return option.cls(text)
        words = f"{', '.join(known[:-1])} or {known[-1]}"
        message = f"{'.'.join(path)} must be {words}, not {described(node)}"
        nearest = Suggestions(known).nearest(text) if text else None
        self._expect.note(node, message, f"did you mean {nearest}?" if nearest else "")
        return None

    def _path(self, option: Option, node: Node, path: tuple[str, ...]) -> Path | None:
        text = self._text(option, node, path)
        if text is None:
            return None
        if "\0" in text:
            self._expect.note(node, f"{'.'.join(path)} is not a path: it holds a NUL character")
            return None
        parts = Path(text).parts
        if parts[:1] == ("~",):
            return self._places.home.joinpath(*parts[1:])
        return self._bases.get(node.source, self._places.folder) / text

    def _texts(self, _option: Option, node: Node, path: tuple[str, ...]) -> Any:
        return self._expect.texts(node, ".".join(path))

    def _command(self, _option: Option, node: Node, path: tuple[str, ...]) -> Any:
        if not isinstance(node, Items):
            return self._text(_option, node, path)
        words = self._expect.texts(node, ".".join(path))
        if words == () and not node.items:
            self._expect.note(node, f"{'.'.join(path)} must not be empty")
        return words

    def _text_map(self, _option: Option, node: Node, path: tuple[str, ...]) -> Any:
        """Texts by name; numbers and true/false count as the text they are written as."""
        name = ".".join(path)
        fields = self._expect.fields(node, name)
        found = {}
        for key, _, value in fields or ():
            if isinstance(value, Scalar) and value.value is not None:
                found[key] = value.text
            else:
                self._expect.note(value, f"{name}.{key} must be text, not {described(value)}")
        return None if fields is None else found

    def _any_map(self, _option: Option, node: Node, path: tuple[str, ...]) -> Any:
        fields = self._expect.fields(node, ".".join(path))
        return None if fields is None else plain_value(fields)

    def _group(self, option: Option, node: Node, path: tuple[str, ...]) -> Any:
        fields = self._expect.fields(node, ".".join(path))
        return None if fields is None else self.bind(option.cls, fields, path)

    def _entries(self, option: Option, node: Node, path: tuple[str, ...]) -> Any:
        fields = self._expect.fields(node, ".".join(path))
        found = {}
        for name, key, entry in fields or ():
            inner = self._expect.fields(entry, ".".join((*path, name)))
            if not name.strip() or not name.isprintable():
                self._expect.note(key, f"{'.'.join(path)} cannot have the name {quoted(name)}")
            elif inner is not None:
                found[name] = self.bind(option.cls, inner, (*path, name))
        return None if fields is None else found


def _is_loose(node: Node) -> TypeGuard[Scalar]:
    """Whether all text counts as text: in variables and flags nobody can write quotes."""
    return isinstance(node, Scalar) and not node.source.numbered and bool(node.text.strip())


def _lift(option: Option) -> str:
    return "write null for none" if option.optional else ""
