"""`doctor` finds what is wrong, names the next step, and with --fix mends it without deleting."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import Scene, environment, reply


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Two tasks that have passed."""
    scene = Scene(tmp_path)
    scene.config({})
    scene.tasks({"id": "T1"}, {"id": "T2"})
    scene.write("a.txt", "before\n")
    for task in ("T1", "T2"):
        scene.reply(task, 1, reply(a__txt=task))
    assert scene.run("run").code == 0
    return scene


def bad(scene: Scene, *words: str) -> dict[str, dict[str, Any]]:
    """The findings that are not good, by their part."""
    done = scene.run("doctor", "--json", *words)
    told = json.loads(done.out)
    found = {one["part"]: one for one in told["findings"] if not one["good"]}
    assert done.code == (1 if found else 0)
    assert told["good"] is not bool(found)
    return found


def state(scene: Scene) -> Path:
    return scene.project / ".agent-runner"


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


def damaged_journal(scene: Scene) -> None:
    journal = state(scene) / "journal.jsonl"
    flip(journal, journal.read_bytes().index(b'"task":"T2"') + 9)


def damaged_snapshot(scene: Scene) -> None:
    flip(state(scene) / "state.json", 40)


def damaged_outline(scene: Scene) -> None:
    flip(state(scene) / "list.json", 40)


def journal_cut(scene: Scene) -> None:
    journal = state(scene) / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-3]))


def leftover(scene: Scene) -> None:
    (state(scene) / ".state.json.abcdefgh").write_bytes(b"x")
    (state(scene) / "logs/T1/.prompt.md.abcdefgh").write_bytes(b"x")


def pipes(scene: Scene) -> None:
    (state(scene) / "list.json").unlink()
    (state(scene) / "lock").unlink()
    os.mkfifo(state(scene) / "list.json")
    os.mkfifo(state(scene) / "lock")


def open_to_others(scene: Scene) -> None:
    state(scene).chmod(0o755)
    (state(scene) / "journal.jsonl").chmod(0o644)


def test_nothing_is_wrong_after_a_run(scene: Scene) -> None:
    before = scene.tree()
    done = scene.run("doctor")
    assert done.code == 0
    assert "BAD" not in done.out
    for part in ("places", "lock", "journal", "contents", "leftovers", "permissions", "disk"):
        assert f"ok   {part}: " in done.out
    assert scene.tree() == before


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (damaged_journal, "journal"),
        (damaged_snapshot, "cache"),
        (damaged_outline, "cache"),
        (journal_cut, "cache"),
        (leftover, "leftovers"),
        (pipes, "places"),
        (open_to_others, "permissions"),
    ],
)
def test_what_can_be_mended_is_found_moved_aside_and_gone_on_with(
    scene: Scene, damage: Callable[[Scene], None], part: str
) -> None:
    damage(scene)
    held = {path.read_bytes() for path in state(scene).rglob("*") if path.is_file()}
    before = scene.tree()
    assert bad(scene)[part]["can_be_mended"]
    assert scene.tree() == before
    assert bad(scene, "--fix") == {}
    left = {path.read_bytes() for path in state(scene).rglob("*") if path.is_file()}
    assert held <= left  # nothing is deleted
    # where the journal lost T2's end, its change is there before the reply: a person is asked
    code = 1 if damage is damaged_journal else 0
    assert scene.run("resume").code == code
    assert scene.states() == {"T1": "passed", "T2": "escalated" if code else "passed"}


def test_lost_contents_are_named_with_their_tasks(scene: Scene) -> None:
    pack = state(scene) / "blobs/pack"
    flip(pack, pack.read_bytes().index(b"before\n") + 2)
    found = bad(scene)["contents"]
    assert "T1" in found["text"]
    assert "backup" in found["fix"]


def test_a_mistake_in_the_list_is_said_and_the_state_looked_at_all_the_same(scene: Scene) -> None:
    scene.write("tasks.yml", "tasks: 5\n")
    damaged_snapshot(scene)
    assert set(bad(scene)) == {"cache", "configuration"}
    (scene.project / "tasks.yml").unlink()
    assert set(bad(scene)) == {"cache", "task list"}


