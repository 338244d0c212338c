"""Which files count, and whose contents are whose, in repositories of every kind."""

import shutil
import subprocess
from pathlib import Path

import pytest

from agent_runner.workspace.contents import Limits
from agent_runner.workspace.filetree import PLAIN, Entry
from agent_runner.workspace.objects import BLOB, object_name
from tests.workspace.readers import MakeReader, put
from tests.workspace.repos import Repo


def test_a_commit_changes_no_id(repo: Repo, reader: MakeReader) -> None:
    repo.write("a")
    trees = reader(repo.root)
    before = trees.read()
    repo.write("b")
    changed = trees.read()
    repo.commit_all()
    committed = trees.read()
    repo.git("commit", "-q", "--amend", "-m", "another")
    assert changed.id == committed.id == trees.read().id
    assert trees.changed(before, committed) == ("b",)
    assert trees.changed(changed, committed) == ()


def test_ignored_files_do_not_count(repo: Repo, reader: MakeReader) -> None:
    repo.write(".gitignore", "*.log\nbuild/\n")
    before = reader(repo.root).read()
    repo.write("a.log")
    repo.write("build/deep/out")
    assert reader(repo.root).read().id == before.id


def test_tracked_files_count_wherever_they_are(repo: Repo, reader: MakeReader) -> None:
    repo.write("venv/tracked")
    repo.git("add", "-f", "venv/tracked")
    trees = reader(repo.root)
    before = trees.read()
    repo.write("venv/tracked", "changed\n")
    assert trees.changed(before, trees.read()) == ("venv/tracked",)


@pytest.fixture
def with_submodule(repo: Repo, tmp_path: Path) -> Repo:
    """A repository with a submodule at `sub` and an unrelated repository at `nested`."""
    inner = Repo.created(tmp_path / "inner")
    inner.write(".gitignore", "*.tmp\n")
    inner.write("file")
    inner.commit_all()
    repo.git("-c", "protocol.file.allow=always", "submodule", "-q", "add", str(inner.root), "sub")
    repo.commit_all()
    nested = Repo.created(repo.root / "nested")
    nested.write("n")
    nested.commit_all()
    return repo


def test_files_of_repositories_inside_count(with_submodule: Repo, reader: MakeReader) -> None:
    trees = reader(with_submodule.root)
    before = trees.read()
    for path in ("sub/file", "nested/n"):
        with_submodule.write(path, "changed\n")
    with_submodule.write("sub/x.tmp")
    with_submodule.write("sub/new")
    after = trees.read()
    assert trees.changed(before, after) == ("nested/n", "sub/file", "sub/new")
    Repo(with_submodule.root / "sub").commit_all()
    assert trees.read().id == after.id


def test_a_submodule_that_goes_or_turns_into_a_file(
    with_submodule: Repo, reader: MakeReader
) -> None:
    trees = reader(with_submodule.root)
    before = trees.read()
    shutil.rmtree(with_submodule.root / "sub")
    assert trees.changed(before, trees.read()) == ("sub/.gitignore", "sub/file")
    with_submodule.write("sub", "a file\n")
    assert trees.changed(before, trees.read()) == ("sub", "sub/.gitignore", "sub/file")


def test_repositories_inside_with_and_without_a_commit(repo: Repo, reader: MakeReader) -> None:
    for name, has_commit in (("bare of commits", False), ("deep/er/one", True)):
        inner = Repo.created(repo.root / name)
        inner.write("n")
        if has_commit:
            inner.commit_all()
    trees = reader(repo.root)
    before = trees.read()
    assert trees.snapshots.names == (
        "bare of commits/n",
        "deep/er/one/n",
    )
    repo.write("bare of commits/n", "changed\n")
    assert trees.changed(before, trees.read()) == ("bare of commits/n",)


def test_contents_of_a_repository_inside_are_ours_from_the_start(
    repo: Repo, reader: MakeReader
) -> None:
    inner = Repo.created(repo.root / "inner")
    inner.write("a", "one\n")
    inner.commit_all()
    trees = reader(repo.root)
    trees.read()
    shutil.rmtree(inner.root)
    name = object_name(BLOB, b"one\n", "sha1")
    assert trees.snapshots.content("inner/a", Entry(PLAIN, name)) == b"one\n"


def test_a_task_in_a_worktree(repo: Repo, tmp_path: Path, reader: MakeReader) -> None:
    repo.write("a")
    repo.commit_all()
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "side"))
    assert reader(repo.root).read().id == reader(tmp_path / "side").read().id


