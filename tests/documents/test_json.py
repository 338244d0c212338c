"""JSON: values, positions, and what is said of mistakes."""

from pathlib import Path

import pytest

from agent_runner.documents import Fields, Items, Source, plain_value, read_document
from agent_runner.documents.json_reader import parse_json
from agent_runner.model.errors import InputError


def test_values_and_positions() -> None:
    text = '{\n  "a": [1, -2.5e1, true, null, "x\\u00e9\\ud83d\\ude00"],\n  "b": {}\n}\n'
    document = parse_json(Source("f.json", text))
    assert plain_value(document.root) == {"a": [1, -25.0, True, None, "xé😀"], "b": {}}
    root = document.root
    assert isinstance(root, Fields)
    items = root.values["a"]
    assert isinstance(items, Items)
    place = document.source.position
    assert place(root.keys["b"].at) == (3, 3)
    assert [place(item.at) for item in items.items] == [(2, 9), (2, 12), (2, 20), (2, 26), (2, 32)]


def test_nothing_is_empty() -> None:
    assert parse_json(Source("f.json", " \n")).empty


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ('{"a": 1,}', "1:8", "a comma is not allowed before"),
        ('{"a" 1}', "1:6", '":" is expected'),
        ("{a: 1}", "1:2", "double quotes"),
        ("{'a': 1}", "1:2", "double quotes only"),
        ("[1 2]", "1:4", '"," or "]" is expected'),
        ("[1,\n 2", "2:3", "the file ends here"),
        ("[NaN]", "1:2", 'not "NaN"'),
        ("[01]", "1:2", "a value is expected"),
        ("[1] x", "1:5", "nothing may follow"),
        ("// c\n1", "1:1", "no comments"),
        ('["a\nb"]', "1:4", "one line"),
        ('["a', "1:2", "a double quote is missing"),
        (r'["\x"]', "1:3", "escape"),
        (r'["\ud800"]', "1:2", "surrogate"),
        (r'["\u0000"]', "1:2", "NUL"),
        ('{"a": 1, "a": 2}', "1:10", "is given twice"),
        ("[" * 100, "1:65", "64 levels"),
        ("9" * 500, "1:1", "a value is expected"),
        ("", "", ""),
    ],
)
def test_mistakes_are_told_with_their_place(text: str, where: str, words: str) -> None:
    try:
        found = [str(problem) for problem in parse_json(Source("f.json", text)).problems]
    except InputError as error:
        found = [str(problem) for problem in error.problems]
    assert len(found) == bool(words)
    for one in found:
        assert one.startswith(f"f.json:{where}: ")
        assert words in one


def test_ten_megabytes_are_read(tmp_path: Path) -> None:
    file = tmp_path / "big.json"
    file.write_text("[" + ",".join(['{"id": "T1", "text": "' + "a" * 1000 + '"}'] * 10_000) + "]")
    root = read_document(file).root
    assert isinstance(root, Items)
    assert len(root.items) == 10_000
