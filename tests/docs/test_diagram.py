"""The diagrams in README and ARCHITECTURE are the flow table's."""

from pathlib import Path

import pytest

from agent_runner.engine.diagram import with_diagram

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md"])
def test_the_diagram_is_what_debug_machine_prints(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text == with_diagram(text), "renew it with: python -m agent_runner.engine.diagram"
    assert "stateDiagram-v2" in text
