"""Commits of what tasks changed, over real git: their files only, remembered until it is done."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent_runner.model import events as e
from agent_runner.model.states import TaskState
from tests.engine.scene import DyingDisk, Scene, hooks
from tests.engine.scripted import Line, whole

T1: dict[str, Any] = {"id": "T1", "post_hooks": []}
T2: dict[str, Any] = {"id": "T2", "post_hooks": []}
GOOD = whole("a.txt", "one\n")
COMMIT = {"commit": "task"}
REFUSING = "echo no thanks; exit 1"


def scene_of(folder: Path, *script: Line, tasks: int = 1, **settings: object) -> Scene:
    return Scene(folder / "p", [T1, T2][:tasks], {"git": COMMIT, **settings}, script)


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def repository(scene: Scene, hook: str = "") -> Path:
    """Make the scene's folder one; gives its pre-commit hook."""
    git(scene.folder, "init", "-q")
    git(scene.folder, "config", "user.name", "N")
    git(scene.folder, "config", "user.email", "e@example.com")
    git(scene.folder, "add", ".")
    git(scene.folder, "commit", "-q", "-m", "first")
    file = scene.folder / ".git/hooks/pre-commit"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{hook}\n")
    file.chmod(0o755)
    return file


def log(scene: Scene) -> list[str]:
    return git(scene.folder, "log", "--format=%s").splitlines()


def is_clean(scene: Scene) -> bool:
    return not git(scene.folder, "status", "--porcelain", "--untracked-files=no")


@pytest.mark.parametrize(("rule", "commits"), [("off", 0), ("task", 1), ("attempt", 2)])
def test_git_commits_as_it_is_asked_to(tmp_path: Path, rule: str, commits: int) -> None:
    task = {"id": "T1", "title": "Make {it} good", "post_hooks": ["judge"]}
    settings = {
        "hooks": hooks(judge="grep -q one a.txt"),
        "git": {"commit": rule, "message": "{id}: {title} {x}"},
    }
    scene = Scene(tmp_path / "p", [task], settings, [whole("a.txt", "two\n"), GOOD])
    (scene.folder / "mine.txt").write_text("as it was\n")
    repository(scene)
    (scene.folder / "mine.txt").write_text("in work\n")
    assert scene.run().exit_code == 0
    subjects = git(scene.folder, "log", "--format=%s").splitlines()
    assert subjects == ["T1: Make {it} good {x}"] * commits + ["first"]
    assert git(scene.folder, "status", "--porcelain", "mine.txt") == " M mine.txt\n"
    head = git(scene.folder, "rev-parse", "HEAD").strip()
    assert scene.record().change.commit == head


def test_files_that_the_user_had_changed_are_left_out_of_the_commit(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD + whole("b.txt", "b\n"), git={"commit": "task"})
    (scene.folder / "a.txt").write_text("zero\n")
    repository(scene)
    (scene.folder / "a.txt").write_text("mine\n")
    assert scene.run().exit_code == 0
    assert git(scene.folder, "show", "--format=", "--name-only").split() == ["b.txt"]
    (committed,) = scene.events(e.Committed)
    assert committed.left_out == ("a.txt",)


def test_what_alone_was_left_out_is_said(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD, git={"commit": "task"})
    (scene.folder / "a.txt").write_text("zero\n")
    repository(scene)
    (scene.folder / "a.txt").write_text("mine\n")
    assert scene.run().exit_code == 0
    assert "they had changes before the task began: a.txt" in scene.watcher.said


def test_a_refused_commit_is_remembered_and_made_up(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD)
    hook = repository(scene, REFUSING)
    stopped = scene.run()
    assert (stopped.reason, stopped.exit_code) == ("uncommitted", 1)
    assert stopped.detail == "T1: no thanks"
    assert scene.record().state is TaskState.PASSED
    assert scene.record().change.uncommitted == ("a.txt",)
    assert scene.again().exit_code == 1
    hook.unlink()
    assert scene.again().exit_code == 0
    assert log(scene) == ["T1", "first"]
    assert scene.record().change.commit_problem == ""
    assert is_clean(scene)


