"""The diagrams in README and ARCHITECTURE are the flow table's."""

from pathlib import Path

import pytest

from agent_runner.engine.diagram import mermaid

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md"])
def test_the_diagram_is_what_debug_machine_prints(name: str) -> None:
    text = (ROOT / name).read_text()
    shown = text.partition("<!-- flow:begin -->")[2].partition("<!-- flow:end -->")[0]
    assert shown.strip() == f"```mermaid\n{mermaid()}```"
