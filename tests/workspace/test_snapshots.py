"""Snapshots in corners that random edits do not reach."""

import os
import shutil
from pathlib import Path

import pytest

from agent_runner.model.errors import StateError
from agent_runner.workspace.contents import Limits
from tests.workspace.readers import (
    ALL_SETTLED,
    OPENED,
    MakeReader,
    put,
    settle,
)
from tests.workspace.repos import Repo


def test_a_root_that_is_not_there_has_no_files(tmp_path: Path, reader: MakeReader) -> None:
    (tmp_path / "empty").mkdir()
    assert reader(tmp_path / "none").read() == reader(tmp_path / "empty").read()


def test_unchanged_files_are_not_read_again(tmp_path: Path, reader: MakeReader) -> None:
    for name in "abc":
        put(tmp_path, name)
    trees = reader(tmp_path, clock=ALL_SETTLED)
    before = trees.read()
    put(tmp_path, "b", "changed\n")
    with OPENED.within(tmp_path) as opened:
        after = trees.read()
    assert opened == ["b"]
    assert trees.changed(before, after) == ("b",)


def test_new_files_are_read_again_for_they_may_have_changed_within_a_tick(
    tmp_path: Path, reader: MakeReader
) -> None:
    put(tmp_path, "a")
    trees = reader(tmp_path)
    trees.read()
    with OPENED.within(tmp_path) as opened:
        trees.read()
    assert opened == ["a"]


def test_large_and_unreadable_files_are_told_by_size_and_time(
    repo: Repo, reader: MakeReader
) -> None:
    file = repo.write("large", "x" * 11)
    repo.write("small", "x" * 10)
    trees = reader(repo.root, limits=Limits(largest=10))
    before = trees.read()
    assert before.not_kept == {"large"}
    assert trees.read() == before
    os.utime(file, ns=(10**18, 10**18))
    after = trees.read()
    (change,) = trees.snapshots.changes(before.id, after.id)
    assert change.path == "large"
    assert change.after is not None
    with pytest.raises(StateError, match="not kept"):
        trees.snapshots.content("large", change.after)
    repo.write("large", "small\n")
    assert trees.read().not_kept == frozenset()


def test_no_look_keeps_more_than_its_share(repo: Repo, reader: MakeReader) -> None:
    for name in "abc":
        repo.write(name, name * 10)
    trees = reader(repo.root, limits=Limits(kept_at_once=25))
    tree = trees.read()
    assert len(tree.not_kept) == 1
    assert tree.id == reader(repo.root).read().id


@pytest.mark.parametrize("git", [True, False])
def test_what_tools_leave_behind_and_the_state_do_not_count(
    tmp_path: Path, git: bool, reader: MakeReader
) -> None:
    if git:
        Repo.created(tmp_path)
    put(tmp_path, "a")
    before = reader(tmp_path, tmp_path / "state", tmp_path.parent).read()
    for path in ("__pycache__/a.pyc", "pkg/.pytest_cache/x", "node_modules/m/i.js", ".venv/b"):
        put(tmp_path, path)
    put(tmp_path, ".agent-runner/journal.jsonl")
    put(tmp_path, "sub/.agent-runner/journal.jsonl")
    put(tmp_path, "state/journal.jsonl")
    assert reader(tmp_path, tmp_path / "state", tmp_path.parent).read() == before


def test_a_tracked_state_folder_does_not_count(repo: Repo, reader: MakeReader) -> None:
    repo.write(".agent-runner/config.yml", "a: 1\n")
    repo.commit_all()
    trees = reader(repo.root)
    before = trees.read()
    repo.write(".agent-runner/config.yml", "a: 2\n")
    assert trees.read() == before
    repo.commit_all()
    assert trees.changed(before, trees.read()) == ()


def test_pipes_and_unreadable_names_do_no_harm(repo: Repo, reader: MakeReader) -> None:
    os.mkfifo(repo.root / "pipe")
    repo.write("tracked")
    repo.commit_all()
    (repo.root / "tracked").unlink()
    os.mkfifo(repo.root / "tracked")
    trees = reader(repo.root)
    assert trees.read().not_kept == frozenset()
    assert trees.snapshots.names == ()


def test_a_snapshot_that_is_not_kept_is_an_error(repo: Repo, reader: MakeReader) -> None:
    repo.write("a")
    known, other = reader(repo.root), reader(repo.root)
    tree = known.read()
    with pytest.raises(StateError, match="not kept"):
        other.changed(tree, reader(repo.root / "none").read())


