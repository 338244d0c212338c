"""docs/looking.md names every tool with its arguments, and every form in text."""

from pathlib import Path

from agent_runner.looking.dialect import forms
from agent_runner.looking.tools import TOOLS
from tests.looking.scene import ALL

PAGE = (Path(__file__).parents[2] / "docs" / "looking.md").read_text()


def test_the_page_has_a_row_for_each_tool_with_its_arguments() -> None:
    for tool in TOOLS.values():
        (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{tool.name}` |"))
        for argument in tool.arguments:
            assert f"`{argument.name}`" in row, (tool.name, argument.name)


def test_the_page_has_each_form_in_text() -> None:
    for form in forms(ALL):
        assert f"| `{form}` |" in PAGE
