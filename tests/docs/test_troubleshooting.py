"""Every message that the troubleshooting page explains is one that the program can print."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_runner.model.exit_codes import MEANINGS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (`.+?`)(?: \([\d, ]+\))? \|", re.MULTILINE)
MESSAGES = [row.replace("`", "") for row in ROW.findall(PAGE)]


def texts() -> Iterator[str]:
    """Every text in the program's source; what is filled in is a tab, which no text holds."""
    for file in sorted((ROOT / "agent_runner").rglob("*.py")):
        if "examples" not in file.parts:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    yield "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "\t"
                        for part in node.values
                    )
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


TEXTS = [text.replace("`", "") for text in texts()]


def is_printed(message: str) -> bool:
    """Whether one text of the source holds the message, `...` standing for anything filled in."""
    pattern = re.compile(re.escape(message).replace(re.escape("..."), r".*\t.*"))
    at_the_end = re.compile(re.escape(message.removesuffix("...")) + r"\t?")
    return any(pattern.search(text) or at_the_end.fullmatch(text) for text in TEXTS)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_one_of_the_programs(message: str) -> None:
    assert is_printed(message)


def test_they_are_found_and_others_are_not() -> None:
    assert len(MESSAGES) > 40
    assert not is_printed("no key for provider ...: searched for ... in the environment")


def test_every_exit_code_has_its_messages() -> None:
    named = {int(code) for codes in re.findall(r"\(([\d, ]+)\)", PAGE) for code in codes.split(",")}
    assert named == set(MEANINGS) - {0}