def test_without_a_repository_nothing_counts_as_committed(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD)
    assert scene.run().exit_code == 1
    assert scene.events(e.Committed) == []
    assert "in no git repository" in scene.record().change.commit_problem


def test_whoever_commits_by_hand_has_committed(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD)
    repository(scene, REFUSING)
    scene.run()
    git(scene.folder, "add", "a.txt")
    git(scene.folder, "commit", "-q", "--no-verify", "-m", "mine")
    assert scene.again().exit_code == 0
    assert scene.record().change.commit == git(scene.folder, "rev-parse", "HEAD").strip()


def test_whoever_wants_no_commits_any_more_is_not_reminded(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD)
    repository(scene, REFUSING)
    scene.run()
    scene.settings = {"git": {"commit": "off"}}
    scene.write()
    assert scene.again().exit_code == 0
    assert scene.record().change.commit_problem == ""


def test_files_that_wait_for_their_commit_are_no_work_of_the_user(tmp_path: Path) -> None:
    """The second task changes the same file, and its commit takes both; the rest waits."""
    first = GOOD + whole("b.txt", "b\n")
    scene = scene_of(tmp_path, first, whole("a.txt", "two\n"), tasks=2)
    (scene.folder / "a.txt").write_text("zero\n")
    repository(
        scene, "git diff --cached --name-only | grep -q b.txt && { echo not b; exit 1; }; true"
    )
    assert scene.run().exit_code == 1
    assert log(scene) == ["T2", "first"]
    assert git(scene.folder, "show", "HEAD:a.txt") == "two\n"
    trailers = git(
        scene.folder, "log", "-1", "--format=%(trailers:key=Agent-Runner-Task,valueonly)"
    )
    assert trailers.split() == ["T2", "T1"]
    assert scene.record("T1").change.uncommitted == ("b.txt",)
    assert scene.record("T2").change.commit_problem == ""


def test_another_git_in_the_way_is_waited_for(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD)
    repository(scene)
    lock = scene.folder / ".git/index.lock"
    lock.touch()
    remover = subprocess.Popen(["sh", "-c", f"sleep 0.5; rm {lock}"])
    try:
        assert scene.run().exit_code == 0
    finally:
        remover.wait()
    assert log(scene) == ["T1", "first"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("word", [b"Committed", b"CommitStarted", b"PostHooksPassed"])
@pytest.mark.parametrize("rule", ["task", "attempt"])
def test_killed_beside_the_commit_there_is_one_in_the_end(
    word: bytes, after: bool, rule: str, tmp_path: Path
) -> None:
    scene = scene_of(tmp_path, GOOD, git={"commit": rule})
    repository(scene)
    scene.disk = DyingDisk(word, after=after)
    assert scene.killed()
    assert scene.again().exit_code == 0
    assert log(scene) == ["T1", "first"]
    assert is_clean(scene)
    assert scene.record().change.commit == git(scene.folder, "rev-parse", "HEAD").strip()
    assert not (scene.state_dir / "commit.index").exists()


def test_git_runs_no_filter_that_a_reply_has_switched_on(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, whole(".gitattributes", "*.txt filter=x\n"), GOOD, tasks=2)
    repository(scene)
    git(scene.folder, "config", "filter.x.clean", f"touch {tmp_path}/ran; cat")
    assert scene.run().exit_code == 1
    assert log(scene) == ["first"]
    assert ".gitattributes" in scene.record("T2").change.commit_problem
    assert not (tmp_path / "ran").exists()
    git(scene.folder, "add", ".gitattributes")
    git(scene.folder, "commit", "-q", "--no-verify", "-m", "I have looked at it")
    assert scene.again().exit_code == 0
    assert log(scene) == ["T2", "I have looked at it", "first"]
    assert (tmp_path / "ran").exists(), "it is the user's own filter now"


def test_a_formatting_git_hook_is_part_of_the_task(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, GOOD)
    repository(scene, "grep -q ONE a.txt || { sed -i s/one/ONE/ a.txt; exit 1; }")
    assert scene.run().exit_code == 0
    assert git(scene.folder, "show", "HEAD:a.txt") == "ONE\n"
    assert is_clean(scene)
