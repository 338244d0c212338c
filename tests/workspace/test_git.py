"""What git says of a root: found or not, branch, status, what it ignores."""

import os
import subprocess
from pathlib import Path

import pytest

from agent_runner.model.errors import UsageError
from agent_runner.workspace.git import Repository
from agent_runner.workspace.status import GitStatus
from tests.workspace.repos import Repo

ODD = [
    "-dash",
    "né.txt",
    "new\nline",
    "tab\t",
    'q"uote',
    ":(top)x",
    "*star",
    "sp ace",
    "\udcff\udcfe",
]


def found(root: Path) -> Repository:
    repository = Repository.find(root)
    assert repository is not None
    return repository


def test_without_a_repository_there_is_none(tmp_path: Path) -> None:
    assert Repository.find(tmp_path) is None
    assert Repository.find(tmp_path / "not-there") is None


def test_without_git_there_is_none(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repo.root))
    assert Repository.find(repo.root) is None


def test_a_bare_repository_and_the_inside_of_one_are_none(tmp_path: Path) -> None:
    bare = Repo.created(tmp_path / "bare", "--bare")
    assert Repository.find(bare.root) is None
    repo = Repo.created(tmp_path / "repo")
    assert Repository.find(repo.root / ".git") is None


def test_a_root_that_the_repository_around_it_ignores_has_none(repo: Repo) -> None:
    repo.write(".gitignore", "sandbox/\n")
    repo.write("sandbox/inner/a")
    assert Repository.find(repo.root / "sandbox") is None
    assert Repository.find(repo.root / "sandbox" / "inner") is None


def test_before_the_first_commit(repo: Repo) -> None:
    repo.write("a")
    assert found(repo.root).status() == GitStatus("main", "", ("?? a",))


def test_branch_and_head(repo: Repo) -> None:
    head = repo.commit_all()
    repo.git("checkout", "-q", "-b", "feature/x")
    assert found(repo.root).status() == GitStatus("feature/x", head)
    repo.git("checkout", "-q", "--detach")
    assert found(repo.root).status() == GitStatus(None, head)


def test_a_worktree_is_a_repository(repo: Repo, tmp_path: Path) -> None:
    head = repo.commit_all()
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    (tmp_path / "side" / "new").write_text("x")
    assert found(tmp_path / "side").status() == GitStatus("side", head, ("?? new",))


def test_status_is_bounded_and_of_the_root_only(repo: Repo) -> None:
    repo.write("sub dir/tracked")
    repo.commit_all()
    for n in range(9):
        repo.write(f"sub dir/f{n}")
    repo.write("elsewhere")
    repo.write("sub dir/new folder/a")
    status = found(repo.root / "sub dir").status(limit=3)
    assert status.lines == ("?? f0", "?? f1", "?? f2")
    assert status.more == 7
    assert not status.clean


def test_odd_names_come_through(repo: Repo) -> None:
    for name in ODD:
        repo.write(f"d/{name}")
    repo.write("d/gone")
    repo.commit_all()
    for name in ODD:
        repo.write(f"d/{name}", "changed\n")
    (repo.root / "d/gone").unlink()
    for root, prefix in ((repo.root, "d/"), (repo.root / "d", "")):
        names = {prefix + name for name in [*ODD, "gone"]}
        assert found(root).modified_paths() == names
    lines = found(repo.root).status().lines
    assert " M d/new\\nline" in lines
    assert " M d/né.txt" in lines
    assert " M d/\\udcff\\udcfe" in lines
    assert " D d/gone" in lines


def test_modified_paths_are_staged_unstaged_and_new_ones(repo: Repo) -> None:
    for name in ("staged", "unstaged", "deleted", "same"):
        repo.write(name)
    repo.write(".gitignore", "*.log\n")
    repo.commit_all()
    repo.write("staged", "2")
    repo.git("add", "staged")
    repo.write("unstaged", "2")
    repo.git("rm", "-q", "deleted")
    repo.write("new/deep/file")
    repo.write("x.log")
    expected = {"staged", "unstaged", "deleted", "new/deep/file"}
    assert found(repo.root).modified_paths() == expected


def test_ignored_paths_exist_or_not_and_have_odd_names(repo: Repo) -> None:
    repo.write(".gitignore", "*.log\n/build/\nodd*\n!odd-but-kept\n")
    repo.write("kept.log")
    repo.git("add", "-f", "kept.log")
    repo.write("build/out")
    asked = ["a.log", "-x.log", "kept.log", "build/out", "odd\nname", "odd-but-kept", "a.py", ""]
    ignored = {"a.log", "-x.log", "build/out", "odd\nname"}
    assert found(repo.root).ignored(asked) == ignored
    assert found(repo.root).ignored([]) == set()


def test_ignored_copes_with_paths_git_refuses(repo: Repo) -> None:
    repo.write(".gitignore", "*.log\n")
    (repo.root / "link").symlink_to("/tmp")
    asked = ["link/a.log", "../outside.log", "/etc/passwd", "a.log"]
    assert found(repo.root).ignored(asked) == {"a.log"}