def test_in_the_midst_of_a_merge(repo: Repo, reader: MakeReader) -> None:
    repo.commit_all()
    repo.git("branch", "side")
    for branch, content in (("main", "ours\n"), ("side", "theirs\n")):
        repo.git("checkout", "-q", branch)
        repo.write("both", content)
        repo.commit_all()
    repo.git("checkout", "-q", "main")
    subprocess.run(["git", "merge", "-q", "side"], cwd=repo.root, check=False, capture_output=True)
    assert "both" in repo.git("ls-files", "--unmerged")
    trees = reader(repo.root)
    conflicted = trees.read()
    repo.write("both", "ours\n")  # as in the last commit, still unmerged
    solved = trees.read()
    repo.git("reset", "-q")
    clean = trees.read()
    assert trees.changed(conflicted, solved) == ("both",)
    assert trees.changed(solved, clean) == ()
    assert solved.id == clean.id


def test_a_sha256_repository_and_one_made_later(tmp_path: Path, reader: MakeReader) -> None:
    put(tmp_path, "a")
    put(tmp_path, "b")
    trees = reader(tmp_path)
    plain = trees.read()
    repo = Repo.created(tmp_path)
    assert trees.read().id == plain.id
    repo.commit_all()
    put(tmp_path, "b", "changed\n")
    assert trees.changed(plain, trees.read()) == ("b",)
    shutil.rmtree(tmp_path / ".git")
    Repo.created(tmp_path, "--object-format=sha256")
    first = trees.read()
    repo.commit_all()
    assert trees.read().id == first.id
    put(tmp_path, "a", "changed\n")
    assert trees.changed(first, trees.read()) == ("a",)


def test_a_repository_that_is_gone_changes_no_snapshot(repo: Repo, reader: MakeReader) -> None:
    repo.write("a")
    repo.commit_all()
    trees = reader(repo.root)
    before = trees.read()
    shutil.rmtree(repo.root / ".git")
    put(repo.root, "b")
    assert trees.changed(before, trees.read()) == ("b",)


def test_replaced_contents_are_ours_even_if_the_repository_goes(
    repo: Repo, reader: MakeReader
) -> None:
    repo.write("a", "one\n")
    repo.commit_all()
    trees = reader(repo.root)
    trees.read()
    repo.write("a", "two\n")
    trees.read()
    shutil.rmtree(repo.root / ".git")
    name = object_name(BLOB, b"one\n", "sha1")
    assert trees.snapshots.content("a", Entry(PLAIN, name)) == b"one\n"


def test_files_that_are_ignored_by_now_count_no_more_unless_tracked(
    repo: Repo, reader: MakeReader
) -> None:
    for name in ("made/out", "made/tracked", "kept"):
        repo.write(name)
    repo.git("add", "made/tracked")
    trees = reader(repo.root)
    before = trees.read()
    repo.write(".gitignore", "made/\n")
    after = trees.read()
    assert trees.changed(before, after) == (".gitignore", "made/out")
    assert after == reader(repo.root).read()
    repo.git("rm", "-q", "--cached", "made/tracked")
    gone = trees.read()
    assert trees.changed(after, gone) == ("made/tracked",)
    assert gone == reader(repo.root).read()


@pytest.mark.parametrize("place", [".git/info/exclude", ".gitignore"])
def test_every_place_of_ignore_rules_counts(repo: Repo, reader: MakeReader, place: str) -> None:
    repo.write("sub/a")
    repo.write("sub/b.log")
    repo.write(place, "*.log\n")
    trees = reader(repo.root / "sub")
    trees.read()
    assert trees.snapshots.names == ("a",)


def test_a_staged_deletion_of_a_file_that_stands_changes_nothing(
    repo: Repo, reader: MakeReader
) -> None:
    repo.write("a")
    repo.commit_all()
    trees = reader(repo.root)
    before = trees.read()
    repo.git("rm", "-q", "--cached", "a")
    assert trees.read() == before
    (repo.root / "a").unlink()
    assert trees.changed(before, trees.read()) == ("a",)


def test_files_left_out_of_a_sparse_checkout_do_not_count(repo: Repo, reader: MakeReader) -> None:
    for name in ("in/a", "out/b", "top"):
        repo.write(name)
    repo.commit_all()
    repo.git("sparse-checkout", "set", "--cone", "in")
    for index in ("--no-sparse-index", "--sparse-index"):
        repo.git("sparse-checkout", "reapply", index)
        for limits in (Limits(), Limits(read_unasked=0, seen_unasked=0)):
            trees = reader(repo.root, limits=limits)
            trees.read()
            assert trees.snapshots.names == (
                "in/a",
                "top",
            )
