"""`search`: what is found, what is left out, and that it always comes to an end."""

import re
import time
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from hypothesis import given, settings, strategies as st

from agent_runner.looking import search_child
from agent_runner.looking.search_run import searched
from tests.looking.scene import Scene, call


def test_matches_stand_by_file_with_their_numbers(scene: Scene) -> None:
    scene.write({"a.py": "import os\ndef main():\n    main()\n", "b/c.py": "main\n", "d": "x\n"})
    assert scene.text("search", pattern="main") == (
        '"main": 3 matches in 2 files\n'
        "a.py\n    2: def main():\n    3:     main()\nb/c.py\n    1: main"
    )
    assert scene.text("search", pattern=r"def \w+", path="*.py", context=1) == (
        '"def \\w+" in *.py: 1 match in 1 file\n'
        "a.py\n    1- import os\n    2: def main():\n    3-     main()"
    )


def test_no_match_is_said_with_a_word_that_comes_near(scene: Scene) -> None:
    scene.write({"a.py": "def parse_config(): ...\n"})
    assert scene.text("search", pattern="parse_cfg") == (
        'no match for "parse_cfg" in 1 file; did you mean `parse_config`?'
    )
    assert scene.text("search", pattern="Parse_Config", path="a.py").endswith("`parse_config`?")
    assert scene.text("search", pattern="zzz") == 'no match for "zzz" in 1 file.'


def test_case_and_literal_text(scene: Scene) -> None:
    scene.write({"a": "Foo(x)\n"})
    assert "1 match" in scene.text("search", pattern="foo", ignore_case="true")
    assert "1 match" in scene.text("search", pattern="Foo(", literal=True)
    assert scene.error("search", pattern="Foo(") == (
        'search: "Foo(" is no regular expression of Python\'s: missing ), unterminated subpattern'
        " at position 3; set literal to search for the text as it stands."
    )
    assert scene.error("search", pattern="") == (
        "search: `pattern` is empty; list_files lists files."
    )


def test_what_is_too_much_is_counted(scene: Scene) -> None:
    scene.write({f"f{n:02}.py": "hit\n" * 30 for n in range(60)})
    text = scene.text("search", pattern="hit")
    assert text.startswith('"hit": 1,800 matches in 60 files\nf00.py  [10 more here: ask with path')
    assert text.count(": hit") == 50
    assert "\nf32.py (30)\n[matches in 27 more files not shown: narrow it with path" in text
    one = scene.text("search", pattern="hit", path="f00.py")
    assert one.count(": hit") == 30


def test_long_lines_are_cut_around_the_match(scene: Scene) -> None:
    scene.write({"min.js": "x" * 50_000 + "needle" + "y" * 50_000 + "\n"})
    text = scene.text("search", pattern="needle")
    assert len(text) < 300
    assert "xneedley" in text


def test_what_is_no_text_is_not_searched_and_said(scene: Scene) -> None:
    scene.write({"a": "hit\n", "b": b"hit\0", "c": b"hit\xff"})
    text = scene.text("search", pattern="hit|x")
    assert text.startswith('"hit|x": 1 match in 1 file')
    assert text.endswith("[2 files not searched: they are no UTF-8 text, too large, or a link]")


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(x+x+)+y", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_a_pattern_that_never_ends_is_stopped_with_what_was_found(
    scene: Scene, pattern: str
) -> None:
    request = {
        "root": str(scene.root),
        "files": ["a", "b", "c"],
        "drafts": {},
        "pattern": rf"hit|{pattern}",
        "literal": False,
        "ignore_case": False,
        "context": 0,
        "hidden": "(?!)",
        "largest": 1 << 20,
        "most_lines": 50,
        "most_in_file": 20,
        "most_files": 30,
        "longest": 200,
    }
    scene.write({"a": "hit\n", "b": "a" * 60 + "!" + "x" * 60_000 + "\n", "c": "hit\n"})
    before = time.perf_counter()
    found = searched(request, 1.0)
    assert time.perf_counter() - before < 5
    assert not found.done
    assert (found.matches, found.in_files) == (1, 1)


def test_the_answer_says_that_it_was_stopped(tmp_path: Path) -> None:
    scene = Scene.of(tmp_path, search_limit=0.5)
    scene.write({"b": "a" * 60 + "!\n"})
    text = scene.text("search", pattern=r"(a+)+$")
    assert text == (
        'no match for "(a+)+$" in 1 file.\n'
        "[stopped after 0.5 s, with 0 of 1 file searched: narrow it with path, or simplify the"
        " pattern]"
    )


def test_a_search_is_given_up_when_its_task_is_cancelled(scene: Scene) -> None:
    scene.write({"b": "a" * 60 + "!\n"})
    asked = [call("search", pattern=r"(a+)+$")] * 3

    async def cancelled() -> bool:
        with anyio.move_on_after(0.5) as waiting:
            await anyio.to_thread.run_sync(scene.toolbox.answer, asked)
        return waiting.cancelled_caught

    before = time.perf_counter()
    assert anyio.run(cancelled)
    assert time.perf_counter() - before < 5


@given(
    text=st.text(st.sampled_from("ab \n"), max_size=60),
    pattern=st.sampled_from(["a", "b$", "^a", "a+b", "[^b]*", "", "ab|ba", "^$"]),
)
def test_matching_lines_are_those_that_grep_would_find(text: str, pattern: str) -> None:
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    expected = [at for at, line in enumerate(lines, 1) if re.search(pattern, line)]
    found = list(search_child._matching(re.compile(pattern, re.MULTILINE), text))
    assert found == expected


@settings(max_examples=20)
@given(pattern=st.text(max_size=12), where=st.text(max_size=6))
def test_any_pattern_is_answered(
    tmp_path_factory: pytest.TempPathFactory, pattern: str, where: str
) -> None:
    scene = Scene.of(tmp_path_factory.mktemp("root"))
    scene.write({"a.py": "one\ntwo\n"})
    assert scene.ask("search", pattern=pattern, path=where).text
