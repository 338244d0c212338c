"""One kind of globs for files, protect and when.changed."""

import re
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_runner.ground.globs import Globs, is_plain


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("*.py", "a.py", True),
        ("*.py", "src/deep/a.py", True),
        ("/*.py", "src/a.py", False),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/deep/a.py", False),
        ("src/*.py", "other/src/a.py", False),
        ("src/**/*.py", "src/a.py", True),
        ("src/**/*.py", "src/x/y/a.py", True),
        ("src/**", "src/x/y", True),
        ("src/**", "src", False),
        ("tests", "tests/unit/test_a.py", True),
        ("tests/", "pkg/tests/test_a.py", True),
        ("/tests/", "pkg/tests/test_a.py", False),
        ("./src/a.py", "src/a.py", True),
        (".", "any/thing", True),
        ("**", "any/thing", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].txt", "b.txt", True),
        ("[!ab].txt", "b.txt", False),
        ("[!ab].txt", "c.txt", True),
        ("[z-a].txt", "b.txt", False),
        ("[.txt", "[.txt", True),
        (r"\*.txt", "*.txt", True),
        (r"\*.txt", "a.txt", False),
        ("a.b", "axb", False),
        ("*.py", "A.PY", False),
        ("*", "new\nline", True),
    ],
)
def test_a_pattern_covers_what_it_says(pattern: str, path: str, covered: bool) -> None:
    assert Globs([pattern]).covers(path) is covered


def test_the_last_pattern_that_matches_decides() -> None:
    globs = Globs(["src/**", "!src/made/**", "src/made/keep.py"])
    paths = ["src/a.py", "src/made/b.py", "src/made/keep.py", "c.py"]
    assert globs.covered(paths) == ("src/a.py", "src/made/keep.py")
    assert not Globs([]).covers("a")


def test_plain_paths_are_told_from_patterns() -> None:
    assert is_plain("src/a.py")
    assert not any(map(is_plain, ["*.py", "a?", "[a]", "!a", r"\*"]))


NAMES = st.text(alphabet="ab.-[", min_size=1, max_size=4).filter(lambda s: s not in {".", ".."})


@given(
    pattern=st.text(alphabet="ab.*?/[]!-", min_size=1, max_size=8),
    path=st.lists(NAMES, min_size=1, max_size=3).map("/".join),
)
def test_any_text_is_a_pattern_and_never_an_error(pattern: str, path: str) -> None:
    assert Globs([pattern]).covers(path) in {True, False}


def test_covering_agrees_with_git(tmp_path: Path) -> None:
    patterns = ["*.py", "/a.txt", "src/*.md", "docs", "**/x", "lib/**", "p/**/q", "[ab]c", "é*"]
    paths = [
        *("a.py", "s/b.py", "a.txt", "s/a.txt", "src/r.md", "src/d/r.md", "docs/a", "s/docs/b"),
        *("x", "q/x", "lib/a/b", "p/q", "p/a/b/q", "ac", "s/bc", "cc", "éa", "other"),
    ]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for pattern in patterns:
        (tmp_path / ".gitignore").write_text(pattern + "\n", encoding="utf-8")
        told = subprocess.run(
            ["git", "check-ignore", "--no-index", "-z", "--stdin"],
            cwd=tmp_path,
            input="\0".join(paths).encode(),
            stdout=subprocess.PIPE,
            check=False,
        )
        ignored = tuple(p for p in told.stdout.decode().split("\0") if p)
        assert Globs([pattern]).covered(paths) == ignored, pattern


NAME_PATTERNS = st.text(alphabet="ab*?", min_size=1, max_size=6)
PATTERNS = st.lists(NAME_PATTERNS | st.just("**"), min_size=1, max_size=4)
PATHS = st.lists(st.text(alphabet="ab", min_size=1, max_size=4), min_size=1, max_size=4)


def plainly(names: list[str]) -> str:
    """The pattern as a regular expression that tries every way."""
    *above, last = names
    text = "".join("(?:.*/)?" if name == "**" else f"{name_plainly(name)}/" for name in above)
    return text + (".+" if last == "**" else name_plainly(last)) + "(?:/.*)?"


def name_plainly(name: str) -> str:
    return name.replace("?", "[^/]").replace("*", "[^/]*")


@given(names=PATTERNS, path=PATHS)
def test_it_covers_what_trying_every_way_covers(names: list[str], path: list[str]) -> None:
    covers = Globs(["/" + "/".join(names)]).covers("/".join(path))
    assert covers is (re.fullmatch(plainly(names), "/".join(path)) is not None)


@given(names=st.lists(NAME_PATTERNS, min_size=2, max_size=5), path=PATHS)
def test_patterns_together_cover_what_one_of_them_covers(names: list[str], path: list[str]) -> None:
    whole = "/".join(path)
    assert Globs(names).covers(whole) is any(Globs([name]).covers(whole) for name in names)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 40 + "b", "a" * 250),
        ("**/a/" * 40 + "b", "a/" * 1000 + "c"),
        ("**/*a*a" * 20 + "/b", ("a" * 50 + "/") * 50 + "c"),
        ("[ab]*" * 40 + "/c", "ab" * 120),
    ],
)
def test_no_pattern_takes_long(pattern: str, path: str) -> None:
    started = time.perf_counter()
    assert not Globs([pattern]).covers(path)
    assert time.perf_counter() - started < 1  # ages, where every way is tried
