"""The diagram in ARCHITECTURE is the flow table's."""

from pathlib import Path

from agent_runner.engine.diagram import with_diagram

ROOT = Path(__file__).parents[2]


def test_the_diagram_is_what_debug_machine_prints() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert text == with_diagram(text), "renew it with: python -m agent_runner.engine.diagram"
    assert "stateDiagram-v2" in text
