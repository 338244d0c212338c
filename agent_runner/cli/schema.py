"""`agent-runner schema`: JSON Schemas of what people write and of what programs read."""

import enum
import json
from typing import Annotated, Any

import typer


class What(enum.StrEnum):
    """What there is a schema of."""

    TASKS = "tasks"
    CONFIG = "config"
    EVENTS = "events"


def schema(
    what: Annotated[
        What,
        typer.Argument(
            metavar="tasks|config|events",
            help="The task list, the configuration, or a line of `run --json`.",
            show_default=False,
        ),
    ],
) -> int:
    """Print a JSON Schema, for editors and programs. It is made of the classes that do the reading.

    Editors take it from a first line such as `# yaml-language-server: $schema=FILE`.
    """
    print(json.dumps(schema_of(what), indent=1))  # noqa: T201  # ours alone: it quotes nobody
    return 0


def schema_of(what: What) -> dict[str, Any]:
    """The JSON Schema of one of them."""
    if what is What.TASKS:
        from agent_runner.tasks.fields import task_list_schema

        return task_list_schema()
    if what is What.CONFIG:
        from agent_runner.config.json_schema import configuration_schema

        return configuration_schema()
    from agent_runner.ui.event_schema import event_schema

    return event_schema()
