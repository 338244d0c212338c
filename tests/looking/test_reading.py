"""`read_file` and `list_files`: what was asked, what is there, what is left out."""

import re

import pytest
from hypothesis import given, strategies as st

from agent_runner.looking.arguments import Given
from agent_runner.looking.pages import MOST_CHARACTERS, page_of, rows_of
from tests.looking.scene import Scene, call

LINES = "".join(f"line {number}\n" for number in range(1, 913))


def test_a_page_begins_with_what_was_asked_and_ends_with_the_next_call(scene: Scene) -> None:
    scene.write({"src/a.py": LINES})
    text = scene.text("read_file", path="src/a.py")
    assert text.startswith("src/a.py lines 1-400 of 912\nline 1\nline 2\n")
    assert text.endswith("line 400\n[lines 401-912 not shown: ask with start_line 401]")
    text = scene.text("read_file", path="src/a.py", start_line=900)
    assert text.startswith("src/a.py lines 900-912 of 912\nline 900\n")
    assert text.endswith("\nline 912\n")


def test_lines_asked_for_are_all_that_is_shown(scene: Scene) -> None:
    scene.write({"a.py": LINES})
    assert scene.text("read_file", path="a.py", start_line=2, end_line=3) == (
        "a.py lines 2-3 of 912\nline 2\nline 3\n"
    )
    assert scene.text("read_file", path="a.py", start_line=-1).endswith("\nline 912\n")


@pytest.mark.parametrize(
    "arguments",
    [
        {"path": "a.py", "start_line": "2", "end_line": "3"},
        {"file_path": "./a.py", "start_line": 2.0, "end_line": 3},
        {"filePath": "a.py", "startLine": 2, "endLine": 3},
        {"file": "a.py", "offset": 2, "limit": 2},
        {"path": ["a.py"], "view_range": [2, 3]},
        {"path": "a.py:2-3"},
        {"path": "a.py#L2-L3"},
        '{"path": "a.py", "start_line": 2, "end_line": 3}',
        '"{\\"path\\": \\"a.py\\", \\"start_line\\": 2, \\"end_line\\": 3}"',
        '[{"path": "a.py", "start_line": 2, "end_line": 3}]',
        '"a.py:2-3"',
    ],
)
def test_arguments_of_other_harnesses_are_understood(scene: Scene, arguments: object) -> None:
    scene.write({"a.py": LINES})
    assert scene.text("read_file", arguments) == "a.py lines 2-3 of 912\nline 2\nline 3\n"


def test_an_absolute_path_below_the_root_is_taken(scene: Scene) -> None:
    scene.write({"src/a.py": "x\n"})
    path = str(scene.root / "src" / "a.py")
    assert scene.text("read_file", path=path) == "src/a.py lines 1-1 of 1\nx\n"


def test_what_is_ignored_is_named(scene: Scene) -> None:
    scene.write({"a.py": "x\n"})
    text = scene.text("read_file", path="a.py", encoding="utf-8", file_path="b.py")
    assert text.endswith(
        "x\n[ignored: encoding, file_path; the arguments are path, start_line, end_line]"
    )


def test_an_empty_file_and_a_missing_newline_are_said(scene: Scene) -> None:
    scene.write({"empty": "", "bare": "a\nb"})
    assert scene.text("read_file", path="empty") == "`empty` is empty (0 bytes)."
    assert scene.text("read_file", path="bare") == (
        "bare lines 1-2 of 2\na\nb\n[no newline at its end]"
    )


def test_a_long_line_is_cut_and_says_so(scene: Scene) -> None:
    scene.write({"min.js": "x" * 5_000 + "\ny\n"})
    text = scene.text("read_file", path="min.js")
    assert f"{'x' * 2_000} [... 3,000 more characters on this line]\ny\n" in text


@given(
    lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=80)),
    bare=st.booleans(),
    room=st.integers(3_000, 30_000),
)
def test_pages_put_together_are_the_file(lines: list[str], bare: bool, room: int) -> None:
    text = "\n".join(lines * 20) + ("" if bare else "\n")
    rows = rows_of(text)
    shown, at = "", 1
    while at <= len(rows):
        page = page_of(rows, Given({"start_line": at}), room, "it")
        assert page.first == at
        assert len(page.text) <= min(room, MOST_CHARACTERS)
        assert page.last - page.first < 400
        found = re.fullmatch(r"\[lines (\d+)-\d+ not shown: ask with start_line (\d+)\]", page.rest)
        assert bool(found) == (page.last < len(rows))
        shown, at = shown + page.text, page.last + 1
        assert found is None or int(found[2]) == at
    assert shown == text


