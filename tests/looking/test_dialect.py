"""The looking tools in text: a fence is read strictly, and becomes the calls of native tools."""

import json

import pytest
from hypothesis import given, strategies as st

from agent_runner.edits.parse import parse_reply
from agent_runner.looking.dialect import as_text, forms, read_requests
from tests.looking.scene import ALL, Scene


@pytest.mark.parametrize(
    ("line", "name", "arguments"),
    [
        ("read_file src/a.py", "read_file", {"path": "src/a.py"}),
        (
            "read_file src/a.py 1-400",
            "read_file",
            {"path": "src/a.py", "start_line": 1, "end_line": 400},
        ),
        (
            'read_file "my file.py" 7',
            "read_file",
            {"path": "my file.py", "start_line": 7, "end_line": 7},
        ),
        ("- list_files", "list_files", {}),
        ("list_files src 3", "list_files", {"path": "src", "depth": "3"}),
        (
            r'search "def \w+\(x, \"y\"" src/**',
            "search",
            {"pattern": r'def \w+\(x, "y"', "path": "src/**"},
        ),
        ("search 'a b' ignore_case context=2", "search", None),
        (r"search \bfoo\b", "search", {"pattern": r"\bfoo\b"}),
        ("git_log path=src/a.py count=3", "git_log", {"path": "src/a.py", "count": "3"}),
        (
            "git_diff HEAD~1 HEAD path=a.py",
            "git_diff",
            {"from_revision": "HEAD~1", "to_revision": "HEAD", "path": "a.py"},
        ),
        ('hook_output unit pattern="E  "', "hook_output", {"hook": "unit", "pattern": "E  "}),
    ],
)
def test_a_line_is_a_call(line: str, name: str, arguments: dict[str, object] | None) -> None:
    requests = read_requests([line], ALL)
    assert not requests.wrong
    assert requests.calls[0].name == name
    quoted = {"pattern": "a b", "ignore_case": True, "context": "2"}
    wanted = quoted if arguments is None else arguments
    assert json.loads(requests.calls[0].arguments) == wanted


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("", "the fence is empty."),
        ("I would like to see a.py", "a line begins with one of git_diff, git_log, hook_output, "),
        ("rm -rf .", "a line begins with one of"),
        ("edit_file a.py", "a line begins with one of"),
        ("read_file", "path is missing; write `read_file PATH [FIRST-LAST]`."),
        ("read_file a.py b.py", "`b.py` names no lines"),
        ("read_file a.py 1-4 and more", "`and` is one word too many; put a text in quotes"),
        ('search "def main', "the quotes are not closed"),
        ('read_file zz="1"', "there is no `zz`"),
    ],
)
def test_anything_else_is_answered_with_what_is_wrong(line: str, wrong: str) -> None:
    requests = read_requests([line, "read_file a.py"], ALL)
    assert [call.name for call in requests.calls] == ["read_file"]
    assert wrong in requests.wrong[0]


def test_a_reply_with_a_fence_is_looked_up_and_answered_as_text(scene: Scene) -> None:
    scene.write({"a.md": "```\ncode\n```\n"})
    reply = parse_reply("Let me see.\n\n```look\nread_file a.md\nplease\n```\n")
    assert reply.no_change is None
    assert reply.looks == ("read_file a.md", "please")
    requests = read_requests(reply.looks, ALL)
    text = as_text(requests, scene.answered(*requests.calls).answers)
    assert text.startswith(
        '`read_file path="a.md"`\n````\na.md lines 1-3 of 3\n```\ncode\n```\n````\n'
    )
    assert "Not understood:\n\n- `please`: a line begins with one of" in text
    assert parse_reply("```look\n```\n").looks == ("",)


def test_forms_are_those_of_what_is_offered() -> None:
    assert "read_file PATH [FIRST-LAST]" in forms(ALL)
    assert len(forms(ALL)) == 6


@given(st.lists(st.text(max_size=40), max_size=30))
def test_any_lines_are_read(lines: list[str]) -> None:
    requests = read_requests(lines, ALL)
    assert len(requests.calls) + len(requests.wrong) == min(len(lines), 20) + (len(lines) > 20)
