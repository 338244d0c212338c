"""The documentation's table of ready-made providers is the catalogue's."""

from pathlib import Path

from agent_runner.providers.catalogue import READY_MADE
from agent_runner.providers.reference import with_ready_made

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"


def test_the_table_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_ready_made(text) == text, "renew it: python -m agent_runner.providers.reference"


def test_every_ready_made_provider_has_its_row() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for entry in READY_MADE.values():
        assert all(f"`{name}`" in text for name in (entry.name, *entry.aliases)), entry.name
        assert entry.about in text