def test_errors_say_what_to_do(scene: Scene) -> None:
    scene.write({"src/parse_config.py": "x\n", "docs/a.md": "x\n"})
    assert scene.error("read_file", path="parse_config.py") == (
        "read_file: `parse_config.py` is not shown: there is no such file;"
        " did you mean `src/parse_config.py`?"
    )
    assert "did you mean `src/parse_config.py`?" in scene.error(
        "read_file", path="src/parse_cfg.py"
    )
    assert scene.error("read_file", path="src") == (
        'read_file: `src` is a folder with 1 file: ask list_files with path "src".'
    )
    assert scene.error("read_file", path="docs/a.md", start_line=9) == (
        "read_file: `docs/a.md` has 1 line; start_line 9 is past its end."
    )
    assert "outside the task's folder" in scene.error("read_file", path="../a")
    assert "outside the task's folder" in scene.error("read_file", path="/etc/passwd")
    assert scene.error("read_file") == (
        "read_file: `path` is missing; the arguments are `path`, `start_line`, `end_line`."
    )
    assert scene.error("read_file", path="docs/a.md", start_line="two") == (
        "read_file: `start_line` must be a whole number, not `two`."
    )
    assert scene.error("read_file", '{"path": "a" "b"}') == (
        "read_file: the arguments are not JSON: Expecting ',' delimiter at line 1 column 14"
        ' (character 13 of 17), near `{"path": "a" "b"}`.'
    )
    assert "must be a JSON object, not a number" in scene.error("read_file", "5")
    assert scene.error("read_files", path="a").startswith(
        "there is no tool `read_files`; the tools are "
    )
    assert scene.error("read_files", path="a").endswith('Did you mean "read_file"?')


def test_a_listing_counts_the_files_of_deep_folders(scene: Scene) -> None:
    scene.write({"a.py": "12345", "src/b.py": "1", "src/x/c.py": "", "src/x/y/d.py": ""})
    assert scene.text("list_files") == (
        ".: 4 files, 2 folders deep (sizes in bytes)\na.py  5\nsrc/b.py  1\nsrc/x/ (2 files)"
    )
    assert scene.text("list_files", path="src", depth=1) == (
        "src: 3 files, 1 folder deep (sizes in bytes)\nsrc/b.py  1\nsrc/x/ (2 files)"
    )
    assert scene.text("list_files", path="**/*.py", depth=1).count("\n") == 4
    assert scene.text("list_files", path="a.py") == "a.py: 1 file (sizes in bytes)\na.py  5"
    assert "no file matches `*.rs` (4 files in all)" in scene.error("list_files", path="*.rs")


def test_a_long_listing_closes_folders_and_then_says_how_to_go_on(scene: Scene) -> None:
    scene.write({f"p{n % 9}/f{n:03}.py": "" for n in range(300)})
    text = scene.text("list_files")
    assert "p0/ (34 files)" in text
    assert text.endswith("[too many for depth 2: ask with the path of a folder]")
    scene.write({f"f{n:03}": "" for n in range(300)})
    lines = scene.text("list_files").splitlines()
    assert len(lines) == 203
    assert lines[-1] == (
        '[109 lines not shown, from `f200` on: ask with a glob in path, such as "./f2*"]'
    )
    assert scene.text("list_files", path="./f2*").startswith("./f2*: 100 files")


def test_an_empty_folder_is_said(scene: Scene) -> None:
    assert scene.text("list_files") == "The task's folder has no files yet."


def test_a_reply_has_eight_looks_and_sixty_thousand_characters(scene: Scene) -> None:
    scene.write({"a.py": "x\n", "long": "x" * 100 + "\n", "b": ("y" * 99 + "\n") * 500})
    answered = scene.answered(*[call("read_file", path="a.py") for _ in range(10)])
    assert [answer.is_error for answer in answered.answers] == [False] * 8 + [True] * 2
    assert answered.answers[8].text == (
        "not run: at most 8 a reply; ask for it in your next reply."
    )
    answered = scene.answered(*[call("read_file", path="b") for _ in range(4)])
    texts = [answer.text for answer in answered.answers]
    assert sum(map(len, texts)) <= 60_000
    assert texts[3].startswith("not run: at most 60,000 characters a reply")


def test_looks_say_in_few_words_what_was_seen(scene: Scene) -> None:
    scene.write({"a.py": LINES})
    calls = [
        call("read_file", path="a.py", start_line=1, end_line=40),
        call("read_file", path="b"),
        call("list_files"),
    ]
    looks = scene.answered(*calls).looks
    assert [(look.tool, look.brief, look.outcome, look.is_error) for look in looks] == [
        ("read_file", "a.py 1-40", "40 of 912 lines", False),
        ("read_file", "b", "there is no such file", True),
        ("list_files", "", "1 file", False),
    ]


def test_tools_are_offered_sorted_with_strict_schemas(scene: Scene) -> None:
    specs = scene.toolbox.specs
    assert [spec.name for spec in specs] == sorted(spec.name for spec in specs)
    for spec in specs:
        assert spec.parameters["additionalProperties"] is False
        for one in spec.parameters["properties"].values():
            assert one["type"] in {"string", "integer", "boolean"}
            assert one["description"]
