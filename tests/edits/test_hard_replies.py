"""Replies in which something is meant and written badly: each comes out as meant, or is refused.

`hard/*.yml` has a table for each kind of doubt. A row wants `right` (the tree is then `after`),
`refused`, `right or refused`, or `no change` (refused, or nothing to do), and has as many replies
as share the tree. `frame`: what is the same in all of them, around `{}`. `beside`: texts that stand
below a good edit, which is lost if the text is refused.
"""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from agent_runner.edits.parse import parse_reply
from agent_runner.edits.plan import Planned, plan
from agent_runner.edits.rejection import Rejection
from agent_runner.files.rules import Rules
from tests.files.trees import write_tree

BEFORE = "def a():\n    return 1\n\n\ndef b():\n    return 5\n"
GOOD = "a.py\n<<<<<<< SEARCH\n    return 1\n=======\n    return 2\n>>>>>>> REPLACE\n\n"
AFTER = {"a.py": BEFORE.replace("1", "2")}


def rows() -> list[Any]:
    found = []
    for file in sorted((Path(__file__).parent / "hard").glob("*.yml")):
        document = YAML(typ="safe", pure=True).load(file)
        texts = [(row, text) for row in document["rows"] for text in _texts(row)]
        assert len(texts) >= 10, file
        found += [
            pytest.param(row, text, id=f"{file.stem}-{number}")
            for number, (row, text) in enumerate(texts, 1)
        ]
    return found


def _texts(row: dict[str, Any]) -> list[str]:
    frame = row.get("frame", "{}")
    texts = [frame.replace("{}", text) for text in row.get("reply") or row["beside"]]
    return texts if "reply" in row else [GOOD + text for text in texts]


@pytest.mark.parametrize(("row", "text"), rows())
def test_a_hard_reply_is_read_as_meant_or_refused(
    row: dict[str, Any], text: str, tmp_path: Path
) -> None:
    write_tree(tmp_path, row.get("tree", {"a.py": BEFORE}))
    reply = parse_reply(text)
    outcome = plan(reply, tmp_path, Rules())
    want = row["want"]
    if isinstance(outcome, Rejection):
        assert want != "right", outcome.text
        assert outcome.summary
        return
    assert isinstance(outcome, Planned)
    changes = {
        change.path: outcome.blobs[change.after.sha256].decode() if change.after.sha256 else None
        for change in outcome.change_set.changes
    }
    if want in {"refused", "no change"}:
        assert not changes
        assert want == "no change" or reply.no_change, "nothing is said about it"
    else:
        assert changes == row.get("after", AFTER)
