"""A look that asks git for its status sees what any look sees, and says what git would be told."""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_runner.workspace.contents import Limits
from agent_runner.workspace.git import Repository
from agent_runner.workspace.names import Scope
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.snapshots import SnapshotReader
from agent_runner.workspace.status import GitStatus
from tests.support.exploring import examples
from tests.workspace.edits import FILE_EDITS, GIT_EDITS, Edit, do, sampled
from tests.workspace.readers import ALL_SETTLED, MakeReader, Reader, settle
from tests.workspace.repos import FixedClock, Repo

MANY = Limits(read_unasked=0, seen_unasked=0)
"""As in a repository of many files: git says which of them may have changed."""


def asked(root: Path) -> GitStatus:
    repository = Repository.find(root)
    assert repository is not None
    return repository.status()


def looked(reader: Reader) -> GitStatus:
    """The status of a second look, that of the first being the same."""
    reader.read()
    first = reader.snapshots.status()
    reader.read()
    status = reader.snapshots.status()
    assert status is not None
    assert first == status
    return status


@examples(40)
@given(
    before=st.lists(sampled([*FILE_EDITS, *GIT_EDITS]), max_size=8),
    after=st.lists(sampled(FILE_EDITS), max_size=6),
    below=st.sampled_from(["", "sub"]),
    limits=st.sampled_from([Limits(), Limits(seen_unasked=0), MANY]),
)
def test_it_is_what_git_says(
    before: list[Edit], after: list[Edit], below: str, limits: Limits
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Repo.created(Path(folder, "git"))
        root = top.root / below
        root.mkdir(exist_ok=True)
        with (
            closing(ObjectStore(Path(folder, "state"))) as store,
            closing(ObjectStore(Path(folder, "other"))) as another,
        ):
            reader = SnapshotReader(Scope(root), store, FixedClock(), limits)
            do(before, (root, root))
            reader.look()
            assert reader.status() == asked(root)
            do(after, (root, root))
            seen = reader.look()
            assert reader.status() == asked(root)
            assert seen == SnapshotReader(Scope(root), another, FixedClock()).look()


@pytest.mark.parametrize("below", ["", "new", "tracked", "mixed/deep"])
def test_folders_of_which_git_tracks_nothing_are_one_line(
    repo: Repo, reader: MakeReader, tmp_path: Path, below: str
) -> None:
    repo.write("tracked/a")
    repo.write("mixed/deep/er/a")
    repo.write("mixed.txt")
    repo.write(".gitignore", "*.log\n")
    inner = Repo.created(tmp_path / "inner")
    inner.write("file")
    inner.commit_all()
    source = ["-c", "protocol.file.allow=always", "submodule", "-q", "add", str(inner.root)]
    repo.git(*source, "modules/one")
    repo.commit_all()
    for path in (
        *("new/a", "new/deep/b", "new/a.log", "logs/a.log", "tracked/b", "tracked/new/c"),
        *("mixed/a", "mixed/deep/b", "mixed/deep.txt", "mixed/deeper/a", "modules/b"),
        *("é/a", "new\nline/a", "sp ace/b c", "mixed/deep/er/more/a", os.fsdecode(b"\xff\xfe/x")),
    ):
        repo.write(path)
    Repo.created(repo.root / "nested/one").write("n")
    other = Repo.created(repo.root / "nested/two")
    other.write("n")
    other.commit_all()
    (repo.root / "tracked/a").unlink()
    repo.git("rm", "-q", "--cached", "mixed.txt")
    root = repo.root / below
    assert looked(reader(root)) == asked(root)


def test_it_is_bounded(repo: Repo, reader: MakeReader) -> None:
    repo.write("a")
    repo.commit_all()
    for n in range(60):
        repo.write(f"f{n:02}")
        repo.write(f"d/f{n}")
    status = looked(reader(repo.root))
    assert status.lines[:2] == ("?? d/", "?? f00")
    assert (len(status.lines), status.more) == (50, 11)


def test_after_a_change_of_our_own_git_is_asked(repo: Repo, reader: MakeReader) -> None:
    file = repo.write("a")
    repo.commit_all()
    trees = reader(repo.root)
    assert looked(trees).clean
    file.write_text("of our own\n")
    trees.snapshots.look_at(["a"])
    status = trees.snapshots.status()
    assert status is not None
    assert status.lines == (" M a",)


def test_without_git_there_is_none(tmp_path: Path, reader: MakeReader) -> None:
    trees = reader(Repo(tmp_path / "plain").write("a").parent)
    trees.read()
    trees.read()
    assert trees.snapshots.status() is None


def test_a_root_that_git_ignores_has_none(repo: Repo, reader: MakeReader) -> None:
    repo.write(".gitignore", "out/\n")
    repo.write("out/a")
    repo.commit_all()
    trees = reader(repo.root / "out")
    trees.read()
    assert trees.read() == reader(repo.root / "out").read()
    assert trees.snapshots.names == ("a",)
    assert trees.snapshots.status() is None


@pytest.mark.parametrize("limits", [Limits(), MANY])
def test_a_head_that_leads_nowhere_hides_no_file(
    repo: Repo, reader: MakeReader, limits: Limits
) -> None:
    file = repo.write("a")
    repo.commit_all()
    settle(repo)
    trees = reader(repo.root, limits=limits)
    trees.read()
    before = trees.read()
    (repo.root / ".git/refs/heads/main").write_text(f"{'1' * 40}\n")
    assert trees.read() == before
    file.write_text("other\n")
    repo.write("new")
    assert trees.changed(before, trees.read()) == ("a", "new")


@pytest.mark.parametrize("limits", [Limits(), MANY])
@pytest.mark.parametrize("setting", ["core.fileMode", "core.symlinks"])
def test_what_git_is_told_to_overlook_is_seen_and_not_in_its_status(
    repo: Repo, reader: MakeReader, limits: Limits, setting: str
) -> None:
    file = repo.write("a")
    link = repo.root / "link"
    link.symlink_to("a")
    repo.commit_all()
    repo.git("config", setting, "false")
    settle(repo)
    trees = reader(repo.root, limits=limits)
    before = trees.read()
    if setting == "core.fileMode":
        file.chmod(0o755)
    else:
        link.unlink()
        link.write_text("a")
    changed = ("a",) if setting == "core.fileMode" else ("link",)
    assert trees.changed(before, trees.read()) == changed
    assert trees.changed(before, trees.read()) == changed
    assert trees.snapshots.status() == asked(repo.root)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The commands that git was asked for since the last time, noted by a script in its place."""
    log, script = tmp_path / "log", tmp_path / "bin" / "git"
    script.parent.mkdir()
    words = r"s/.* (config|status|ls-files|diff-files) .*/\1/"
    script.write_text(
        f'#!/bin/sh\necho "$@" | sed -E "{words}" >> "{log}"\nexec "{shutil.which("git")}" "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")

    def since() -> list[str]:
        noted = log.read_text().split("\n")[:-1] if log.exists() else []
        log.write_text("")
        return sorted(noted)

    return since


def test_a_look_asks_for_one_thing(
    repo: Repo, reader: MakeReader, commands: Callable[[], list[str]]
) -> None:
    repo.write("a")
    repo.commit_all()
    settle(repo)
    trees = reader(repo.root, limits=MANY)
    commands()
    trees.read()
    assert commands() == ["config", "ls-files", "ls-files", "status"]
    trees.read()
    trees.snapshots.status()
    assert commands() == ["status"]


def test_git_does_not_read_again_and_again_what_it_may_not_note(
    repo: Repo, reader: MakeReader, commands: Callable[[], list[str]]
) -> None:
    """Files that were touched, as by a copy of the whole work tree: their stat is another one."""
    for name in "abc":
        repo.write(name)
    repo.commit_all()
    settle(repo)
    for name in "abc":
        os.utime(repo.root / name, (0, 0))
    trees = reader(repo.root, limits=MANY, clock=ALL_SETTLED)
    before = trees.read()
    commands()
    assert trees.read() == before
    assert commands() == ["diff-files", "ls-files"]
    repo.git("update-index", "--refresh")
    settle(repo)
    trees.read()
    commands()
    assert trees.read() == before
    assert commands() == ["status"]