def test_a_submodule_has_its_own_word_on_what_is_ignored(repo: Repo, tmp_path: Path) -> None:
    inner = Repo.created(tmp_path / "inner")
    inner.write(".gitignore", "*.tmp\n")
    inner.commit_all()
    repo.commit_all()
    repo.git("-c", "protocol.file.allow=always", "submodule", "-q", "add", str(inner.root), "sub")
    assert found(repo.root).ignored(["sub/a.tmp", "sub/a.py", "a.tmp"]) == {"sub/a.tmp"}


def test_the_environment_of_a_hook_does_not_lead_astray(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repo.created(tmp_path / "other")
    repo.write("a")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "nowhere"))
    assert found(repo.root).modified_paths() == {"a"}


def test_the_users_configuration_does_not_break_it(repo: Repo, tmp_path: Path) -> None:
    config = {
        "core.quotePath": "true",
        "color.ui": "always",
        "color.status": "always",
        "status.showUntrackedFiles": "no",
        "status.short": "true",
        "status.branch": "true",
        "status.showStash": "true",
        "status.relativePaths": "false",
        "diff.external": "false",
        "diff.noprefix": "true",
        "core.pager": str(tmp_path / "no-such-pager"),
        "core.fsmonitor": str(tmp_path / "no-such-monitor"),
    }
    repo.commit_all()
    for name, value in config.items():
        repo.git("config", name, value)
    repo.write("né/a")
    assert found(repo.root).status().lines == ("?? né/",)
    assert found(repo.root).modified_paths() == {"né/a"}
    assert found(repo.root / "né").status().lines == ("?? ./",)


def test_a_root_that_is_all_new_is_told(repo: Repo) -> None:
    repo.write("a/b/c")
    assert found(repo.root / "a" / "b").status().lines == ("?? ./",)
    assert found(repo.root / "a" / "b").modified_paths() == {"c"}


def test_a_repository_that_git_refuses_is_an_error_with_a_way_out(repo: Repo) -> None:
    (repo.root / ".git" / "config").write_text("[core\n")
    with pytest.raises(UsageError, match="git refuses the repository") as caught:
        Repository.find(repo.root)
    assert "git -C" in caught.value.fix


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_repository_of_another_user_is_an_error_with_a_way_out(repo: Repo) -> None:
    for path in (repo.root, repo.root / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(UsageError, match="dubious ownership") as caught:
        Repository.find(repo.root)
    assert caught.value.fix == f"git config --global --add safe.directory {repo.root}"


def test_reading_leaves_the_index_alone(repo: Repo) -> None:
    repo.write("a")
    repo.commit_all()
    index = repo.root / ".git" / "index"
    os.utime(repo.root / "a", ns=(10**18, 10**18))
    before = index.read_bytes()
    found(repo.root).status()
    found(repo.root).modified_paths()
    assert index.read_bytes() == before
    assert not list((repo.root / ".git").glob("*.lock"))


def test_a_held_index_lock_does_not_hinder_reading(repo: Repo) -> None:
    repo.write("a")
    (repo.root / ".git" / "index.lock").touch()
    assert found(repo.root).modified_paths() == {"a"}


def test_a_sha256_repository(tmp_path: Path) -> None:
    made = subprocess.run(
        ["git", "init", "-q", "--object-format=sha256", tmp_path], check=False, capture_output=True
    )
    assert made.returncode == 0
    assert found(tmp_path).hashing == "sha256"


def test_a_filter_in_a_file_that_the_configuration_includes_is_switched_off_too(
    repo: Repo, tmp_path: Path
) -> None:
    """Also where the file appears, or changes, after the repository was looked at."""
    ran = tmp_path / "ran"
    repo.git("config", "include.path", "../.gitconfig")
    repo.write("a.txt")
    repo.commit_all()
    repository = Repository.find(repo.root)
    assert repository is not None
    assert [path.resolve() for path in repository.obeyed] == [repo.root.resolve() / ".gitconfig"]
    for name in ("one", "other"):
        repo.write(".gitconfig", f'[filter "{name}"]\n\tclean = "touch {ran}; cat"\n')
        repo.write(".gitattributes", f"* filter={name}\n")
        repo.write("a.txt", f"{name}\n")
        repository = Repository.find(repo.root)
        assert repository is not None
        assert "a.txt" in repository.modified_paths()
        assert not ran.exists()


@pytest.mark.parametrize("entry", ["{root}/bin", "bin", "{root}/../link/bin"])
def test_a_git_that_lies_in_the_tree_is_not_started(
    entry: str, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = repo.root.parent / "ran"
    (repo.root.parent / "link").symlink_to(repo.root)
    repo.write("bin/git", f"#!/bin/sh\ntouch {ran}\nexit 1\n").chmod(0o755)
    monkeypatch.chdir(repo.root)
    monkeypatch.setenv("PATH", f"{entry.format(root=repo.root)}:{os.environ['PATH']}")
    repository = Repository.find(repo.root)
    assert repository is not None
    assert repository.status().lines == ("?? bin/",)
    assert not ran.exists()
