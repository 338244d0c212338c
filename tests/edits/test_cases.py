"""Every row of the data files.

What a reply may look like, what is refused, and that the docs list it all.
"""

import os
from pathlib import Path

import pytest

from agent_runner.edits.edit import Origin, Reply, Write
from agent_runner.edits.parse import parse_reply
from agent_runner.edits.plan import Planned, plan
from agent_runner.edits.rejection import Rejection
from agent_runner.files.rules import Rules
from tests.edits.cases import Case, cases
from tests.files.trees import apply_planned, read_tree, undo, write_tree

CASES = cases()
DOCS = Path(__file__).parents[2] / "docs" / "edit-formats.md"


def prepare(case: Case, root: Path) -> Rules:
    """The tree as it stands before, and the rules of the case."""
    row = case.row
    write_tree(root, case.tree if "tree_bytes" not in row else {})
    write_tree(
        root, {path: bytes.fromhex(text) for path, text in row.get("tree_bytes", {}).items()}
    )
    for path, mode in row.get("modes_before", {}).items():
        (root / path).chmod(int(mode, 8))
    for path, target in row.get("link", {}).items():
        (root / path).symlink_to(target)
    for path in row.get("fifo", []):
        os.mkfifo(root / path)
    ignored = frozenset(row.get("ignored", []))
    return Rules(
        protect=tuple(row.get("protect", [])),
        obeyed=(root / "tasks.yml",),
        scripts=tuple(root / path for path in row.get("scripts", [])),
        may_change=tuple(row.get("may_change", [])),
        ignored=ignored.intersection,
    )


def reply_of(case: Case) -> Reply:
    if "write" in case.row:
        return Reply((Write(case.row["write"], Origin(1, 1, "whole file"), "new\n"),))
    return parse_reply(case.row["reply"])


@pytest.mark.parametrize("case", CASES, ids=[f"{case.form}: {case.title}" for case in CASES])
def test_a_row_does_what_it_says(case: Case, tmp_path: Path) -> None:
    rules = prepare(case, tmp_path)
    before = read_tree(tmp_path)
    reply = reply_of(case)
    outcome = plan(reply, tmp_path, rules)
    assert read_tree(tmp_path) == before, "planning writes nothing"
    if case.refused:
        assert isinstance(outcome, Rejection), outcome
        for words in case.row["says"]:
            assert words in outcome.text, outcome.text
        return
    assert isinstance(outcome, Planned), outcome
    for words in case.row.get("notes", []):
        assert any(words in note for note in outcome.notes), outcome.notes
    assert list(reply.commands) == case.row.get("commands", [])
    assert list(reply.asks) == case.row.get("asks", [])
    assert apply_planned(outcome, tmp_path) is None
    expected = {path: content for path, (content, _) in before.items() if not path.endswith("/")}
    for path, text in case.row["after"].items():
        if text is None:
            del expected[path]
        else:
            expected[path] = text.encode()
    after = read_tree(tmp_path)
    assert {p: content for p, (content, _) in after.items() if not p.endswith("/")} == expected
    for path, mode in case.row.get("modes", {}).items():
        assert after[path][1] == int(mode, 8)
    assert set(outcome.change_set.paths) == set(case.row["after"])
    assert undo(outcome.change_set, outcome, tmp_path) is None
    assert read_tree(tmp_path) == before


def test_the_documentation_lists_every_row_under_its_format() -> None:
    sections: dict[str, set[str]] = {}
    section = ""
    for line in DOCS.read_text().splitlines():
        if line.startswith("## "):
            section = line[3:].strip().lower()
        elif line.startswith("| ") and line.endswith(("| accepted |", "| refused |")):
            sections.setdefault(section, set()).add(line)
    expected: dict[str, set[str]] = {}
    for case in CASES:
        expected.setdefault(case.form.lower(), set()).add(case.shown)
    assert sections == expected


def test_titles_are_told_apart() -> None:
    titles = [(case.form, case.title) for case in CASES]
    assert len(set(titles)) == len(titles)
