"""Commits hold the task's files and nothing else, and a refusal loses nothing."""

import contextlib
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from agent_runner.ground.processes import ProcessTable, ProcTable, PsTable
from agent_runner.workspace.commit import Commit, Committer, chosen
from agent_runner.workspace.git import Repository
from tests.workspace.repos import Repo

IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A Tester"), ("EMAIL", "tester@example.org"))
}


def committed(
    root: Path,
    *paths: str,
    message: str = "Do it",
    timeout: float = 300.0,
    with_: Committer | None = None,
    killed: float | None = None,
) -> Commit:
    async def run() -> Commit:
        repository = Repository.find(root)
        assert repository is not None
        one = with_ or committer(root, timeout=timeout)
        return await one.commit(repository, paths, message, ["T1"], killed=killed)

    return anyio.run(run)


def committer(root: Path, **more: Any) -> Committer:
    return Committer(root.parent / "commit.index", os.environ, **more)


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


def test_git_does_nothing_before_it_is_known_that_it_was_started(busy: Repo) -> None:
    """Killed until then, it leaves no lock of which nobody would know whose it is."""
    begun = busy.root.parent / "begun"
    os.mkfifo(begun)
    hook(busy, "pre-commit", f"echo >> '{begun}'")
    before = busy.git("rev-parse", "HEAD")
    listening = os.open(begun, os.O_RDONLY | os.O_NONBLOCK)

    class KilledError(Exception):
        """The runner ends here."""

    def start(_pid: int) -> None:
        assert select.select([listening], [], [], 0.5) == ([], [], [])
        raise KilledError

    async def run() -> None:
        repository = Repository.find(busy.root)
        assert repository is not None
        await committer(busy.root).commit(repository, OURS, "Do it", ["T1"], on_start=start)

    with pytest.raises(KilledError):
        anyio.run(run)
    os.close(listening)
    assert busy.git("rev-parse", "HEAD") == before
    assert not list(busy.root.glob(".git/**/*.lock"))


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
            group.start_soon(committer(busy.root).commit, repository, OURS, "Do it", ["T1"])
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


def test_a_hook_that_hangs_is_stopped_and_leaves_all_as_it_was(busy: Repo) -> None:
    hook(busy, "pre-commit", "sleep 600")
    before = busy.git("status", "--porcelain")
    done = committed(busy.root, *OURS, timeout=0.5)
    assert "did not end within 0 s" in done.problem or "within 1 s" in done.problem
    assert busy.git("status", "--porcelain") == before
    assert not list((busy.root / ".git").rglob("*.lock"))


def test_a_lock_that_stays_is_named_and_waited_for_once(busy: Repo) -> None:
    lock = busy.write(".git/index.lock", "")
    one = committer(busy.root, patience=0.2)
    for _ in range(2):
        done = committed(busy.root, *OURS, with_=one)
        assert str(lock) in done.problem
        assert done.busy
        one.patience = 600.0  # it is known by now
    lock.unlink()
    assert committed(busy.root, *OURS, with_=one).problem == ""


