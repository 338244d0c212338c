"""The configuration as a JSON Schema, for editors: made of the same options that load it.

Draft 7, which editors know best. What can only be judged with the whole configuration in view
(names that must exist, limits that contradict each other) `config validate` finds, and no schema.
"""

from typing import Any

from attrs import NOTHING

from agent_runner.config.schema import Option, OptionKind, choices, options_of
from agent_runner.config.writing import DURATION, as_plain
from agent_runner.model.hooks import Hook
from agent_runner.model.options import Reading
from agent_runner.model.settings import ApplySettings, Settings

DRAFT = "http://json-schema.org/draft-07/schema#"

TEXT: dict[str, Any] = {"type": "string", "pattern": r"\S"}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT}
OWN_KEYS: dict[str, Any] = {"^x-": True}
"""Keys that begin with `x-` are the writer's."""


def configuration_schema() -> dict[str, Any]:
    """The schema of `agent-runner.yml`."""
    classes: dict[str, Any] = {}
    schema = _of_class(Settings, classes)
    title = {"$schema": DRAFT, "title": "agent-runner.yml, the configuration of agent-runner"}
    return {**title, **schema, "definitions": dict(sorted(classes.items()))}


def _of_class(cls: type, classes: dict[str, Any]) -> dict[str, Any]:
    """The options of a class; those of classes within it are collected in `classes`."""
    options = options_of(cls)
    required = [name for name, option in options.items() if option.default is NOTHING]
    schema = {
        "type": "object",
        "properties": {name: _described(option, classes) for name, option in options.items()},
        "patternProperties": OWN_KEYS,
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }
    return _with_short_commands(schema) if cls is ApplySettings else schema


def _with_short_commands(schema: dict[str, Any]) -> dict[str, Any]:
    """`commands: {allow: [...]}` for both options in one, as `layers.in_long_form` takes it."""
    commands = schema["properties"]["commands"]
    short = {
        "type": "object",
        "properties": {"allow": TEXTS},
        "required": ["allow"],
        "maxProperties": 1,
    }
    described = {"description": commands.pop("description"), "default": commands.pop("default")}
    schema["properties"]["commands"] = {"anyOf": [commands, short], **described}
    twice = {"properties": {"commands": {"type": "object"}}, "required": ["commands", "allow"]}
    return {**schema, "not": twice}


def _described(option: Option, classes: dict[str, Any]) -> dict[str, Any]:
    shape = _shape(option, classes)
    if option.optional or option.kind in _NOTHING_BELOW:
        shape = {"anyOf": [shape, {"type": "null"}]}
    default = as_plain(option, option.default)
    shown = {} if default is NOTHING else {"default": default}
    return {**shape, "description": option.doc, **shown}


def _shape(option: Option, classes: dict[str, Any]) -> dict[str, Any]:
    match option.kind:
        case OptionKind.GROUP:
            return _referred(option.cls, classes)
        case OptionKind.ENTRIES:
            # a hook may be its command alone, and nothing is no hook; other entries may be empty
            short = [_COMMAND] if option.cls is Hook else [{"type": "null"}]
            entry = {"anyOf": [_referred(option.cls, classes), *short]}
            return {"type": "object", "propertyNames": TEXT, "additionalProperties": entry}
        case OptionKind.CHOICE:
            return {"enum": list(choices(option))}
        case OptionKind.WHOLE | OptionKind.NUMBER:
            return _number(option)
        case _:
            return _SIMPLE[option.kind]


def _referred(cls: type, classes: dict[str, Any]) -> dict[str, Any]:
    if cls.__name__ not in classes:
        classes[cls.__name__] = {}  # holds the place, should a class hold its own kind
        classes[cls.__name__] = _of_class(cls, classes)
    return {"$ref": f"#/definitions/{cls.__name__}"}


def _number(option: Option) -> dict[str, Any]:
    whole = option.kind is OptionKind.WHOLE
    bounds: dict[Reading, dict[str, Any]] = {
        Reading.AT_LEAST_ONE: {"minimum": 1},
        Reading.POSITIVE: {"minimum": 1} if whole else {"exclusiveMinimum": 0},
        Reading.TIMEOUT: {"exclusiveMinimum": 0},
        Reading.NOT_NEGATIVE: {"minimum": 0},
        Reading.DURATION: {"minimum": 0},
    }
    number = {"type": "integer" if whole else "number", **bounds.get(option.reading, {})}
    if option.reading not in {Reading.DURATION, Reading.TIMEOUT}:
        return number
    return {"anyOf": [number, {"type": "string", "pattern": rf"^\s*{DURATION}\s*$"}]}


_SCALAR = {"type": ["string", "number", "boolean"]}

_COMMAND = {"anyOf": [TEXT, {**TEXTS, "minItems": 1}]}

_NOTHING_BELOW = {
    OptionKind.GROUP,
    OptionKind.ENTRIES,
    OptionKind.TEXT_MAP,
    OptionKind.ANY_MAP,
}
"""Mappings, which may have lost all their lines to comments."""

_SIMPLE: dict[OptionKind, dict[str, Any]] = {
    OptionKind.TEXT: TEXT,
    OptionKind.PATH: {**TEXT, "not": {"pattern": "\\x00"}},
    OptionKind.SWITCH: {"type": "boolean"},
    OptionKind.TEXTS: TEXTS,
    OptionKind.COMMAND: _COMMAND,
    OptionKind.TEXT_MAP: {"type": "object", "additionalProperties": _SCALAR},
    OptionKind.ANY_MAP: {"type": "object"},
}
