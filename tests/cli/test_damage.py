"""A damaged journal is refused and left as it is, and there is a way to look into it."""

import json
from pathlib import Path

from tests.cli.scene import Scene, reply


def test_the_part_before_the_damage_can_be_looked_at(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.config({})
    scene.tasks({"id": "T1", "post_hooks": []}, {"id": "T2", "post_hooks": []})
    for task in ("T1", "T2"):
        scene.reply(task, 1, reply(a__txt=task))
    assert scene.run("run").code == 0
    journal = scene.project / ".agent-runner/journal.jsonl"
    damaged = journal.read_bytes().replace(b'"task":"T2"', b'"task":"T3"', 1)
    journal.write_bytes(damaged)
    refused = scene.run("resume")
    assert refused.code == 3
    assert "agent-runner debug state" in refused.err
    looked = scene.run("debug", "state")
    assert looked.code == 3
    assert "is damaged" in looked.err
    assert "T1  PostHooksPassed  post_hooks -> passed" in looked.out
    told = json.loads(scene.run("debug", "state", "--json").out)
    assert [task["state"] for task in told["tasks"]] == ["passed", "pending"]
    assert journal.read_bytes() == damaged