@pytest.mark.parametrize("state", ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"])
def test_no_commit_is_made_part_of_what_the_user_is_in_the_middle_of(
    state: str, busy: Repo
) -> None:
    busy.write(f".git/{state}", busy.git("rev-parse", "HEAD"))
    assert "is in progress" in committed(busy.root, *OURS).problem


def test_the_commit_is_made_again_where_only_the_index_did_not_hear_of_it(busy: Repo) -> None:
    first = committed(busy.root, *OURS)
    busy.git("reset", "--soft", "HEAD^")
    busy.git("reset", "-q", "--", *OURS)  # git's index as before the commit
    busy.git("reset", "--soft", first.commit)
    again = committed(busy.root, *OURS)
    assert again.commit == first.commit
    assert busy.staged() == {"theirs-staged"}


def test_filters_and_line_ends_are_the_user_s(repo: Repo) -> None:
    repo.git("config", "filter.shout.clean", "tr a-z A-Z")
    repo.git("config", "core.autocrlf", "input")
    repo.write(".gitattributes", "*.loud filter=shout\n")
    repo.commit_all()
    repo.write("a.loud", "quiet\n")
    repo.write("b.txt", "one\r\n")
    assert committed(repo.root, "a.loud", "b.txt").problem == ""
    assert repo.git("show", "HEAD:a.loud") == "QUIET\n"
    assert repo.git("show", "HEAD:b.txt") == "one\n"
    assert repo.git("status", "--porcelain") == ""


def test_what_is_committed_is_on_the_disk_with_its_names(busy: Repo, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    hook(busy, "pre-commit", f"git config core.fsync > {seen}")
    assert committed(busy.root, *OURS).problem == ""
    assert {"committed", "loose-object", "reference"} <= set(seen.read_text().strip().split(","))


def test_a_planted_repository_is_not_the_one_that_is_committed_to(busy: Repo) -> None:
    """As a hook of the task might write it; a reply cannot."""
    ran = busy.root.parent / "ran"
    busy.write("d/HEAD", "ref: refs/heads/main\n")
    busy.write("d/config", f"[core]\n\tbare = false\n\tworktree = .\n\tfsmonitor = touch {ran}\n")
    busy.write("d/objects/k")
    busy.write("d/refs/k")
    done = committed(busy.root / "d", "ours")
    assert done.commit == busy.git("rev-parse", "HEAD").strip()
    assert names_in_head(busy) == {"d/ours"}
    assert not ran.exists()


def test_a_file_takes_the_place_of_a_folder_and_the_reverse(repo: Repo) -> None:
    repo.write("a/x")
    repo.write("b")
    repo.commit_all()
    (repo.root / "a/x").unlink()
    (repo.root / "a").rmdir()
    (repo.root / "b").unlink()
    repo.write("a")
    repo.write("b/x")
    assert committed(repo.root, "a", "a/x", "b", "b/x").problem == ""
    assert repo.git("status", "--porcelain") == ""


def test_hooks_see_no_other_repository_and_only_what_they_are_given(
    busy: Repo, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    hook(busy, "pre-commit", f"env > {seen}")
    given = {"PATH": os.environ["PATH"], "GIT_DIR": "/elsewhere", "MINE": "1"}
    one = Committer(tmp_path / "commit.index", given | IDENTITY)
    assert committed(busy.root, *OURS, with_=one).problem == ""
    names = dict(line.partition("=")[::2] for line in seen.read_text().splitlines())
    assert names["MINE"] == "1"
    assert names.get("GIT_DIR", ".git") in {".git", str(busy.root / ".git")}


def test_in_a_linked_work_tree_and_a_submodule(repo: Repo, tmp_path: Path) -> None:
    repo.write("ours")
    repo.commit_all()
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    other = Repo.created(tmp_path / "other")
    other.write("ours")
    other.commit_all()
    repo.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), "sub"
    )
    for root in (tmp_path / "side", repo.root / "sub"):
        place = Repo(root)
        place.write("ours", "changed\n")
        done = committed(root, "ours")
        assert done.commit == place.git("rev-parse", "HEAD").strip()
        assert place.git("status", "--porcelain") == ""


def test_what_a_hook_adds_to_the_commit_is_not_undone_in_the_index(busy: Repo) -> None:
    hook(busy, "pre-commit", "sed -i s/changed/CHANGED/ ours; echo log > log; git add ours log")
    assert committed(busy.root, *OURS).problem == ""
    assert names_in_head(busy) == {*OURS, "log"}
    assert busy.git("show", "HEAD:ours") == "CHANGED\n"
    assert busy.staged() == {"theirs-staged"}
    assert busy.git("status", "--porcelain", "ours", "log") == ""


@pytest.mark.parametrize("name", ["HEAD.lock", "refs/heads/main.lock"])
def test_any_lock_that_keeps_git_from_committing_is_named(name: str, busy: Repo) -> None:
    lock = busy.write(f".git/{name}", "")
    done = committed(busy.root, *OURS, with_=committer(busy.root, patience=0.1))
    assert str(lock) in done.problem
    assert done.busy


def test_a_full_disk_is_a_problem_like_another(busy: Repo) -> None:
    one = Committer(busy.root / "no/such/folder/index", os.environ)
    assert "No such file" in committed(busy.root, *OURS, with_=one).problem


LEFT = ("index.lock", "HEAD.lock", "refs/heads/main.lock")


@pytest.fixture(params=["proc", "ps"])
def table(request: pytest.FixtureRequest) -> ProcessTable:
    """Both ways to see what runs."""
    if request.param == "proc" and not Path("/proc/self/stat").exists():
        pytest.skip("this system has no /proc")
    if request.param == "ps" and not (shutil.which("ps") and shutil.which("lsof")):
        pytest.skip("this system has no ps, or no lsof")
    return ProcTable() if request.param == "proc" else PsTable()


@contextlib.contextmanager
def another_git(folder: Path) -> Iterator[None]:
    """A git that works in this repository until the block ends."""
    other = subprocess.Popen(
        ["git", "cat-file", "--batch"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write(b"HEAD\n")
        other.stdin.flush()
        other.stdout.readline()  # it runs
        yield
    finally:
        other.communicate()


def test_locks_of_our_own_that_a_kill_left_are_removed(
    busy: Repo, tmp_path_factory: pytest.TempPathFactory, table: ProcessTable
) -> None:
    files = [busy.write(f".git/{name}", "") for name in LEFT]
    started_at = min(file.stat().st_mtime for file in files)
    elsewhere = Repo.created(tmp_path_factory.mktemp("elsewhere"))
    with another_git(elsewhere.root):
        one = committer(busy.root, patience=0.2, table=table)
        for _ in range(5):  # gits of other tests come and go, which lsof may miss
            if not committed(busy.root, *OURS, with_=one, killed=started_at).problem:
                return
    raise AssertionError(committed(busy.root, *OURS, with_=one, killed=started_at).problem)


def test_but_neither_older_ones_nor_while_another_git_is_at_work(
    busy: Repo, table: ProcessTable
) -> None:
    lock = busy.write(".git/index.lock", "")
    quick = committer(busy.root, patience=0.1, table=table)
    made_at = lock.stat().st_mtime
    assert committed(busy.root, *OURS, with_=quick, killed=made_at + 60).busy
    below = busy.write("deep/er/x").parent
    for folder in (busy.root, below, busy.root / ".git"):
        with another_git(folder):
            assert committed(busy.root, *OURS, with_=quick, killed=made_at).busy
    assert lock.exists()


def test_where_nothing_tells_what_runs_no_lock_is_removed(
    busy: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = busy.write(".git/index.lock", "")
    quick = committer(busy.root, patience=0.1, table=PsTable())
    tools = busy.root.parent / "tools"
    tools.mkdir()
    (tools / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(tools))  # without ps and lsof
    assert committed(busy.root, *OURS, with_=quick, killed=lock.stat().st_mtime).busy
    (tools / "ps").symlink_to(str(shutil.which("ps", path=os.defpath)))
    with another_git(busy.root):  # ps sees it, and nothing says where it is
        assert committed(busy.root, *OURS, with_=quick, killed=lock.stat().st_mtime).busy
    assert lock.exists()
