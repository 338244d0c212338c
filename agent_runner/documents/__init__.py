"""YAML and JSON read into trees that know where every value stands."""

from agent_runner.documents.expect import Expect
from agent_runner.documents.reading import read_document, read_value
from agent_runner.documents.tree import (
    Document,
    Fields,
    Items,
    Node,
    Scalar,
    Source,
    described,
    plain_value,
    quoted,
)
from agent_runner.documents.yaml_reader import has_c_parser
from agent_runner.ground.suggestions import Suggestions

__all__ = [
    "Document",
    "Expect",
    "Fields",
    "Items",
    "Node",
    "Scalar",
    "Source",
    "Suggestions",
    "described",
    "has_c_parser",
    "plain_value",
    "quoted",
    "read_document",
    "read_value",
]
