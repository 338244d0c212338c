"""The rows of `cases/*.yml`.

Each a test of what a reply may look like and a row of docs/edit-formats.md.
"""

from pathlib import Path
from typing import Any

from attrs import frozen
from ruamel.yaml import YAML

CASES = Path(__file__).parent / "cases"


@frozen
class Case:
    """One row; `row` is it as written."""

    form: str
    title: str
    tree: dict[str, str]
    row: dict[str, Any]

    @property
    def refused(self) -> bool:
        """Whether the reply is rejected."""
        return "says" in self.row

    @property
    def shown(self) -> str:
        """The row of the table in the documentation."""
        return f"| {self.title} | {'refused' if self.refused else 'accepted'} |"


def cases() -> list[Case]:
    """All of them, file by file."""
    found: list[Case] = []
    for file in sorted(CASES.glob("*.yml")):
        document = YAML(typ="safe", pure=True).load(file)
        found += [
            Case(document["form"], row["title"], row.get("tree", document["tree"]), row)
            for row in document["rows"]
        ]
    return found
