"""Readers under random input: nothing but InputError, and right positions for any tree."""

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, strategies as st

from agent_runner.documents import (
    Fields,
    Items,
    Node,
    Scalar,
    Source,
    plain_value,
    read_document,
    read_value,
)
from agent_runner.documents.json_reader import parse_json
from agent_runner.documents.yaml_reader import parse_yaml
from agent_runner.model.errors import InputError

YAML_PIECES = [
    "a",
    ": ",
    "- ",
    "\n",
    "  ",
    "\t",
    "[",
    "]",
    "{",
    "}",
    ",",
    '"',
    "'",
    "&a ",
    "*a",
    "!x ",
]
YAML_PIECES += [
    "<<: ",
    "? ",
    "|\n",
    ">",
    "#",
    "---\n",
    "...",
    "%YAML 1.1\n",
    "\\",
    "\u2028",
    "é",
    "1",
    "~",
]
FORMATS = st.sampled_from(["f.yml", "f.json"])


def read_bytes(name: str, raw: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, name)
        file.write_bytes(raw)
        with suppress(InputError):
            plain_value(read_document(file).root)


@given(name=FORMATS, raw=st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(name: str, raw: bytes) -> None:
    read_bytes(name, raw)


@given(name=FORMATS, pieces=st.lists(st.sampled_from(YAML_PIECES), max_size=40))
def test_random_yaml_raises_nothing_else(name: str, pieces: list[str]) -> None:
    read_bytes(name, "".join(pieces).encode())


@given(text=st.text(st.characters(exclude_categories=[]), max_size=60))
def test_random_variables_raise_nothing_else(text: str) -> None:
    with suppress(InputError):
        plain_value(read_value(text, name="variable X").root)


class Writer:
    """Writes a tree as YAML or JSON text and notes where it put what, as offsets."""

    def __init__(self) -> None:
        self.text = ""
        self.places: list[int] = []

    def flow(self, value: Any) -> None:
        """JSON, which is YAML too."""
        self.places.append(len(self.text))
        if isinstance(value, dict):
            self.text += "{"
            for n, (key, item) in enumerate(value.items()):
                self.text += ",\n " if n else ""
                self.places.append(len(self.text))
                self.text += json.dumps(key) + ": "
                self.flow(item)
            self.text += "}"
        elif isinstance(value, list):
            self.text += "["
            for n, item in enumerate(value):
                self.text += ", " if n else ""
                self.flow(item)
            self.text += "]"
        else:
            self.text += json.dumps(value)

    def block(self, value: Any, indent: int = 0) -> None:
        """YAML in lines; the first line is begun already."""
        if not value or not isinstance(value, dict | list):
            self.flow(value)
            self.text += "\n"
            return
        self.places.append(len(self.text))
        for n, item in enumerate(value):
            self.text += " " * indent if n else ""
            if isinstance(value, list):
                self.text += "- "
                self.block(item, indent + 2)
                continue
            self.places.append(len(self.text))
            self.text += json.dumps(item) + ":"
            inner = value[item]
            nested = inner and isinstance(inner, dict | list)
            self.text += "\n" + " " * (indent + 2) if nested else " "
            self.block(inner, indent + 2)


def places(node: Node) -> list[int]:
    """Offsets in the order in which `Writer` writes."""
    found = [node.at]
    if isinstance(node, Items):
        for item in node.items:
            found += places(item)
    if isinstance(node, Fields):
        for _, key, item in node:
            found += [key.at, *places(item)]
    return found


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(WORDS.filter(lambda word: len(word) < 12), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("style", ["flow", "block"])
@given(tree=TREES)
def test_any_tree_is_read_back_with_its_positions(style: str, tree: Any) -> None:
    writer = Writer()
    getattr(writer, style)(tree)
    readers = [parse_yaml, parse_json] if style == "flow" else [parse_yaml]
    for read in readers:
        document = read(Source("f", writer.text))
        assert plain_value(document.root) == tree
        assert places(document.root) == writer.places
        assert not document.problems


@given(text=st.text(max_size=80), at=st.integers(0, 80))
def test_positions_count_lines_and_columns_from_one(text: str, at: int) -> None:
    at = min(at, len(text))
    before = text[:at].split("\n")
    assert Source("f", text).position(at) == (len(before), len(before[-1]) + 1)


def test_scalars_keep_how_they_were_written() -> None:
    root = parse_yaml(Source("f", "1.10")).root
    assert isinstance(root, Scalar)
    assert (root.value, root.text) == (1.1, "1.10")