@pytest.mark.parametrize("limits", [Limits(), Limits(read_unasked=0, seen_unasked=0)])
def test_after_changes_of_our_own_only_these_paths_are_looked_at(
    repo: Repo, reader: MakeReader, limits: Limits
) -> None:
    repo.write(".gitignore", "*.log\n")
    for name in ("a", "b", "d/c"):
        repo.write(name)
    repo.commit_all()
    settle(repo)
    trees = reader(repo.root, clock=ALL_SETTLED, limits=limits)
    before = trees.read()
    repo.write("a", "ours\n")
    (repo.root / "d/c").unlink()
    repo.write("new/file", "ours\n")
    repo.write("new/x.log", "ignored\n")
    with OPENED.within(repo.root) as opened:
        after = trees.snapshots.look_at(["a", "d/c", "new/file", "new/x.log", "never"])
    assert opened == ["a", "file"]
    assert trees.changed(before, after) == ("a", "d/c", "new/file")
    assert trees.read() == after == reader(repo.root).read()
    repo.write(".gitignore", "*.log\na\n")
    repo.write("u")
    assert trees.snapshots.look_at([".gitignore"]) == trees.read() == reader(repo.root).read()


def test_what_is_swapped_in_one_look_is_told_apart(repo: Repo, reader: MakeReader) -> None:
    repo.write("file")
    repo.write("folder/inner")
    (repo.root / "link").symlink_to("file")
    trees = reader(repo.root)
    before = trees.read()
    for name in ("file", "link"):
        (repo.root / name).unlink()
    shutil.rmtree(repo.root / "folder")
    repo.write("file/inner")
    (repo.root / "folder").symlink_to("file")
    repo.write("link", "file")
    after = trees.read()
    kinds = {c.path: c.kind for c in trees.snapshots.changes(before.id, after.id)}
    assert kinds == {
        "file": "deleted",
        "file/inner": "added",
        "folder": "added",
        "folder/inner": "deleted",
        "link": "type",
    }


def test_folders_within_folders_without_end_do_no_harm(repo: Repo, reader: MakeReader) -> None:
    place = repo.root
    for _ in range(200):
        place = place / "d"
        place.mkdir()
    (place / "deep").write_text("x")
    repo.write("a")
    trees = reader(repo.root)
    trees.read()
    assert trees.snapshots.names == ("a",)


def test_what_is_kept_before_a_change_is_given_back_without_git(
    repo: Repo, reader: MakeReader
) -> None:
    repo.write("a", "one\n")
    repo.commit_all()
    trees = reader(repo.root)
    before = trees.read()
    trees.snapshots.keep(["a", "not there", "../outside"])
    repo.write("a", "two\n")
    shutil.rmtree(repo.root / ".git")
    after = trees.snapshots.look_at(["a"])
    (change,) = trees.snapshots.changes(before.id, after.id)
    assert change.before is not None
    assert trees.snapshots.content("a", change.before) == b"one\n"


def test_what_git_ignores_is_known_of_files_that_were_seen(repo: Repo, reader: MakeReader) -> None:
    repo.write(".gitignore", "*.log\n")
    repo.write("kept.log")
    repo.git("add", "-f", "kept.log")
    repo.write("seen")
    trees = reader(repo.root)
    asked = ["kept.log", "seen", "new", "new.log"]
    assert trees.snapshots.ignored(asked) == {"new.log"}  # nobody has looked yet
    trees.read()
    for _ in range(2):
        assert trees.snapshots.ignored(asked) == {"new.log"}
    repo.write(".gitignore", "*.log\nnew\n")
    trees.read()
    assert trees.snapshots.ignored(asked) == {"new", "new.log"}


def test_names_follow_the_files(repo: Repo, reader: MakeReader) -> None:
    repo.write("b/c")
    repo.write("a")
    trees = reader(repo.root)
    trees.read()
    names = trees.snapshots.names
    assert list(names) == ["a", "b/c"]
    repo.write("a", "changed\n")
    trees.read()
    assert trees.snapshots.names is names
    (repo.root / "a").unlink()
    repo.write("d")
    trees.read()
    assert list(trees.snapshots.names) == ["b/c", "d"]
    repo.write("a")
    trees.snapshots.look_at(["a"])
    assert list(trees.snapshots.names) == ["a", "b/c", "d"]
