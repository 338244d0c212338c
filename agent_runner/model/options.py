"""How a field of a settings class is declared to be an option of the configuration file.

The field's name is the key, its type says what is accepted, its metadata holds the line of
documentation and how the text is read.
"""

import enum
from typing import Any

from attrs import NOTHING, Factory, field


class Reading(enum.StrEnum):
    """How the text of an option is read, where its type alone does not say it.

    DURATION: `90s`, `1h30m` or seconds, 0 included; TIMEOUT: the same, but more than 0.
    PATH: relative to the folder of the file it stands in. SECRET: never shown.
    """

    PLAIN = "plain"
    DURATION = "duration"
    TIMEOUT = "timeout"
    PATH = "path"
    SECRET = "secret"  # noqa: S105  # a word, no password
    AT_LEAST_ONE = "at_least_one"
    NOT_NEGATIVE = "not_negative"
    POSITIVE = "positive"


def option(default: Any, doc: str, *, reading: Reading = Reading.PLAIN, example: str = "") -> Any:
    """An attrs field that is an option of the configuration, with its default.

    `doc`: one line for the example file and the docs. `example`: a value worth showing beside the
    default.
    """
    wrapped = Factory(type(default)) if isinstance(default, dict) else default
    metadata = {"doc": doc, "reading": reading, "example": example}
    return field(
        default=wrapped,
        kw_only=True,
        metadata=metadata,
        hash=not isinstance(default, dict),
        repr=reading is not Reading.SECRET,
    )


def required(doc: str, *, example: str) -> Any:
    """An attrs field that is an option without a default: it must be given."""
    metadata = {"doc": doc, "reading": Reading.PLAIN, "example": example}
    return field(default=NOTHING, metadata=metadata)


def group(cls: type, doc: str) -> Any:
    """An attrs field that holds a group of options, which are the fields of `cls`."""
    return field(
        factory=cls, kw_only=True, metadata={"doc": doc, "reading": Reading.PLAIN, "example": ""}
    )
