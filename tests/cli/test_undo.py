"""`undo`: what the user edited is refused by name or kept; what a formatter did is not theirs."""

import json
from pathlib import Path

from tests.cli.scene import Ended, Scene, reply


def changed(root: Path, *, formatter: str = "true") -> Scene:
    """A passed task that made `a.txt` and changed `b.txt`."""
    scene = Scene(root)
    scene.config({"hooks": {"fmt": {"command": formatter}}})
    scene.tasks({"id": "T1", "post_hooks": ["fmt"]})
    scene.write("b.txt", "before\n")
    scene.reply("T1", 1, reply(a__txt="new", b__txt="after"))
    assert scene.run("run").code == 0
    return scene


def undone(scene: Scene, *words: str) -> Ended:
    return scene.run("undo", "T1", *words)


def test_files_that_were_edited_since_are_named_and_nothing_is_touched(tmp_path: Path) -> None:
    scene = changed(tmp_path)
    scene.write("b.txt", "mine\n")
    ended = undone(scene)
    assert ended.code == 1
    assert "edited since: b.txt; no file was touched" in ended.err
    assert "agent-runner undo T1 --keep-edited" in ended.err
    assert (scene.read("a.txt"), scene.read("b.txt")) == ("new\n", "mine\n")


def test_edited_files_are_kept_when_that_is_asked_for(tmp_path: Path) -> None:
    scene = changed(tmp_path)
    scene.write("b.txt", "mine\n")
    ended = undone(scene, "--keep-edited")
    assert ended.code == 0
    assert "left as you edited them: b.txt" in ended.out
    assert not (scene.project / "a.txt").exists()
    assert scene.read("b.txt") == "mine\n"
    told = json.loads(scene.run("status", "--json").out)
    assert not told["tasks"][0]["taken_back"], "b.txt may hold what the task did to it"


def test_what_a_formatter_did_is_taken_back_with_the_change(tmp_path: Path) -> None:
    scene = changed(tmp_path, formatter="sed -i.bak s/after/AFTER/ b.txt && rm b.txt.bak")
    assert scene.read("b.txt") == "AFTER\n"
    assert undone(scene).code == 0
    assert not (scene.project / "a.txt").exists()
    assert scene.read("b.txt") == "before\n"


def test_an_edit_after_the_formatter_is_the_users(tmp_path: Path) -> None:
    scene = changed(tmp_path, formatter="sed -i.bak s/after/AFTER/ b.txt && rm b.txt.bak")
    scene.write("b.txt", "AFTER and mine\n")
    assert "edited since: b.txt" in undone(scene).err
    assert scene.read("b.txt") == "AFTER and mine\n"


def test_an_edit_before_a_check_is_the_users_too(tmp_path: Path) -> None:
    scene = changed(tmp_path)
    scene.run("reset", "T1")
    scene.config({"hooks": {"fmt": {"command": "false"}}, "max_attempts_per_task": 1})
    scene.write("b.txt", "before\n")
    (scene.project / "a.txt").unlink()
    assert scene.run("run").code == 1
    scene.write("b.txt", "mine\n")
    scene.config({"hooks": {"fmt": {"command": "true"}}})
    scene.run("check", "T1")
    assert scene.run("resume").code == 0
    assert "edited since: b.txt" in undone(scene).err


