"""What the docs say of commands, exit codes and schemas is what the program says of itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

from agent_runner.cli.reference import renewed
from agent_runner.model import exit_codes

DOCS = Path(__file__).parents[2] / "docs"
PAGES = renewed(DOCS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_made_of_the_program_is_up_to_date(page: Path) -> None:
    again = "python -m agent_runner.cli.reference"
    assert page.read_text(encoding="utf-8") == PAGES[page], f"{again} renews it"


def test_the_page_names_commands_arguments_and_options() -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    for words in (
        "## run\n",
        "## debug prompt\n",
        "| `TASK` |",
        "`-q, --quiet`",
        "`--wait-max TIME`",
    ):
        assert words in text


def test_every_exit_code_has_a_meaning() -> None:
    codes = {value for value in vars(exit_codes).values() if isinstance(value, int)}
    assert codes == set(exit_codes.MEANINGS)


@pytest.mark.skipif(not shutil.which("man"), reason="needs man")
def test_the_manual_page_is_read_without_a_warning() -> None:
    shown = subprocess.run(
        ["man", "--warnings", "-l", str(DOCS / "agent-runner.1")],
        env={"MANWIDTH": "80", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stderr == ""
    assert "agent-runner debug prompt TASK [OPTIONS]" in shown.stdout
    assert "--max-attempts N" in shown.stdout
