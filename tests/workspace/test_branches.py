"""Commits on branches of our own: HEAD moves, and nothing of the user's does."""

import os
import subprocess
from pathlib import Path

import anyio
import pytest
from hypothesis import given, strategies as st

from agent_runner.workspace.branches import (
    branch_of_list,
    branch_of_task,
    branch_to_make,
    why_no_branch,
)
from agent_runner.workspace.commit import Commit, Committer
from agent_runner.workspace.git import Repository
from tests.workspace.repos import Repo


def committed(root: Path, *paths: str, branch: str = "agent-runner/T1") -> Commit:
    async def run() -> Commit:
        repository = Repository.find(root)
        assert repository is not None
        one = Committer(root.parent / "commit.index", os.environ, patience=0.2)
        return await one.commit(repository, paths, "Do it", ["T1"], branch=branch)

    return anyio.run(run)


def standing(repo: Repo) -> tuple[str, ...]:
    """All of the user's: what is staged and changed, the files, and the branch main."""
    files = {path.name: path.read_bytes() for path in repo.root.iterdir() if path.is_file()}
    status = repo.git("status", "--porcelain", "--", ":!ours")
    return (status, repo.git("diff", "--cached"), repo.git("rev-parse", "main"), repr(files))


@pytest.fixture
def busy(repo: Repo) -> Repo:
    """A user at work on main, and a file that a task has changed."""
    for name in ("ours", "staged", "edited"):
        repo.write(name)
    repo.commit_all()
    repo.write("staged", "staged\n")
    repo.git("add", "staged")
    repo.write("edited", "edited\n")
    repo.write("new")
    repo.write("ours", "changed\n")
    return repo


def test_the_commit_stands_on_the_new_branch_and_the_user_s_stays(busy: Repo) -> None:
    before = standing(busy)
    done = committed(busy.root, "ours")
    assert (done.problem, done.branch) == ("", "agent-runner/T1")
    assert busy.git("branch", "--show-current").strip() == "agent-runner/T1"
    assert standing(busy) == before
    assert busy.git("rev-parse", "HEAD^") == busy.git("rev-parse", "main")
    assert busy.git("show", "--name-only", "--format=", "HEAD").split() == ["ours"]


def test_the_next_commit_goes_on_there_and_another_task_s_on_top(busy: Repo) -> None:
    committed(busy.root, "ours")
    busy.write("ours", "again\n")
    assert committed(busy.root, "ours").branch == ""
    first = busy.git("rev-parse", "agent-runner/T1")
    busy.write("ours", "by another\n")
    assert committed(busy.root, "ours", branch="agent-runner/T2").branch == "agent-runner/T2"
    assert busy.git("rev-parse", "agent-runner/T1") == first
    assert busy.git("rev-parse", "agent-runner/T2^") == first
    busy.write("ours", "the first once more\n")
    assert committed(busy.root, "ours").branch == "agent-runner/T1-2"
    assert busy.git("rev-parse", "agent-runner/T1") == first, "no branch is moved but HEAD's"


def test_a_stop_between_the_two_steps_leaves_nothing_to_mend(busy: Repo) -> None:
    busy.git("update-ref", "refs/heads/agent-runner/T1", "HEAD")
    assert committed(busy.root, "ours").branch == "agent-runner/T1"
    assert busy.git("branch", "--format=%(refname:short)").split() == ["agent-runner/T1", "main"]


def test_where_nothing_differs_no_branch_is_made(busy: Repo) -> None:
    assert committed(busy.root, "not-there") == Commit()
    assert busy.git("branch", "--show-current").strip() == "main"


def test_a_branch_of_another_work_tree_is_left_alone(busy: Repo, tmp_path: Path) -> None:
    busy.git("worktree", "add", "-q", "-b", "agent-runner/T1", str(tmp_path / "other"))
    assert committed(busy.root, "ours").branch == "agent-runner/T1-2"


def test_a_tag_of_the_same_name_confuses_nobody(busy: Repo) -> None:
    busy.git("tag", "agent-runner/T1")
    committed(busy.root, "ours")
    busy.write("ours", "again\n")
    assert committed(busy.root, "ours").branch == ""


def test_what_is_in_the_way_is_a_problem_and_moves_nothing(busy: Repo) -> None:
    busy.git("branch", "agent-runner")  # a file where the folder of our branches would be
    before = standing(busy)
    done = committed(busy.root, "ours")
    assert (done.commit, done.branch) == ("", "")
    assert "agent-runner" in done.problem
    assert standing(busy) == before
    assert busy.git("branch", "--show-current").strip() == "main"


@pytest.mark.parametrize("lock", ["HEAD.lock", "refs/heads/agent-runner/T1.lock"])
def test_a_lock_of_another_git_is_waited_for_and_named(busy: Repo, lock: str) -> None:
    held = busy.write(f".git/{lock}")
    done = committed(busy.root, "ours")
    assert done.busy
    assert lock in done.problem
    held.unlink()
    assert committed(busy.root, "ours").branch == "agent-runner/T1"


def test_a_detached_head_and_an_unborn_one_are_refused(repo: Repo) -> None:
    repo.write("ours")
    assert "no commit yet" in committed(repo.root, "ours").problem
    head = repo.commit_all()
    repo.git("switch", "-q", "--detach")
    repo.write("ours", "changed\n")
    assert "HEAD is on no branch" in committed(repo.root, "ours").problem
    assert repo.git("rev-parse", "HEAD").strip() == head


def test_no_hook_hears_of_the_branch(busy: Repo) -> None:
    for name in ("reference-transaction", "post-checkout"):
        hook = busy.write(f".git/hooks/{name}", f"#!/bin/sh\necho {name} >> ../heard\n")
        hook.chmod(0o755)
    repository = Repository.find(busy.root)
    assert repository is not None
    assert why_no_branch(repository) == ""
    assert branch_to_make(repository, "agent-runner/T1") == "agent-runner/T1"
    committed(busy.root, "ours")
    heard = (busy.root / "../heard").resolve()
    assert not heard.exists() or "post-checkout" not in heard.read_text()


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_every_name_is_one_that_git_takes(text: str) -> None:
    for name in (branch_of_list(f"{text}.yml"), branch_of_task(text)):
        words = ["git", "check-ref-format", "--branch", name]
        assert subprocess.run(words, capture_output=True, check=False).returncode == 0, name


def test_plain_names_stay_as_they_are() -> None:
    assert branch_of_list("tasks.yml") == "agent-runner/tasks"
    assert branch_of_task("T-1_b") == "agent-runner/T-1_b"
    assert branch_of_task("a b/../c.lock") == "agent-runner/a.b.c.locked"
