"""Snapshots in corners that random edits do not reach."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, Protocol

import pytest

from agent_runner.ground.clock import Clock
from agent_runner.model.errors import StateError
from agent_runner.workspace.filetree import PLAIN, Entry, Folder, Look
from agent_runner.workspace.objects import BLOB, ObjectStore, object_name
from agent_runner.workspace.snapshots import Limits, Snapshot, SnapshotReader
from agent_runner.workspace.staged import index_entries
from tests.workspace.repos import FixedClock, Repo

LIMITS = Limits()
NOTHING_SETTLED, ALL_SETTLED = FixedClock(0), FixedClock(1e12)


class Reader:
    """A reader with a store of its own."""

    def __init__(
        self, root: Path, state: Path, clock: Clock, excluded: tuple[Path, ...], limits: Limits
    ) -> None:
        self.store = ObjectStore(state)
        self.snapshots = SnapshotReader(root, self.store, clock, excluded, limits)

    def read(self) -> Snapshot:
        return self.snapshots.look()

    def changed(self, earlier: Snapshot, later: Snapshot) -> tuple[str, ...]:
        return tuple(change.path for change in self.snapshots.changes(earlier.id, later.id))


class MakeReader(Protocol):
    def __call__(
        self, root: Path, *excluded: Path, clock: Clock = ..., limits: Limits = ...
    ) -> Reader: ...


@pytest.fixture
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeReader]:
    """Makes readers; each has a state folder outside the root."""
    made: list[Reader] = []

    def make(
        root: Path, *excluded: Path, clock: Clock = NOTHING_SETTLED, limits: Limits = LIMITS
    ) -> Reader:
        made.append(Reader(root, tmp_path_factory.mktemp("state"), clock, excluded, limits))
        return made[-1]

    yield make
    for one in made:
        one.store.close()


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
            names = {path.name for path in _files(folder)}
            self.paths[:] = sorted(name for name in self.paths if name in names)
            self.paths = None


def _files(folder: Path) -> list[Path]:
    return [f for f in folder.rglob("*") if f.is_file() and ".git" not in f.parts]


OPENED = _Opened()


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


def test_what_the_index_vouches_for_is_not_read(repo: Repo, reader: MakeReader) -> None:
    for n in range(20):
        repo.write(f"f{n}", f"{n}\n")
    repo.write("crlf.txt", "a\r\n")
    repo.write(".gitattributes", "*.txt text\n")
    repo.commit_all()
    settle(repo)
    repo.write("f7", "changed\n")
    repo.write("new")
    trees = reader(repo.root, limits=Limits(read_unasked=0))
    with OPENED.within(repo.root) as opened:
        tree = trees.read()
    assert opened == ["crlf.txt", "f7", "new"]
    assert tree == reader(repo.root).read()


def settle(repo: Repo) -> None:
    """Make the index younger than all files, as it is when some time has passed."""
    index = repo.root / ".git" / "index"
    later = index.stat().st_mtime_ns + 10 * 10**9
    os.utime(index, ns=(later, later))


@pytest.mark.parametrize("version", ["2", "3", "4"])
@pytest.mark.parametrize("below", ["", "d"])
def test_every_version_of_the_index_vouches(
    repo: Repo, reader: MakeReader, version: str, below: str
) -> None:
    for name in ("a", "d/long" * 40, "d/né", "d/new\nline", "d/x", "z"):
        repo.write(name)
    (repo.root / "d/x").chmod(0o755)
    (repo.root / "d/link").symlink_to("x")
    repo.commit_all()
    repo.git("update-index", "--index-version", "4" if version == "4" else "2")
    if version == "3":  # a flag that only version 3 has
        repo.git("update-index", "--skip-worktree", "z")
    settle(repo)
    root = repo.root / below
    trees = reader(root, limits=Limits(read_unasked=0))
    with OPENED.within(root) as opened:
        found = trees.read()
    assert opened == (["z"] if version == "3" and not below else [])
    assert found == reader(root).read()


@pytest.mark.parametrize(
    "content", [b"", b"DIRC", b"DIRC\0\0\0\x09\0\0\0\x01", b"DIRC\0\0\0\2\0\0\0\5cut off"]
)
def test_an_index_that_cannot_be_read_vouches_for_nothing(content: bytes, tmp_path: Path) -> None:
    assert dict(index_entries(content, 20)) == {}


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_flags_that_hide_a_file_from_git_do_not_hide_it_from_us(
    repo: Repo, reader: MakeReader, flag: str
) -> None:
    file = repo.write("a", "one\n")
    repo.commit_all()
    repo.git("update-index", flag, "a")
    trees = reader(repo.root, limits=Limits(read_unasked=0))
    settle(repo)
    before = trees.read()
    file.write_text("two\n")
    assert trees.changed(before, trees.read()) == ("a",)
    settle(repo)
    assert reader(repo.root, limits=Limits(read_unasked=0)).read() == trees.read()


@pytest.mark.parametrize("seen_unasked", [0, 4_000])
def test_a_change_that_git_cannot_see_is_seen(
    repo: Repo, reader: MakeReader, seen_unasked: int
) -> None:
    """Same size, same second, the old time of change: to git, that compares seconds, the same."""
    file = repo.write("a", "one\n")
    second = 0
    while second != int(file.stat().st_ctime):  # again if a second passed just then
        file.write_text("one\n")
        os.utime(file, ns=(10**18, 10**18))
        repo.git("add", "a")
        second = int(file.stat().st_ctime)
        trees = reader(repo.root, limits=Limits(seen_unasked=seen_unasked))
        before = trees.read()
        file.write_text("two\n")
        os.utime(file, ns=(10**18, 10**18))
    assert trees.changed(before, trees.read()) == ("a",)


def test_git_alone_says_that_what_it_vouches_for_is_gone() -> None:
    tree = Folder()
    entry = Entry(PLAIN, bytes(20))
    look = Look(unexpected, unexpected)
    look.vouched(tree, {"d/a": entry})
    assert not look.gone(tree)
    assert list(tree.paths()) == ["d/a"]


def unexpected(*args: object) -> NoReturn:
    raise AssertionError(args)


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


@pytest.mark.parametrize("attributes", ["* text=auto\n", "*.dat filter=broken\n", "* ident\n"])
def test_conversions_neither_hide_nor_feign_a_change(
    repo: Repo, attributes: str, reader: MakeReader
) -> None:
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


def test_a_filter_that_cannot_run_does_not_matter(repo: Repo, reader: MakeReader) -> None:
    repo.write("a.bin")
    repo.commit_all()
    repo.write(".gitattributes", "*.bin filter=lfs\n")
    repo.git("config", "filter.lfs.process", "no-such-program")
    repo.git("config", "filter.lfs.required", "true")
    trees = reader(repo.root)
    before = trees.read()
    repo.write("a.bin", "changed\n")
    assert trees.changed(before, trees.read()) == ("a.bin",)


def test_modes_count_even_where_git_is_told_not_to_look(repo: Repo, reader: MakeReader) -> None:
    file = repo.write("a")
    repo.commit_all()
    repo.git("config", "core.fileMode", "false")
    trees = reader(repo.root)
    before = trees.read()
    file.chmod(0o755)
    assert trees.changed(before, trees.read()) == ("a",)


def test_pipes_and_unreadable_names_do_no_harm(repo: Repo, reader: MakeReader) -> None:
    os.mkfifo(repo.root / "pipe")
    repo.write("tracked")
    repo.commit_all()
    (repo.root / "tracked").unlink()
    os.mkfifo(repo.root / "tracked")
    trees = reader(repo.root)
    assert trees.read().not_kept == frozenset()
    assert trees.snapshots.names == []


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


def test_a_snapshot_that_is_not_kept_is_an_error(repo: Repo, reader: MakeReader) -> None:
    repo.write("a")
    known, other = reader(repo.root), reader(repo.root)
    tree = known.read()
    with pytest.raises(StateError, match="not kept"):
        other.changed(tree, reader(repo.root / "none").read())
