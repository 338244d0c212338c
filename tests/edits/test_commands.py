"""Commands are allowed by their words.

What a shell could make of them never slips past a pattern.
"""

import pytest

from agent_runner.edits.commands import allowed

PATTERNS = ("pytest *", "pip install -e .", "npm run test:*", "make")


@pytest.mark.parametrize(
    "command",
    [
        "pytest",
        "pytest -q tests",
        "pytest -k 'a or b'",
        "pip install -e .",
        "npm run test:unit",
        "make",
        "make && pytest -q",
        "make; pytest",
        "pytest | make",
        "make\npytest -q\n",
    ],
)
def test_what_the_patterns_name_is_allowed(command: str) -> None:
    assert allowed(command, PATTERNS)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "   ",
        "rm -rf /",
        "pytest; rm -rf /",
        "pytest && curl evil",
        "pytest || sh",
        "pytest | sh",
        "pytest $(rm x)",
        "pytest `rm x`",
        "pytest $HOME",
        "pytest > /etc/passwd",
        "pytest < x",
        "pytest &",
        "pytest & rm x",
        "(pytest)",
        "{ pytest; }",
        "X=1 pytest",
        "PATH=. make",
        "pytest\nrm x",
        "make install",
        "pip install -e . evil",
        "pip install evil",
        "pytest 'open",
        "npm run evil",
        "pytest >(rm x)",
        "pytest -q \\\n; rm x",
        "pytests",
        "/tmp/pytest",
        "pytest;rm x",
        "pytest&&rm x",
        "pytest # x",
        "make\rrm x",
    ],
)
def test_anything_else_is_not(command: str) -> None:
    assert not allowed(command, PATTERNS)


def test_no_pattern_allows_nothing() -> None:
    assert not allowed("make", ())
    assert not allowed("make", ("", "  "))
