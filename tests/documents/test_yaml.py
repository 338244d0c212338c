"""YAML: the right reading, or a clear word about what is wrong and where."""

import importlib.util
import time
from pathlib import Path

import pytest

from agent_runner.documents import Document, Fields, Items, Source, plain_value, read_document
from agent_runner.documents.yaml_reader import parse_yaml, parse_yaml_in_python
from agent_runner.model.errors import InputError

PARSERS = [
    pytest.param(parse_yaml_in_python, id="python"),
    pytest.param(
        parse_yaml,
        id="c",
        marks=pytest.mark.skipif(
            not any(
                importlib.util.find_spec(name)
                for name in (
                    "_ruamel_yaml",
                    "_ruamel_yaml_clibz",
                    "ruamel.yaml.clib",
                    "ruamel.yaml.clibz",
                )
            ),
            reason="the C extension of ruamel.yaml is not installed",
        ),
    ),
]


def read(text: str) -> Document:
    return parse_yaml(Source("f.yml", text))


def value(text: str) -> object:
    document = read(text)
    assert not document.problems
    return plain_value(document.root)


def mistakes(text: str) -> list[str]:
    try:
        return [str(problem) for problem in read(text).problems]
    except InputError as error:
        return [str(problem) for problem in error.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("off", "off"),
        ("On", "On"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("Null", None),
        ("12", 12),
        ("-0", 0),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("1_000", "1_000"),
        ("1.10", 1.1),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("12:30:45", "12:30:45"),
        ("2026-01-02", "2026-01-02"),
        ("1.2.3", "1.2.3"),
        ('"12"', "12"),
        ("'true'", "true"),
        ("!!str 12", "12"),
        ("9" * 500, "9" * 500),
        ("-", [None]),
        ("|\n  a\n  b\n", "a\nb\n"),
        (">\n  a\n  b\n", "a b\n"),
    ],
)
def test_words_are_those_of_yaml_1_2(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_every_value_knows_its_line_and_column() -> None:
    document = read("# list\ntasks:\n  - id: T1\n    files: [a, 'b c']\n  - {id: T2}\n")
    root = document.root
    assert isinstance(root, Fields)
    tasks = root.values["tasks"]
    assert isinstance(tasks, Items)
    first, second = tasks.items
    assert isinstance(first, Fields)
    assert isinstance(second, Fields)
    files = first.values["files"]
    assert isinstance(files, Items)
    place = document.source.position
    assert place(root.keys["tasks"].at) == (2, 1)
    assert place(first.at) == (3, 5)
    assert place(first.values["id"].at) == (3, 9)
    assert [place(item.at) for item in files.items] == [(4, 13), (4, 16)]
    assert place(second.values["id"].at) == (5, 10)


def test_an_empty_value_stands_at_its_key() -> None:
    document = read("a:\n\n\nb: 1\n")
    assert isinstance(document.root, Fields)
    assert document.source.position(document.root.values["a"].at) == (1, 1)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "null\n"])
def test_a_file_without_content_is_empty(text: str) -> None:
    assert read(text).empty


def test_duplicate_keys_are_told_and_the_rest_is_read() -> None:
    document = read("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert [str(problem) for problem in document.problems] == [
        'f.yml:2:11: the key "c" is given twice (the first one is on line 2)',
        'f.yml:3:1: the key "a" is given twice (the first one is on line 1)',
    ]
    assert plain_value(document.root) == {"a": 1, "b": {"c": 1}}


def test_merge_keys_give_way_to_the_keys_beside_them() -> None:
    assert value("x: &x {a: 1, b: 1}\ny: &y {c: 3}\nz: {b: 2, <<: [*x, *y]}\n") == {
        "x": {"a": 1, "b": 1},
        "y": {"c": 3},
        "z": {"b": 2, "a": 1, "c": 3},
    }
    assert "<< takes a mapping" in mistakes("a: {<<: 5}")[0]
    assert value('"<<": 1') == {"<<": 1}


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("a:\n\tb: 1\n", "f.yml:2:1", "a tab is used where YAML allows only spaces"),
        ("a: b: c\n", "f.yml:1:5", "mapping values are not allowed"),
        ("a: [1, 2\n", "f.yml:2:1", "a bracket is not closed"),
        ("a: 'b\n", "f.yml:2:1", "a quote is not closed"),
        ("a: @b\n", "f.yml:1:4", "needs quotes"),
        ("a: *b\n", "f.yml:1:4", '"*b" refers to nothing'),
        ("a: &b [*b]\n", "f.yml:1:8", "refers to a value that contains it"),
        ("a: 1\n---\nb: 2\n", "f.yml:2:1", "a second document"),
        ("? [a]\n: 1\n", "f.yml:1:3", "a key must be a word"),
        ("a: !!python/name:os.system x\n", "f.yml:1:4", "is not supported"),
        ("a: !!int x\n", "f.yml:1:4", '"x" is no int'),
        ('a: "\\0"\n', "f.yml:1:4", "NUL"),
        ('a: "\\ud800"\n', "f.yml:1", ""),
        ('a: "\\U99999999"\n', "f.yml:1", "not valid YAML"),
        ("[" * 100, "f.yml:1:65", "64 levels"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, where: str, words: str) -> None:
    found = mistakes(text)
    assert len(found) == 1
    assert found[0].startswith(where)
    assert words in found[0]


