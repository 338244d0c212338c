"""Text that others chose stays on its line, and says what it holds."""

import pytest
from hypothesis import given, strategies as st

from agent_runner.ground.escaping import on_one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("src/größe 漢字.py", "src/größe 漢字.py"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("evil\u202egnp.exe", r"evil\u202egnp.exe"),
        ("no\u2028break", r"no\u2028break"),
        ("byte \udcff", r"byte \udcff"),
        ("", ""),
    ],
)
def test_only_what_is_unprintable_is_escaped(text: str, shown: str) -> None:
    assert on_one_line(text) == shown


@given(st.text(st.characters(codec=None)))
def test_whatever_it_holds_it_is_one_printable_line(text: str) -> None:
    assert on_one_line(text).isprintable()
    assert len(on_one_line(text).splitlines()) <= 1
