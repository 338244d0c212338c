"""Commits hold the task's files and nothing else, and a refusal loses nothing."""

import subprocess
from pathlib import Path

import anyio
import pytest

from agent_runner.workspace.commit import Commit, chosen, commit
from agent_runner.workspace.git import Repository
from tests.workspace.repos import Repo


def committed(root: Path, *paths: str, message: str = "Do it") -> Commit:
    async def run() -> Commit:
        repository = Repository.find(root)
        assert repository is not None
        return await commit(repository, paths, message, "T1")

    return anyio.run(run)


def hook(repo: Repo, name: str, script: str) -> None:
    file = repo.write(f".git/hooks/{name}", f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


@pytest.fixture
def busy(repo: Repo) -> Repo:
    """A repository in which the user is at work: staged, unstaged and new files."""
    for name in ("theirs-staged", "theirs", "ours", "ours-gone", "d/ours"):
        repo.write(name)
    repo.commit_all()
    repo.write("theirs-staged", "staged\n")
    repo.git("add", "theirs-staged")
    repo.write("theirs-staged", "and more\n")
    repo.write("theirs", "changed\n")
    repo.write("theirs-new")
    repo.write("ours", "changed\n")
    repo.write("d/ours", "changed\n")
    repo.write("d/ours-new", "no copy\n")
    (repo.root / "ours-gone").unlink()
    return repo


OURS = ("ours", "ours-gone", "d/ours", "d/ours-new")


def names_in_head(repo: Repo) -> set[str]:
    told = repo.git("show", "--pretty=format:", "--name-only", "-z", "HEAD")
    return set(told.split("\0")) - {""}


def test_exactly_these_paths_are_committed(busy: Repo) -> None:
    done = committed(busy.root, *OURS)
    assert done == Commit(busy.git("rev-parse", "HEAD").strip(), tuple(sorted(OURS)))
    assert names_in_head(busy) == set(OURS)
    assert busy.staged() == {"theirs-staged"}
    assert busy.git("show", ":theirs-staged") == "staged\n"
    status = busy.git("status", "--porcelain")
    assert status == " M theirs\nMM theirs-staged\n?? theirs-new\n"


def test_the_message_ends_in_a_trailer_that_names_the_task(busy: Repo) -> None:
    committed(busy.root, "ours", message="# Not a comment\n\nBody: text")
    body = busy.git("log", "-1", "--format=%B")
    assert body.rstrip() == "# Not a comment\n\nBody: text\n\nAgent-Runner-Task: T1"
    trailer = "--format=%(trailers:key=Agent-Runner-Task,valueonly)"
    assert busy.git("log", "-1", trailer).strip() == "T1"


def test_a_failing_hook_is_reported_and_loses_nothing(busy: Repo) -> None:
    hook(busy, "pre-commit", "echo lint: bad style; exit 1")
    before = (busy.git("status", "--porcelain"), busy.git("rev-parse", "HEAD"))
    done = committed(busy.root, *OURS)
    assert done.commit == ""
    assert done.problem == "lint: bad style"
    assert (busy.git("status", "--porcelain"), busy.git("rev-parse", "HEAD")) == before
    assert (busy.root / "d/ours-new").read_text() == "no copy\n"


def test_hooks_run_as_for_any_commit(busy: Repo, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    hook(busy, "pre-commit", f"git diff --cached --name-only -- '*ours*' > {seen}")
    assert committed(busy.root, *OURS).problem == ""
    assert set(seen.read_text().split()) == set(OURS)


def test_a_hook_that_leaves_a_child_does_not_hang_it(busy: Repo, tmp_path: Path) -> None:
    fifo, pid = tmp_path / "fifo", tmp_path / "pid"
    hook(busy, "post-commit", f"mkfifo {fifo}; cat {fifo} & echo $! > {pid}")
    assert committed(busy.root, "ours").problem == ""
    fifo.write_text("end\n")  # the child still waits here; it ends with this


def test_cancelling_stops_the_hook_and_leaves_all_as_it_was(busy: Repo, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    subprocess.run(["mkfifo", fifo], check=True)
    hook(busy, "pre-commit", f"echo begun > {fifo}; exec sleep 600")
    before = busy.git("status", "--porcelain")

    async def run() -> None:
        repository = Repository.find(busy.root)
        assert repository is not None
        async with anyio.create_task_group() as group:
            group.start_soon(commit, repository, OURS, "Do it", "T1")
            await anyio.to_thread.run_sync(fifo.read_text)
            group.cancel_scope.cancel()

    anyio.run(run)
    assert busy.git("status", "--porcelain") == before
    assert not list((busy.root / ".git").glob("*.lock"))


def test_without_a_commit_yet(repo: Repo) -> None:
    repo.write("ours")
    repo.write("theirs")
    assert committed(repo.root, "ours").problem == ""
    assert names_in_head(repo) == {"ours"}
    assert repo.git("status", "--porcelain") == "?? theirs\n"


def test_odd_names_below_a_root(repo: Repo) -> None:
    names = ["-dash", "new\nline", ":(top)x", "*", "né", "\udcff"]
    for name in names:
        repo.write(f"sub/{name}")
    repo.write("sub/theirs")
    assert committed(repo.root / "sub", *names).paths == tuple(sorted(names))
    assert repo.git("status", "--porcelain") == "?? sub/theirs\n"


def test_ignored_files_are_left_out_and_said(repo: Repo) -> None:
    repo.write(".gitignore", "*.log\n")
    repo.commit_all()
    repo.write("a.log")
    repo.write("a.py")
    done = committed(repo.root, "a.log", "a.py")
    assert (done.paths, done.left_out) == (("a.py",), ("a.log",))


def test_nothing_to_commit_is_no_problem(repo: Repo) -> None:
    repo.write("same")
    head = repo.commit_all()
    assert committed(repo.root, "same", "never-there") == Commit()
    assert repo.git("rev-parse", "HEAD").strip() == head


def test_a_merge_in_progress_is_reported(repo: Repo) -> None:
    repo.write("a")
    repo.commit_all()
    repo.git("checkout", "-q", "-b", "side")
    repo.write("b")
    repo.commit_all()
    repo.git("checkout", "-q", "main")
    repo.write("c")
    repo.commit_all()
    repo.git("merge", "-q", "--no-commit", "--no-ff", "side")
    repo.write("ours")
    before = repo.git("status", "--porcelain")
    assert "merge" in committed(repo.root, "ours").problem
    assert repo.git("status", "--porcelain") == before


def test_no_name_to_commit_under_is_reported(busy: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{who}_NAME")
        monkeypatch.delenv(f"GIT_{who}_EMAIL")
    busy.git("config", "user.useConfigOnly", "true")
    before = busy.git("status", "--porcelain")
    assert "user.email" in committed(busy.root, *OURS).problem
    assert busy.git("status", "--porcelain") == before


def test_files_modified_before_the_task_are_left_out_unless_told() -> None:
    pick = chosen(["b", "a", "c"], ["a", "x"])
    assert (pick.paths, pick.left_out) == (("b", "c"), ("a",))
    assert chosen(["b", "a"], ["a"], include_modified=True).paths == ("a", "b")
