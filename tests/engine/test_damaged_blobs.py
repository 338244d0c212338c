"""What the journal refers to is damaged: nothing wrong is written, and there is a way on."""

import shutil
from pathlib import Path

import pytest

from agent_runner.engine import decisions
from agent_runner.model import events as e
from tests.engine.scene import Scene, dying_at
from tests.engine.scripted import whole

T1 = {"id": "T1", "post_hooks": ["judge"]}
_JUDGE = {"judge": {"command": "grep -q new a.txt"}}

DAMAGES = ("a bit of the answer", "a bit of all", "half of it", "nothing left", "a bit of a line")


def scene_killed_at(folder: Path, kind: type[e.Event]) -> Scene:
    scene = Scene(folder / "p", [T1], {"hooks": _JUDGE}, [whole("a.txt", "new\n")] * 3)
    (scene.folder / "a.txt").write_text("old\n")
    scene.watcher.react = dying_at(kind)
    assert scene.killed()
    return scene


def damage(pack: Path, how: str) -> None:
    raw = pack.read_bytes()
    lines = {
        "a bit of the answer": raw.replace(b'"text"', b'"tex~"'),
        "a bit of all": raw.replace(b"e", b"m"),
        "half of it": raw[: len(raw) // 2],
        "nothing left": b"",
        "a bit of a line": b"~" + raw[1:],
    }
    pack.write_bytes(lines[how])


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("copies", ["kept", "damaged", "gone"])
@pytest.mark.parametrize("kind", [e.CallSettled, e.Replied, e.ApplyPlanned, e.Applied])
def test_a_damaged_store_has_a_way_on(
    tmp_path: Path, kind: type[e.Event], copies: str, how: str
) -> None:
    scene = scene_killed_at(tmp_path, kind)
    damage(scene.state_dir / "blobs" / "pack", how)
    if copies == "gone":
        shutil.rmtree(scene.state_dir / "logs")
    elif copies == "damaged":
        for file in (scene.state_dir / "logs").rglob("*.json"):
            file.write_bytes(file.read_bytes().replace(b"new", b"neu"))
    scene.again()
    if scene.record().state == "escalated":
        assert "lost" in scene.record().last_error
        assert (scene.folder / "a.txt").read_text() == "old\n"
        reset(scene)
        assert scene.again().exit_code == 0
    assert scene.record().state == "passed"
    assert (scene.folder / "a.txt").read_text() == "new\n"
    assert not list(scene.folder.glob(".agent-runner-*"))


def reset(scene: Scene) -> None:
    store = scene.open()
    try:
        wiring = scene.wired(store)
        decisions.reset(wiring.core, wiring.recovery, "T1", reason="")
    finally:
        store.close()


@pytest.mark.parametrize("kind", [e.CallSettled, e.Replied])
def test_an_answer_that_is_safe_has_its_copy_for_people(
    tmp_path: Path, kind: type[e.Event]
) -> None:
    """And the copy alone is as good, where the process ended before the answer was in the pack."""
    scene = scene_killed_at(tmp_path, kind)
    (copy,) = (scene.state_dir / "logs").rglob("response.json")
    assert "new" in copy.read_text()
    copy.write_text("{")
    assert scene.again().exit_code == 0
    assert len(scene.client.asked) == 1


def test_the_copy_alone_is_adopted_and_kept(tmp_path: Path) -> None:
    scene = scene_killed_at(tmp_path, e.CallSettled)
    (scene.state_dir / "blobs" / "pack").unlink()
    (scene.state_dir / "journal.jsonl").write_bytes(
        b"".join(
            line
            for line in (scene.state_dir / "journal.jsonl").read_bytes().splitlines(keepends=True)
            if b'"CallSettled"' not in line
        )
    )
    (scene.state_dir / "state.json").unlink(missing_ok=True)
    scene.watcher.react = dying_at(e.CallSettled)
    assert scene.killed()
    shutil.rmtree(scene.state_dir / "logs")
    assert scene.again().exit_code == 0
    assert len(scene.client.asked) == 1
