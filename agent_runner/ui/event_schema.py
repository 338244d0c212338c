"""The JSON schema of `--json`, made from the event classes, so that the two cannot differ."""

import enum
import json
import re
import sys
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from agent_runner.model import facts
from agent_runner.model.events import WRITTEN_AS
from agent_runner.model.states import TaskState
from agent_runner.store.codec import KINDS
from agent_runner.ui.jsonl import VERSION

_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    Path: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
}


def event_schema() -> dict[str, Any]:
    """The schema of one line of `--json`, as JSON Schema 2020-12."""
    definitions: dict[str, Any] = {}
    data = [
        {
            "if": {"properties": {"kind": {"const": cls.__name__}}},
            "then": {"properties": {"data": _of(cls, definitions)}},
        }
        for cls in KINDS.values()
    ]
    state = {"type": ["string", "null"], "enum": [*(s.value for s in TaskState), None]}
    properties = {
        "v": {"const": VERSION, "description": "version of this form"},
        "seq": {"type": "integer", "minimum": 1, "description": "number in the journal"},
        "at": {"type": "string", "format": "date-time", "description": "UTC"},
        "kind": {"enum": list(KINDS), "description": "what happened"},
        "task": {"type": ["string", "null"], "description": "id; null for the run's own events"},
        "to": {**state, "description": "the state moved to; null if it moved nothing"},
        "data": {"type": "object", "description": "the event's fields, by kind"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of agent-runner run --json",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "allOf": data,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """The schema as docs/events.schema.json has it; this file, run as a module, prints it."""
    return json.dumps(event_schema(), indent=1, ensure_ascii=True) + "\n"


def with_words(text: str) -> str:
    """A description in which `a word of CONSTANT` lists those words, for readers of no source."""
    listed = ", ".join
    return re.sub(
        r"a word of `([A-Z_]+)`", lambda named: f"one of {listed(getattr(facts, named[1]))}", text
    )


def _of(annotation: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of one type; a class is defined once, in `definitions`, and referred to."""
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {typing.Union, types.UnionType}:
        return {"anyOf": [_of(each, definitions) for each in arguments]}
    if origin is tuple:
        return {"type": "array", "items": _of(arguments[0], definitions)}
    if origin in {dict, Mapping}:
        return {"type": "object", "additionalProperties": _of(arguments[1], definitions)}
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return {"enum": [each.value for each in annotation]}
    name = annotation.__name__
    if name not in definitions:
        definitions[name] = {}  # holds the place, should a class refer to itself
        definitions[name] = _of_class(annotation, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _of_class(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    fields = attrs.fields(attrs.resolve_types(cls))
    described = with_words(" ".join((cls.__doc__ or "").split()))
    return {
        "type": "object",
        "description": described.replace("`", ""),
        "properties": {_name(each): _of(each.type, definitions) for each in fields},
        "required": [_name(each) for each in fields],
    }


def _name(field: "attrs.Attribute[Any]") -> str:
    """The field's name as it is printed, which may be that of an earlier release."""
    return str(field.metadata.get(WRITTEN_AS, field.name))


if __name__ == "__main__":
    sys.stdout.write(schema_text())