def test_exploding_aliases_are_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    began = time.process_time()
    assert "the aliases expand to more than 1,000,000 values" in mistakes("\n".join(lines))[0]
    assert time.process_time() - began < 2


def test_a_chain_of_aliases_is_not_deeper_than_nesting_may_be() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200)]
    assert "64 levels" in mistakes("\n".join(lines))[0]


@pytest.mark.parametrize("char", ["\x85", "\u2028", "\u2029"])
def test_only_newlines_end_a_line(char: str) -> None:
    document = read(f"a: x{char}y\nb: 1\n")
    assert plain_value(document.root) == {"a": f"x{char}y", "b": 1}
    assert isinstance(document.root, Fields)
    assert document.source.position(document.root.keys["b"].at) == (2, 1)


@pytest.mark.parametrize("parse", PARSERS)
def test_both_parsers_build_the_same_tree(parse: object) -> None:
    text = "a: &x {b: [1, 'two', null]}\nc:\n  - *x\n  - d: |\n      e\n    f:\n"
    assert callable(parse)
    document = parse(Source("f.yml", text))
    assert plain_value(document.root) == {
        "a": {"b": [1, "two", None]},
        "c": [{"b": [1, "two", None]}, {"d": "e\n", "f": None}],
    }
    assert document.root.values["c"].items[1].values["f"].at == text.index("f:")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        (b"a: |\r\n  x\r\n  y\r\n", {"a": "x\ny\n"}),
        (b"a: 1\rb: 2\r", {"a": 1, "b": 2}),
        ("a: Grüße 😀\n".encode(), {"a": "Grüße 😀"}),
    ],
)
def test_bytes_that_are_read_right(tmp_path: Path, raw: bytes, expected: object) -> None:
    file = tmp_path / "f.yml"
    file.write_bytes(raw)
    assert plain_value(read_document(file).root) == expected


@pytest.mark.parametrize(
    ("raw", "where", "words"),
    [
        ("a: é\n".encode("latin-1"), ":1:4", "byte 0xe9 is not UTF-8"),
        (b"a: 1\r\nb: \xff\n", ":2:4", "byte 0xff is not UTF-8"),
        ("a: 1\n".encode("utf-16"), "", "UTF-16"),
        ("a: 1\n".encode("utf-16-le"), ":1:2", "UTF-16"),
        (b"a: \x07\n", ":1:4", "U+0007"),
    ],
)
def test_bytes_that_are_refused(tmp_path: Path, raw: bytes, where: str, words: str) -> None:
    file = tmp_path / "f.yml"
    file.write_bytes(raw)
    with pytest.raises(InputError) as caught:
        read_document(file, name="f.yml")
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"f.yml{where}: ")
    assert words in str(problem)


def test_a_yaml_file_of_10_mb_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "big.yml"
    file.write_bytes(b"- a\n" * 2_500_000)
    with pytest.raises(InputError, match=r"larger than 8 MiB.*split it, or write it as JSON"):
        read_document(file)


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "tasks.yaml").write_text("a: 1\n")
    with pytest.raises(InputError, match=r"there is no such file \(did you mean tasks.yaml"):
        read_document(tmp_path / "tasks.yml")
    with pytest.raises(InputError, match="this is a folder"):
        read_document(tmp_path)
    with pytest.raises(InputError, match="not a regular file"):
        read_document(Path("/dev/zero"))
    with pytest.raises(InputError, match="cannot be read"):
        read_document(Path("a\0b"))