def test_a_hook_may_take_the_tasks_folder_away(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    hooks = {"clean": {"command": "rm -rf ../out"}}
    scene.config({"hooks": hooks, "nothing_changed": "pass"})
    scene.tasks({"id": "T1", "path": "out", "post_hooks": ["clean"]})
    scene.reply("T1", 1, reply(a__txt="new"))
    assert scene.run("run").code == 0
    assert not (scene.project / "out").exists()


MESS = (
    "mkdir -p out/deep && echo made > out/deep/report.txt && echo hook >> notes.txt"
    " && rm -f old.txt && chmod +x run.sh && ln -s notes.txt link"
)


def messy(root: Path) -> Scene:
    """A passed task whose hook made, changed and deleted files that no reply names."""
    scene = Scene(root)
    scene.config({"hooks": {"mess": {"command": MESS}}})
    scene.tasks({"id": "T1", "post_hooks": ["mess"]})
    for name in ("b.txt", "notes.txt", "old.txt", "run.sh"):
        scene.write(name, "before\n")
    scene.reply("T1", 1, reply(a__txt="new", b__txt="after"))
    assert scene.run("run").code == 0
    return scene


def test_what_hooks_changed_is_reverted_too_where_that_is_asked_for(tmp_path: Path) -> None:
    scene = messy(tmp_path)
    before = scene.read("notes.txt")
    planned = undone(scene, "--whole-tree", "--dry-run")
    assert planned.code == 0
    assert planned.out.splitlines() == [
        "delete a.txt",
        "restore b.txt",
        "restore notes.txt",
        "restore old.txt",
        "delete out/deep/report.txt",
        "restore run.sh",
    ]
    assert "no hook of the task changed them last: link" in planned.err
    assert scene.read("notes.txt") == before
    ended = undone(scene, "--whole-tree")
    assert ended.code == 0, ended.err
    assert "reverted what T1 had changed; it needs a person now" in ended.out
    patch = next((scene.project / ".agent-runner/logs/T1").rglob("undone.diff"))
    assert str(patch) in ended.out
    assert "+hook" in patch.read_text()
    assert scene.read("b.txt") == scene.read("notes.txt") == scene.read("old.txt") == "before\n"
    assert not (scene.project / "a.txt").exists()
    assert not (scene.project / "out").exists()
    assert not (scene.project / "run.sh").stat().st_mode & 0o111
    assert "has not changed any file" in undone(scene, "--whole-tree").err


def test_without_being_asked_for_it_stays(tmp_path: Path) -> None:
    scene = messy(tmp_path)
    assert undone(scene, "--dry-run").out == "delete a.txt\nrestore b.txt\n"
    assert undone(scene).code == 0
    assert scene.read("out/deep/report.txt") == "made\n"
    assert undone(scene, "--whole-tree").code == 0, "later, too"
    assert not (scene.project / "out").exists()


def test_what_a_later_task_deleted_is_not_brought_back(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.config({"hooks": {"mess": {"command": "echo hook >> notes.txt"}}})
    scene.tasks({"id": "T1", "post_hooks": ["mess"]}, {"id": "T2"})
    scene.write("notes.txt", "before\n")
    scene.write("old.txt", "before\n")
    scene.reply("T1", 1, reply(a__txt="new"))
    scene.reply("T2", 1, "*** Begin Patch\n*** Delete File: old.txt\n*** End Patch\n")
    assert scene.run("run").code == 0
    assert scene.run("reset", "T2").code == 0
    ended = undone(scene, "--whole-tree")
    assert ended.code == 0
    assert "changed them last: old.txt" in ended.err
    assert not (scene.project / "old.txt").exists()
    assert scene.read("notes.txt") == "before\n"


def test_what_a_person_changed_after_the_hooks_is_left_and_named(tmp_path: Path) -> None:
    scene = messy(tmp_path)
    scene.write("notes.txt", "mine\n")
    scene.write("out/mine.txt", "mine\n")
    ended = undone(scene, "--whole-tree")
    assert ended.code == 0
    assert "changed them last: link, notes.txt, out/mine.txt" in ended.err
    assert scene.read("notes.txt") == scene.read("out/mine.txt") == "mine\n"
    assert not (scene.project / "out/deep").exists()
    assert scene.read("b.txt") == scene.read("old.txt") == "before\n"


def test_what_the_agents_files_need_is_refused_as_ever(tmp_path: Path) -> None:
    scene = messy(tmp_path)
    scene.write("b.txt", "mine\n")
    for words in (["--whole-tree"], ["--whole-tree", "--dry-run"]):
        ended = undone(scene, *words)
        assert ended.code == 1
        assert "edited since: b.txt; no file was touched" in ended.err
        assert "agent-runner undo T1 --keep-edited --whole-tree" in ended.err
    assert scene.read("out/deep/report.txt") == "made\n"


def test_what_hooks_of_a_later_task_changed_is_left_to_that_one(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.config(
        {"hooks": {"log": {"command": "echo ran >> log.txt; echo $AGENT_RUNNER_TASK > w"}}}
    )
    scene.tasks({"id": "T1", "post_hooks": ["log"]}, {"id": "T2", "post_hooks": ["log"]})
    scene.reply("T1", 1, reply(a__txt="new"))
    scene.reply("T2", 1, reply(b__txt="new"))
    assert scene.run("run").code == 0
    ended = undone(scene, "--whole-tree")
    assert "hooks of T2 changed some of these after it" in ended.err
    assert scene.read("log.txt") == "ran\nran\n"
    assert scene.run("undo", "T2", "--whole-tree").code == 0
    assert scene.read("log.txt") == "ran\n"
