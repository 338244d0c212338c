"""`undo`: what the user edited is refused by name or kept; what a formatter did is not theirs."""

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
