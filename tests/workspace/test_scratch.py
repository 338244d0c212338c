"""Scratch copies: what is in them, what comes back out of them, and that the original stays."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_runner.model.errors import UsageError
from agent_runner.workspace.history import Change
from agent_runner.workspace.names import Scope
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.scratch import Scratch
from agent_runner.workspace.snapshots import SnapshotReader
from agent_runner.workspace.task_folder import sweep
from tests.workspace.repos import FixedClock, Repo, snapshot


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    objects = ObjectStore(tmp_path_factory.mktemp("state"))
    yield objects
    objects.close()


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("copies")


def scratch(root: Path, home: Path, store: ObjectStore, task: str = "T1") -> Scratch:
    return Scratch(home, task, SnapshotReader(Scope(root), store, FixedClock()))


def kinds(changes: tuple[Change, ...]) -> dict[str, str]:
    return {change.path: change.kind for change in changes}


def git(folder: Path, *args: str) -> str:
    return Repo(folder).git(*args)


def test_ignored_files_are_there_and_repositories_are_not(
    repo: Repo, home: Path, store: ObjectStore
) -> None:
    repo.write(".gitignore", "build/\n*.log\n")
    repo.write("src/a.py", "a = 1\n")
    repo.commit_all()
    for path in ("build/m/i.js", "out.log", "new", ".agent-runner/journal.jsonl"):
        repo.write(path)
    (repo.root / "build/link").symlink_to("m")
    repo.write("tool", "#!/bin/sh\n").chmod(0o755)
    os.mkfifo(repo.root / "pipe")
    expected = snapshot(repo.root)
    del expected[".agent-runner/journal.jsonl"]
    with scratch(repo.root, home, store) as copy:
        copy.fill()
        assert snapshot(copy.folder) == expected
        assert not (copy.folder / "pipe").exists()
        times = [(f / "src/a.py").stat().st_mtime_ns for f in (repo.root, copy.folder)]
        assert times[0] == times[1]
        assert not (repo.root / "src/a.py").samefile(copy.folder / "src/a.py")
    assert not os.listdir(home)


def test_dependencies_are_links_that_git_does_not_see(
    repo: Repo, home: Path, store: ObjectStore
) -> None:
    repo.write(".gitignore", "node_modules/\n/env \\[1]/\n")
    repo.write("kept/node_modules/m.js")
    repo.git("add", "-f", "kept/node_modules/m.js")
    repo.write("node_modules/m/i.js")
    repo.write("web/node_modules/n.js")
    repo.write("env [1]/pyvenv.cfg", "home = /usr/bin\n")
    stood = snapshot(repo.root)
    with scratch(repo.root, home, store) as copy:
        given = copy.fill()
        assert given.snapshot == SnapshotReader(Scope(repo.root), store, FixedClock()).look().id
        for link in ("node_modules", "web/node_modules", "env [1]"):
            assert (copy.folder / link).readlink() == repo.root / link
        assert not (copy.folder / "kept/node_modules").is_symlink()
        assert git(copy.folder, "status", "--porcelain") == repo.git("status", "--porcelain")
        (copy.folder / "node_modules").unlink()
        (copy.folder / "node_modules").mkdir()
        copy.fill()
        assert (copy.folder / "node_modules/m/i.js").is_file()
    assert snapshot(repo.root) == stood


def test_git_says_the_same_in_the_copy(repo: Repo, home: Path, store: ObjectStore) -> None:
    for name in ("same", "changed", "staged", "gone"):
        repo.write(name)
    repo.commit_all("the first")
    repo.git("tag", "v1")
    repo.git("checkout", "-q", "-b", "feature/x")
    repo.write("changed", "2\n")
    repo.write("staged", "2\n")
    repo.git("add", "staged")
    (repo.root / "gone").unlink()
    repo.write("new")
    with scratch(repo.root, home, store) as copy:
        copy.fill()
        for question in (
            ["status", "--porcelain=v2", "--branch"],
            ["log", "--format=%H %D"],
            ["diff"],
            ["describe", "--tags"],
        ):
            assert git(copy.folder, *question) == repo.git(*question)
        assert git(copy.folder, "rev-parse", "--show-toplevel").strip() == str(copy.folder)
        git(copy.folder, "commit", "-q", "-a", "-m", "in the copy")
    assert repo.git("log", "--format=%s").splitlines() == ["the first"]


def test_a_root_below_its_repository(repo: Repo, home: Path, store: ObjectStore) -> None:
    repo.write(".gitignore", "*.log\n/packages/a/build/\n")
    repo.write("packages/a/x.py")
    repo.write("packages/b/y.py")
    repo.commit_all()
    repo.write("packages/a/build/out")
    root = repo.root / "packages" / "a"
    with scratch(root, home, store) as copy:
        copy.fill()
        copy.fill()  # once more, beside the repository that the first one made
        assert set(snapshot(copy.folder)) == {"x.py", "build/out"}
        assert git(copy.folder, "status", "--porcelain") == ""
        for path in ("new.py", "t.log", "build/more"):
            (copy.folder / path).write_text("x\n")
        assert kinds(copy.changes()) == {"new.py": "added"}


def test_repositories_inside_have_their_own_word_in_the_copy_too(
    repo: Repo, home: Path, store: ObjectStore
) -> None:
    repo.write("a")
    inner = Repo.created(repo.root / "inner")
    inner.write(".gitignore", "*.tmp\n")
    inner.write("n")
    inner.commit_all()
    with scratch(repo.root, home, store) as copy:
        given = copy.fill()
        assert given.snapshot == SnapshotReader(Scope(repo.root), store, FixedClock()).look().id
        (copy.folder / "inner/n").write_text("changed\n")
        (copy.folder / "inner/x.tmp").write_text("ignored\n")
        assert kinds(copy.changes()) == {"inner/n": "modified"}
        assert git(copy.folder / "inner", "status", "--porcelain") == " M n\n"


@pytest.mark.parametrize("with_git", [True, False])
def test_what_changed_comes_back_and_the_original_stays(
    tmp_path: Path, home: Path, store: ObjectStore, with_git: bool
) -> None:
    repo = Repo.created(tmp_path / "root") if with_git else Repo(tmp_path / "root")
    for name in ("changed", "deleted", "d/tool"):
        repo.write(name, "one\n")
    stood = snapshot(repo.root)
    with scratch(repo.root, home, store) as copy:
        copy.fill()
        (copy.folder / "changed").write_text("two\n")
        (copy.folder / "deleted").unlink()
        (copy.folder / "d/tool").chmod(0o755)
        (copy.folder / "new").write_text("new\n")
        (copy.folder / "link").symlink_to("new")
        changes = copy.changes()
    assert kinds(changes) == {
        "changed": "modified",
        "d/tool": "mode",
        "deleted": "deleted",
        "link": "added",
        "new": "added",
    }
    contents = {c.path: copy.content(c.path, c.after) for c in changes if c.after}
    assert contents == {"changed": b"two\n", "d/tool": b"one\n", "link": b"new", "new": b"new\n"}
    assert snapshot(repo.root) == stood


def test_files_can_stand_as_before_in_it(repo: Repo, home: Path, store: ObjectStore) -> None:
    repo.write("tests/test_a.py", "assert one\n")
    repo.write("code.py", "one\n")
    repo.commit_all()
    files = SnapshotReader(Scope(repo.root), store, FixedClock())
    before = files.look()
    repo.write("tests/test_a.py", "pass\n")
    repo.write("tests/test_new.py", "pass\n")
    repo.write("code.py", "two\n")
    files.look()
    with Scratch(home, "T1", files) as copy:
        copy.fill()
        second = int((copy.folder / "tests/test_a.py").stat().st_mtime)
        copy.lay(before.id, ["tests/test_a.py", "tests/test_new.py"])
        laid = int((copy.folder / "tests/test_a.py").stat().st_mtime)
        assert laid > second, "else a cache of what stood there passes for it"
        assert (copy.folder / "tests/test_a.py").read_text() == "assert one\n"
        assert not (copy.folder / "tests/test_new.py").exists()
        assert (copy.folder / "code.py").read_text() == "two\n"
        assert copy.changes() == ()
    assert (repo.root / "tests/test_a.py").read_text() == "pass\n"


def test_filled_again_it_is_as_the_original_whatever_was_done_to_it(
    repo: Repo, home: Path, store: ObjectStore, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("a", "d/b", "e/c", "f"):
        repo.write(name, "one\n")
    with scratch(repo.root, home, store) as copy:
        copy.fill()
        (copy.folder / "a").write_text("two\n")
        (copy.folder / "d/b").unlink()
        (copy.folder / "d").rmdir()
        (copy.folder / "d").symlink_to(outside)
        (copy.folder / "e/c").unlink()
        (copy.folder / "e/c").mkdir()
        (copy.folder / "f").unlink()
        (copy.folder / "f").symlink_to(outside / "planted")
        (copy.folder / "more/x").parent.mkdir(mode=0o500)
        Repo.created(copy.folder / "e/.hidden")
        repo.write("g", "new\n")
        copy.fill()
        assert snapshot(copy.folder) == snapshot(repo.root)
        assert copy.changes() == ()
        os.utime(copy.folder / "a", ns=(1, 1))
        (copy.folder / "a").write_text("six\n")  # as long as before
        modified = (repo.root / "a").stat().st_mtime_ns
        os.utime(copy.folder / "a", ns=(modified, modified))
        copy.fill()
        assert snapshot(copy.folder) == snapshot(repo.root)
    assert not os.listdir(outside)


def test_links_into_the_project_lead_into_the_copy(
    repo: Repo, home: Path, store: ObjectStore
) -> None:
    repo.write("a", "one\n")
    (repo.root / "inside").symlink_to(repo.root / "a")
    (repo.root / "root").symlink_to(repo.root)
    (repo.root / "outside").symlink_to("/etc/hostname")
    with scratch(repo.root, home, store) as copy:
        copy.fill()
        (copy.folder / "inside").write_text("two\n")
        assert (copy.folder / "root").resolve() == copy.folder.resolve()
        assert (copy.folder / "outside").readlink() == Path("/etc/hostname")
    assert (repo.root / "a").read_text() == "one\n"


def test_files_that_name_the_original_are_told(repo: Repo, home: Path, store: ObjectStore) -> None:
    root = repo.root
    repo.write(".gitignore", ".venv/\n")
    site = ".venv/lib/python3.11/site-packages"
    repo.write(".venv/pyvenv.cfg", f"command = python -m venv {root}/.venv\n")
    repo.write(f"{site}/__editable__.shop-1.pth", f"{root}/src\n")
    repo.write(f"{site}/__editable___shop_finder.py", f"MAPPING = {{'shop': '{root}/src/shop'}}\n")
    repo.write(f"{site}/shop-1.dist-info/direct_url.json", f'{{"url": "file://{root}"}}\n')
    repo.write(".venv/bin/pytest", f"#!{root}/.venv/bin/python\n")
    repo.write(".venv/bin/plain", "#!/bin/sh\n")
    repo.write("other/some.pth", "/elsewhere\n")
    repo.write("README", f"lives in {root}\n")
    with scratch(root, home, store) as copy:
        assert copy.fill().names_original == (
            ".venv/bin/pytest",
            f"{site}/__editable__.shop-1.pth",
            f"{site}/__editable___shop_finder.py",
            f"{site}/shop-1.dist-info/direct_url.json",
            ".venv/pyvenv.cfg",
        )


def test_a_task_has_its_place_and_holds_it(repo: Repo, home: Path, store: ObjectStore) -> None:
    repo.write("a")
    with scratch(repo.root, home, store, "../T 1") as copy:
        assert copy.place.parent == home
        assert copy.place == scratch(repo.root, home, store, "../T 1").place
        with pytest.raises(UsageError, match="used by another process"):
            scratch(repo.root, home, store, "../T 1").__enter__()
        with scratch(repo.root, home, store, "T1") as other:
            assert other.place != copy.place
        assert sweep(home) == ()


def test_copies_cannot_be_inside_the_project(repo: Repo, store: ObjectStore) -> None:
    for home in (repo.root / "copies", repo.root, repo.root.parent):
        with pytest.raises(UsageError, match="cannot be kept in"):
            scratch(repo.root, home, store).__enter__()


KILLED = """
import os, signal, sys
from pathlib import Path
from agent_runner.workspace.names import Scope
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.scratch import Scratch
from agent_runner.workspace.snapshots import SnapshotReader
from agent_runner.ground.clock import SystemClock
root, home, state = map(Path, sys.argv[1:])
with Scratch(home, "T1", SnapshotReader(Scope(root), ObjectStore(state), SystemClock())) as copy:
    copy.fill()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.crash
def test_what_a_killed_process_left_is_swept(repo: Repo, home: Path, tmp_path: Path) -> None:
    repo.write("d/a")
    args = [str(path) for path in (repo.root, home, tmp_path / "state")]
    subprocess.run([sys.executable, "-c", KILLED, *args], check=False)
    (left,) = (path for path in home.iterdir() if path.is_dir())
    (left / "tree/d").chmod(0o500)
    assert sweep(home) == (left,)
    assert not os.listdir(home)
    assert sweep(home / "none") == ()
