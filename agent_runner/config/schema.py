"""The options there are, read off the settings classes: names, kinds, defaults, documentation.

Everything in this room goes by these descriptions, so that a new option is one new field in
`model/settings.py` (or `model/hooks.py`) and nothing else.
"""

import enum
import types
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import attrs
from attrs import frozen

from agent_runner.model.options import Reading


class OptionKind(enum.Enum):
    """What is written as an option's value."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    SWITCH = "true or false"
    CHOICE = "one of a few words"
    PATH = "path"
    TEXTS = "list of texts"
    COMMAND = "text or list of words"
    TEXT_MAP = "mapping of texts"
    ANY_MAP = "mapping"
    GROUP = "options of a class of their own"
    ENTRIES = "such groups by name"


LEAVES = frozenset(OptionKind) - {OptionKind.GROUP, OptionKind.ENTRIES}
"""Kinds with a value of their own."""


@frozen
class Option:
    """One option. `cls`: the class of a group or of each entry, or the enum of a choice.

    `default` is `attrs.NOTHING` where there is none and the option must be given.
    """

    name: str
    kind: OptionKind
    optional: bool
    doc: str
    default: Any
    reading: Reading = Reading.PLAIN
    example: str = ""
    cls: Any = None


@cache
def options_of(cls: type) -> Mapping[str, Option]:
    """The options of a settings class by name, in the order they are declared."""
    hints = typing.get_type_hints(cls)
    return {
        field.name: _option(field, hints[field.name])
        for field in attrs.fields(cls)
        if "doc" in field.metadata
    }


def leaves_of(cls: type, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Option]]:
    """Every option with a value of its own, with its path; an entry's name stands as `<name>`.

    Groups within their own kind (limits of models) are not followed a second time.
    """
    for name, option in options_of(cls).items():
        path = (*above, name)
        if option.kind is OptionKind.GROUP:
            yield from leaves_of(option.cls, path)
        elif option.kind is OptionKind.ENTRIES and option.cls is not cls:
            yield from leaves_of(option.cls, (*path, "<name>"))
        else:
            yield path, option


def choices(option: Option) -> tuple[str, ...]:
    """The words that a choice knows."""
    return tuple(member.value for member in option.cls)


def _option(field: "attrs.Attribute[Any]", hint: Any) -> Option:
    kind, cls, optional = _kind(hint)
    default: Any = field.default
    if hasattr(default, "factory"):
        default = default.factory()
    return Option(
        name=field.name,
        kind=kind,
        optional=optional,
        doc=field.metadata["doc"],
        default=default,
        reading=field.metadata["reading"],
        example=field.metadata["example"],
        cls=cls,
    )


def _kind(hint: Any) -> tuple[OptionKind, Any, bool]:
    """What a type hint means: kind, class, whether null is a value."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        parts = [part for part in typing.get_args(hint) if part is not types.NoneType]
        optional = len(parts) < len(typing.get_args(hint))
        if len(parts) == 1:
            kind, cls, _ = _kind(parts[0])
            return kind, cls, optional
        return OptionKind.COMMAND, None, optional  # the one option of two types: text or words
    origin = typing.get_origin(hint)
    if origin is tuple:
        return OptionKind.TEXTS, None, False
    if origin is not None:  # a mapping: what its values are decides, its keys are always text
        value = typing.get_args(hint)[1]
        return _MAPPINGS.get(value, OptionKind.ENTRIES), value, False
    if attrs.has(hint):
        return OptionKind.GROUP, hint, False
    return _SIMPLE.get(hint, OptionKind.CHOICE), hint, False


_SIMPLE: Mapping[type, OptionKind] = {
    str: OptionKind.TEXT,
    int: OptionKind.WHOLE,
    float: OptionKind.NUMBER,
    bool: OptionKind.SWITCH,
    Path: OptionKind.PATH,
}
_MAPPINGS: Mapping[Any, OptionKind] = {str: OptionKind.TEXT_MAP, Any: OptionKind.ANY_MAP}
