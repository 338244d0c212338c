"""ARCHITECTURE.md names what is there, in lines that can be read."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "ARCHITECTURE.md"
TEXT = PAGE.read_text(encoding="utf-8")


def named_paths() -> Iterator[tuple[str, str]]:
    """Every path in backticks, with the room in whose paragraph it stands; none of the state's."""
    before, _, rest = TEXT.partition("## What is on disk")
    for paragraph in re.split(r"\n(?=- |\n)", before + rest.partition("## Invariants")[2]):
        room = re.match(r"- `(\w+)/`: `", paragraph)
        for path in re.findall(r"`([\w/.-]+(?:\.py|\.md|\.json|/))`", paragraph):
            yield path, room[1] if room else ""


@pytest.mark.parametrize(("path", "room"), list(named_paths()))
def test_what_it_names_is_there(path: str, room: str) -> None:
    package = ROOT / "agent_runner"
    assert any((base / path).exists() for base in (ROOT, package, package / room)), path


def test_its_lines_are_short_enough_to_read() -> None:
    long = [line for line in TEXT.splitlines() if len(line) > 120 and "-->" not in line]
    assert long == []
