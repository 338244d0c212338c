"""`git_log` and `git_diff`: the past, without what is hidden, and without running anything."""

from pathlib import Path

import pytest

from tests.looking.scene import Scene
from tests.workspace.repos import Repo


@pytest.fixture(name="repo")
def _repo(tmp_path: Path) -> Repo:
    repo = Repo.created(tmp_path / "root")
    repo.write("a.py", "one\ntwo\n")
    repo.commit_all("Begin the parser")
    repo.write("a.py", "one\n2\n")
    repo.write("b/c.py", "x\n")
    repo.commit_all("Fix the parser\n\nIt was wrong.")
    return repo


def test_the_log_has_hash_date_subject_and_files(repo: Repo) -> None:
    scene = Scene.of(repo.root)
    text = scene.text("git_log")
    first, *rest = text.splitlines()
    assert first == "commits, the newest 2:"
    assert rest[0].endswith(" Fix the parser")
    assert rest[1:3] == ["    a.py", "    b/c.py"]
    assert scene.text("git_log", path="b").count("parser") == 1
    assert scene.text("git_log", pattern="begin").splitlines()[1].endswith("Begin the parser")
    assert scene.text("git_log", count=1).endswith(
        "[older ones not shown: ask with count, at most 30, a path or a pattern]"
    )
    assert scene.text("git_log", pattern="zzz") == 'no commits whose message has "zzz".'
    assert scene.text("git_log", path="never.py") == "no commits that changed `never.py`."


def test_a_difference_from_the_files_and_between_commits(repo: Repo) -> None:
    repo.write("a.py", "one\nzwei\n")
    repo.write("new.py", "n\n")
    scene = Scene.of(repo.root)
    text = scene.text("git_diff")
    assert text.startswith("from HEAD to the files: 1 file changed\ndiff --git a/a.py b/a.py\n")
    assert "-2\n+zwei\n" in text
    assert text.endswith("[new, not known to git: new.py; read_file shows them]")
    text = scene.text("git_diff", **{"from": "HEAD~1", "to": "HEAD"})
    assert text.startswith("from HEAD~1 to HEAD: 2 files changed\n")
    assert "-two\n+2\n" in text
    assert "b/c.py" not in scene.text(
        "git_diff", from_revision="HEAD~1", to_revision="HEAD", path="a.py"
    )
    assert scene.text("git_diff", from_revision="HEAD", to_revision="HEAD") == (
        "no difference from HEAD to HEAD."
    )


def test_a_long_difference_is_cut_per_file(repo: Repo) -> None:
    for name in "cdefgh":
        repo.write(f"{name}.txt", f"{name * 60}\n" * 400)
    repo.git("add", "-A")
    text = Scene.of(repo.root).text("git_diff")
    assert len(text) <= 24_000
    assert 'lines of it not shown: ask with path "c.txt"]' in text
    assert "[not shown: e.txt, f.txt, g.txt, h.txt; ask with path]" in text


@pytest.mark.parametrize(
    "revision", ["--output=stolen", "-p", "nope", "HEAD:a.py", "a b", "HEAD\nx", "@{99}", ""]
)
def test_a_revision_is_a_commit_or_refused(repo: Repo, revision: str) -> None:
    scene = Scene.of(repo.root)
    before = sorted(repo.root.rglob("*"))
    answer = scene.ask("git_diff", from_revision=revision, to_revision="HEAD")
    assert answer.is_error or not revision.strip()
    assert sorted(repo.root.rglob("*")) == before


def test_what_is_hidden_has_no_history(repo: Repo) -> None:
    repo.write(".env", "PASSWORD=hunter2-in-env\n")
    repo.write("conf/private.txt", "hunter2-hidden\n")
    repo.write("key.txt", "-----BEGIN RSA PRIVATE KEY-----\nhunter2-key\n")
    repo.commit_all("Add things")
    repo.git("rm", "-q", ".env", "conf/private.txt", "key.txt")
    repo.commit_all("Remove things")
    scene = Scene.of(repo.root, hide=("conf/**",))
    for name, arguments in [
        ("git_log", {}),
        ("git_log", {"path": ".env"}),
        ("git_log", {"path": "conf"}),
        ("git_diff", {"from_revision": "HEAD~1", "to_revision": "HEAD"}),
        ("git_diff", {"from_revision": "HEAD~2", "to_revision": "HEAD~1"}),
        ("git_diff", {"from_revision": "HEAD~1", "path": ".env"}),
        ("git_diff", {"from_revision": "HEAD~1", "path": "./.ENV"}),
        ("git_diff", {"from_revision": "HEAD~1", "path": "conf/private.txt"}),
        ("git_diff", {"from_revision": "HEAD~1", "path": "key.txt"}),
        ("git_diff", {"from_revision": "HEAD~1:.env"}),
    ]:
        text = scene.ask(name, arguments).text
        assert "hunter2" not in text
        assert "private" not in text or "key" in text or "conf/private.txt" in str(arguments)


def test_git_runs_nothing(repo: Repo) -> None:
    repo.write(".gitattributes", "*.py diff=evil\n")
    repo.git("config", "diff.evil.textconv", f"touch {repo.root}/ran; cat")
    repo.git("config", "diff.evil.command", f"touch {repo.root}/ran")
    repo.git("config", "diff.external", f"touch {repo.root}/ran")
    repo.git("config", "log.showSignature", "true")
    repo.git("config", "gpg.program", f"{repo.root}/evil")
    repo.write("a.py", "changed\n")
    scene = Scene.of(repo.root)
    assert "+changed" in scene.text("git_diff")
    scene.text("git_log")
    assert not (repo.root / "ran").exists()


def test_without_git_that_is_said(scene: Scene) -> None:
    assert scene.error("git_log") == "git_log: there is no git repository here."


def test_before_the_first_commit_that_is_said(tmp_path: Path) -> None:
    scene = Scene.of(Repo.created(tmp_path / "root").root)
    assert scene.text("git_log") == "There is no commit yet."
    assert scene.error("git_diff") == "git_diff: there is no commit yet to compare with."


def test_a_task_below_the_top_sees_its_own_folder_only(tmp_path: Path) -> None:
    repo = Repo.created(tmp_path / "top")
    repo.write("outside.py", "secret-outside\n")
    repo.write("sub/a.py", "one\n")
    repo.commit_all("Begin")
    repo.write("outside.py", "changed-outside\n")
    repo.write("sub/a.py", "two\n")
    scene = Scene.of(repo.root / "sub")
    text = scene.text("git_diff") + scene.text("git_log")
    assert "outside" not in text
    assert "a/a.py" in text
