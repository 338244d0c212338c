"""The flow table as a Mermaid diagram, for ARCHITECTURE and `debug machine`.

`python -m agent_runner.engine.diagram`, at the top of the repository, renews it there.
"""

from pathlib import Path

from agent_runner.model.flow import FLOW
from agent_runner.model.states import FINAL, TaskState


def mermaid() -> str:
    """The diagram's text, one arrow per pair of states with all events that take it."""
    arrows: dict[tuple[TaskState, TaskState], list[str]] = {}
    for row in FLOW:
        label = row.event.__name__ + (f" [{_words(row.guard.__name__)}]" if row.guard else "")
        for source in row.sources:
            arrows.setdefault((source, row.dest), []).append(label)
    lines = ["stateDiagram-v2", f"    [*] --> {TaskState.PENDING}"]
    shown = {pair: labels for pair, labels in arrows.items() if pair[1] not in _FROM_ANYWHERE}
    for (source, dest), labels in shown.items():
        lines.append(f"    {source} --> {dest}: {'<br/>'.join(labels)}")
    lines += [f"    {state} --> [*]" for state in TaskState if state in FINAL]
    lines += [f"    note right of {state}: {text}" for state, text in _FROM_ANYWHERE.items()]
    return "\n".join(lines) + "\n"


def with_diagram(text: str) -> str:
    """A page with the diagram between its two marks as the flow table gives it."""
    before, _, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2]
    return f"{before}{_BEGIN}\n```mermaid\n{mermaid()}```\n{_END}{after}"


_BEGIN, _END = "<!-- flow:begin -->", "<!-- flow:end -->"

_FROM_ANYWHERE = {
    TaskState.SKIPPED: "Skipped, from any state that is not final",
    TaskState.PENDING: "Reset, from any state",
}
"""Arrows that would come from everywhere are said in words; a test holds them against the table."""


def _words(name: str) -> str:
    return name.replace("_", " ")


def main() -> None:
    """Renew the diagram in ARCHITECTURE.md."""
    page = Path("ARCHITECTURE.md")
    page.write_text(with_diagram(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