def test_nothing_is_mended_under_a_running_command(scene: Scene) -> None:
    damaged_snapshot(scene)
    hold = (
        "import sys; from pathlib import Path; from agent_runner.store.lock import StateLock;"
        "from agent_runner.store.layout import Layout;"
        "lock = StateLock(Layout(Path('.agent-runner')), Path()); lock.acquire(0.0);"
        "print(flush=True);"
        "sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold],
        cwd=scene.project,
        env=environment(scene.home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        done = scene.run("doctor", "--fix")
        assert done.code == 3
        assert "in use by another command" in done.err
        assert "a command is using the state" in scene.run("doctor").out
        holder.kill()


def test_every_part_is_in_the_docs(scene: Scene) -> None:
    parts = {one["part"] for one in json.loads(scene.run("doctor", "--json").out)["findings"]}
    assert {"journal", "contents", "leftovers", "lock", "disk", "git", "sandbox", "trust"} <= parts
    docs = (Path(__file__).parents[2] / "docs/json.md").read_text()
    assert not [part for part in parts if f"`{part}`" not in docs]


def test_what_no_run_would_begin_with_is_said(scene: Scene) -> None:
    """As `config validate` says it, and each thing once."""
    far = {"protocol": "chat", "base_url": "https://far.example/v1", "model": "m"}
    own = {"far": {**far, "api_key_env": "MY_KEY"}, "none": {**far, "api_key_env": "NO_KEY"}}
    scene.config(
        {"provider": "far", "providers": {**own, "far": {**own["far"], "fallback": ["none"]}}}
    )
    scene.env["MY_KEY"] = "secret-of-mine-1234"
    done = scene.run("doctor")
    assert "secret-of-mine" not in done.out
    found = [line for line in done.out.splitlines() if line.startswith("BAD")]
    assert [line.split()[1] for line in found] == ["configuration:", "trust:"]
    assert "NO_KEY" in found[0]
    assert "agent-runner trust" in done.out


@pytest.mark.parametrize("lock", ["index.lock", "HEAD.lock", "refs/heads/main.lock"])
def test_a_lock_of_git_is_found_wherever_the_project_lies_in_its_repository(
    scene: Scene, lock: str
) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main", scene.root], check=True)
    assert bad(scene) == {}
    (scene.root / ".git" / lock).touch()
    assert lock in bad(scene)["git"]["text"]


def test_commands_of_agents_are_found_outside_of_the_project_and_not_started(scene: Scene) -> None:
    inside, outside = scene.write("bin/claude", ""), scene.root / "tools/codex"
    outside.parent.mkdir()
    for program in (inside, outside):
        program.write_text(f"#!/bin/sh\ntouch {scene.root}/run\n")
        program.chmod(0o755)
    scene.env["PATH"] = f"{inside.parent}:{outside.parent}:/usr/bin:/bin"
    findings = json.loads(scene.run("doctor", "--json").out)["findings"]
    (told,) = (one["text"] for one in findings if one["part"] == "commands")
    assert told == f"codex-cli ({outside})"
    assert not (scene.root / "run").exists()


def test_no_program_of_the_project_is_tried(scene: Scene) -> None:
    program = scene.write("bin/bwrap", "#!/bin/sh\ntouch ../run\n")
    program.chmod(0o755)
    scene.env["PATH"] = f"bin:{scene.project}/bin:{os.environ['PATH']}"
    assert scene.run("doctor", "--json").code == 0
    assert not (scene.root / "run").exists()
    assert not (scene.project / "run").exists()


def test_what_others_wrote_is_shown_harmless(scene: Scene) -> None:
    scene.write("tasks.yml", 'tasks: [{id: A, "\\e[2J\\r::error::x": 1}]\n')
    done = scene.run("doctor")
    assert done.code == 1
    assert "\x1b" not in done.out + done.err
    assert "\r" not in done.out
    assert "x1b" in done.out


def test_where_nothing_is_yet_nothing_is_wrong_with_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert set(bad(scene)) == {"task list"}
