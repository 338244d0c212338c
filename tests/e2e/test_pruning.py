"""A run forgets snapshots that no task needs once they are the larger part of a large file."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from agent_runner.workspace.objects import BLOB, ObjectStore, object_name
from tests.cli.scene import Scene, reply

pytestmark = pytest.mark.slow

MEGABYTE = 1 << 20


def test_a_run_prunes_and_undo_works_afterwards(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.config({"hooks": {"noop": {"command": ["true"]}}, "defaults": {"post_hooks": ["noop"]}})
    scene.tasks({"id": "T0"}, {"id": "T1"})
    scene.write("value.py", "before\n")
    scene.reply("T0", 1, reply(value__py="after"))
    assert scene.run("run", "T0").code == 0
    with closing(ObjectStore(scene.project / ".agent-runner" / "snapshots")) as objects:
        for content in (os.urandom(MEGABYTE) for _ in range(66)):
            objects.add(BLOB, content, object_name(BLOB, content, "sha1"))
    scene.reply("T1", 1, reply(other__py="other"))
    assert scene.run("run", "T1").code == 0
    assert (scene.project / ".agent-runner" / "snapshots" / "objects").stat().st_size < MEGABYTE
    assert "+after" in scene.run("diff", "T0").out
    assert scene.run("undo", "T0", "--whole-tree").code == 0
    assert scene.read("value.py") == "before\n"
