"""The page of commands is what the program's commands say of themselves."""

from pathlib import Path

from agent_runner.cli.reference import with_reference

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_every_command_and_option_stands_in_the_docs() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_reference(text) == text, "python -m agent_runner.cli.reference renews it"


def test_the_page_names_commands_arguments_and_options() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for words in (
        "## run\n",
        "## debug prompt\n",
        "| `TASK` |",
        "`-q, --quiet`",
        "`--wait-max TIME`",
    ):
        assert words in text
