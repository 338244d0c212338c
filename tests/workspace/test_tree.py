"""The tree's state in corners that random edits do not reach."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent_runner.model.errors import StateError
from agent_runner.workspace.tree import Tree, TreeReader, tree_state
from tests.workspace.repos import FixedClock, Repo

NOTHING_SETTLED, ALL_SETTLED = FixedClock(0), FixedClock(1e12)


def reader(root: Path, *excluded: Path) -> TreeReader:
    return TreeReader(root, NOTHING_SETTLED, excluded)


def put(root: Path, path: str, content: str = "text\n") -> Path:
    return Repo(root).write(path, content)


class _Opened:
    """Which files this process opens; an audit hook stays for ever, so it is switched."""

    def __init__(self) -> None:
        self.paths: list[str] | None = None
        sys.addaudithook(self._heard)

    def _heard(self, event: str, args: tuple[object, ...]) -> None:
        by_name = event == "open" and not isinstance(args[0], int)  # pipes are opened by number
        if by_name and self.paths is not None:
            self.paths.append(Path(str(args[0])).name)

    @contextmanager
    def within(self, folder: Path) -> Iterator[list[str]]:
        self.paths = []
        try:
            yield self.paths
        finally:
            names = {path.name for path in folder.rglob("*")}
            self.paths[:] = sorted(name for name in self.paths if name in names)
            self.paths = None


OPENED = _Opened()


def test_a_root_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert tree_state(tmp_path / "none", NOTHING_SETTLED) == tree_state(
        tmp_path / "empty", NOTHING_SETTLED
    )


def test_unchanged_files_are_not_read_again(tmp_path: Path) -> None:
    for name in "abc":
        put(tmp_path, name)
    trees = TreeReader(tmp_path, ALL_SETTLED)
    before = trees.read()
    put(tmp_path, "b", "changed\n")
    with OPENED.within(tmp_path) as opened:
        after = trees.read()
    assert opened == ["b"]
    assert trees.changed(before, after) == ("b",)


def test_new_files_are_read_again_for_they_may_have_changed_within_a_tick(tmp_path: Path) -> None:
    put(tmp_path, "a")
    trees = TreeReader(tmp_path, NOTHING_SETTLED)
    trees.read()
    with OPENED.within(tmp_path) as opened:
        trees.read()
    assert opened == ["a"]


def test_with_git_only_what_differs_is_read(repo: Repo) -> None:
    for n in range(20):
        file = repo.write(f"f{n}", f"{n}\n")
        os.utime(file, ns=(10**18, 10**18))  # long before the index, so that it vouches for it
    repo.commit_all()
    repo.write("f7", "changed\n")
    repo.write("new")
    with OPENED.within(repo.root) as opened:
        tree = tree_state(repo.root, NOTHING_SETTLED)
    assert opened == ["f7", "new"]
    assert tree.modified == {"f7", "new"}
    assert len(tree.to_json()) < 400


def test_a_commit_changes_no_id(repo: Repo) -> None:
    repo.write("a")
    trees = reader(repo.root)
    before = trees.read()
    repo.write("b")
    changed = trees.read()
    repo.commit_all()
    committed = trees.read()
    repo.git("commit", "-q", "--amend", "-m", "another")
    assert changed.id == committed.id == trees.read().id
    assert changed.base != committed.base
    assert trees.changed(before, committed) == ("b",)
    assert trees.changed(changed, committed) == ()


def test_ignored_files_do_not_count(repo: Repo) -> None:
    repo.write(".gitignore", "*.log\nbuild/\n")
    before = tree_state(repo.root, NOTHING_SETTLED)
    repo.write("a.log")
    repo.write("build/deep/out")
    assert tree_state(repo.root, NOTHING_SETTLED).id == before.id


@pytest.mark.parametrize("git", [True, False])
def test_what_tools_leave_behind_and_the_state_do_not_count(tmp_path: Path, git: bool) -> None:
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


def test_a_tracked_state_folder_does_not_count(repo: Repo) -> None:
    repo.write(".agent-runner/config.yml", "a: 1\n")
    repo.commit_all()
    trees = reader(repo.root)
    before = trees.read()
    repo.write(".agent-runner/config.yml", "a: 2\n")
    assert trees.read() == before
    repo.commit_all()
    assert trees.changed(before, trees.read()) == ()


def test_tracked_files_count_wherever_they_are(repo: Repo) -> None:
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


def test_files_of_repositories_inside_count(with_submodule: Repo) -> None:
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


def test_a_submodule_that_goes_or_turns_into_a_file(with_submodule: Repo) -> None:
    trees = reader(with_submodule.root)
    before = trees.read()
    shutil.rmtree(with_submodule.root / "sub")
    assert trees.changed(before, trees.read()) == ("sub/.gitignore", "sub/file")
    with_submodule.write("sub", "a file\n")
    assert trees.changed(before, trees.read()) == ("sub", "sub/.gitignore", "sub/file")


def test_a_task_in_a_worktree(repo: Repo, tmp_path: Path) -> None:
    repo.write("a")
    repo.commit_all()
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "side"))
    assert reader(repo.root).read().id == reader(tmp_path / "side").read().id


def test_in_the_midst_of_a_merge(repo: Repo) -> None:
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


@pytest.mark.parametrize("attributes", ["* text=auto\n", "*.dat filter=broken\n", "* ident\n"])
def test_conversions_neither_hide_nor_feign_a_change(repo: Repo, attributes: str) -> None:
    repo.git("config", "filter.broken.clean", "tr a-z A-Z")
    repo.git("config", "core.autocrlf", "input")
    repo.write("a.dat", "one $Id$\r\n")
    repo.write(".gitattributes", attributes)
    trees = reader(repo.root)
    untracked = trees.read()
    repo.commit_all()
    assert trees.read().id == untracked.id
    (repo.root / "a.dat").touch()
    assert trees.read().id == untracked.id
    repo.write("a.dat", "one $Id$\n")
    assert trees.changed(untracked, trees.read()) == ("a.dat",)


def test_a_filter_that_cannot_run_does_not_matter(repo: Repo) -> None:
    repo.write("a.bin")
    repo.commit_all()
    repo.write(".gitattributes", "*.bin filter=lfs\n")
    repo.git("config", "filter.lfs.process", "no-such-program")
    repo.git("config", "filter.lfs.required", "true")
    trees = reader(repo.root)
    before = trees.read()
    repo.write("a.bin", "changed\n")
    assert trees.changed(before, trees.read()) == ("a.bin",)


def test_modes_count_even_where_git_is_told_not_to_look(repo: Repo) -> None:
    file = repo.write("a")
    repo.commit_all()
    repo.git("config", "core.fileMode", "false")
    trees = reader(repo.root)
    before = trees.read()
    file.chmod(0o755)
    assert trees.changed(before, trees.read()) == ("a",)


def test_pipes_and_unreadable_names_do_no_harm(repo: Repo) -> None:
    os.mkfifo(repo.root / "pipe")
    repo.write("tracked")
    repo.commit_all()
    (repo.root / "tracked").unlink()
    os.mkfifo(repo.root / "tracked")
    assert reader(repo.root).read().modified == {"tracked"}


def test_a_sha256_repository_and_one_made_later(tmp_path: Path) -> None:
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


def test_a_base_that_is_gone_counts_everything_as_changed(repo: Repo) -> None:
    repo.write("a")
    repo.commit_all()
    trees = reader(repo.root)
    before = trees.read()
    shutil.rmtree(repo.root / ".git")
    put(repo.root, "b")
    assert trees.changed(before, trees.read()) == ("a", "b")


def test_a_tree_is_kept_as_text(repo: Repo) -> None:
    repo.write("né\udcff\n")
    tree = reader(repo.root).read()
    text = tree.to_json()
    assert text.isascii()
    assert "\n" not in text
    assert Tree.from_json(text) == tree


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"format": 2}', '{"format": 1}'])
def test_text_that_is_no_tree_is_refused(text: str) -> None:
    with pytest.raises(StateError, match="kept tree"):
        Tree.from_json(text)
