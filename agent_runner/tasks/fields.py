"""The fields of a task as people write them, each with a line on it; the list's JSON Schema."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

MAX_ID_BYTES = 100
"""Longest id in UTF-8. File systems take 255; some of it is left for what is put around it."""

_TEXT: dict[str, Any] = {"type": "string", "pattern": r"\S"}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_CONFIGURED = "as configured"
_DEFAULTS = "defaults of the configuration"


@frozen
class TaskField:
    """One field.

    Attributes:
        shape: The JSON Schema of its value.
        left_out: What holds where the field is left out.
        takes_null: Whether null is as good as leaving it out.
    """

    doc: str
    shape: Mapping[str, Any]
    left_out: str = "none"
    required: bool = False
    takes_null: bool = True


FIELDS: Mapping[str, TaskField] = {
    "id": TaskField(
        "names the task, in the state and as a folder of logs",
        {
            "type": "string",
            "maxLength": MAX_ID_BYTES,
            "pattern": r"""^(?![.\-\s])[^/\\:*?"<>|\x00-\x1f\x7f]*[^/\\:*?"<>|\x00-\x1f\x7f\s]$""",
        },
        required=True,
    ),
    "title": TaskField(
        "one line", {**_TEXT, "not": {"pattern": r"\S[\s\S]*\n[\s\S]*\S"}}, required=True
    ),
    "description": TaskField(
        "what is to be done, as you would tell a colleague", _TEXT, required=True
    ),
    "path": TaskField(
        "the task's root, relative to the list's folder: hooks run there",
        _TEXT,
        "the list's folder",
    ),
    "pre_hooks": TaskField(
        "hooks to run before the agent, in place of the default ones",
        _TEXTS,
        _DEFAULTS,
        takes_null=False,
    ),
    "post_hooks": TaskField(
        "hooks that judge, in place of the default ones; [] for none",
        _TEXTS,
        _DEFAULTS,
        takes_null=False,
    ),
    "depends_on": TaskField("ids of tasks that have to pass first", _TEXTS),
    "files": TaskField("globs of what the model is shown", _TEXTS),
    "protect": TaskField("globs of what the model may not change", _TEXTS),
    "may_change": TaskField("globs of what judges and may be changed all the same", _TEXTS),
    "provider": TaskField("who is asked for this task", _TEXT, _CONFIGURED),
    "model": TaskField("the model that is asked, as its provider spells it", _TEXT, _CONFIGURED),
    "max_attempts": TaskField(
        "attempts before a person is asked",
        {"type": "integer", "minimum": 1},
        "max_attempts_per_task",
    ),
    "template": TaskField("a prompt template for this task, beside the list", _TEXT, _CONFIGURED),
    "metadata": TaskField("anything; for templates and for you", {"type": "object"}),
}
"""All fields of a task, in the order of the documentation."""

KEYS = tuple(FIELDS)
REQUIRED = tuple(name for name, field in FIELDS.items() if field.required)


def task_list_schema() -> dict[str, Any]:
    """The schema of `tasks.yml`, draft 7, which editors know best.

    What needs the whole list or the configuration (ids that stand twice, hooks that are not
    defined) `config validate` finds, and no schema.
    """
    task = {
        "type": "object",
        "properties": {name: _described(field) for name, field in FIELDS.items()},
        "patternProperties": {"^x-": True},
        "additionalProperties": False,
        "required": list(REQUIRED),
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "tasks.yml, a task list of agent-runner",
        "description": "the tasks, done in this order; a list of its own will do as well",
        "type": ["object", "array"],
        "properties": {"tasks": {"type": "array", "minItems": 1, "items": task}},
        "patternProperties": {"^x-": True},
        "additionalProperties": False,
        "required": ["tasks"],
        "minItems": 1,
        "items": task,
    }


def _described(field: TaskField) -> dict[str, Any]:
    shape = dict(field.shape)
    if field.takes_null and not field.required:
        shape = {"anyOf": [shape, {"type": "null"}]}
    end = "required" if field.required else f"left out: {field.left_out}"
    return {**shape, "description": f"{field.doc} ({end})"}
