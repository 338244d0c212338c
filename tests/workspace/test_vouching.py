"""What git vouches for is not read, and nothing else is taken on trust."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

from agent_runner.workspace.contents import Limits
from agent_runner.workspace.filetree import PLAIN, Entry, Folder, Look
from agent_runner.workspace.staged import index_entries
from tests.workspace.readers import (
    OPENED,
    MakeReader,
    settle,
)
from tests.workspace.repos import Repo


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
    assert list(index_entries(content, 20)) == []


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


@pytest.mark.parametrize("limits", [Limits(), Limits(read_unasked=0, seen_unasked=0)])
def test_a_split_index(repo: Repo, reader: MakeReader, limits: Limits) -> None:
    for n in range(9):
        repo.write(f"f{n}")
    repo.git("config", "core.splitIndex", "true")
    repo.commit_all()
    settle(repo)
    expected = reader(repo.root).read()
    trees = reader(repo.root, limits=limits)
    assert trees.read() == expected
    repo.write("f3", "another size\n")
    assert trees.changed(expected, trees.read()) == ("f3",)


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
