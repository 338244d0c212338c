"""Looking runs nothing but git, tells it no secret, and is not led astray by what a tree holds."""

import os
import shutil
from pathlib import Path

import pytest

from agent_runner.model.errors import UsageError
from agent_runner.workspace.command import Git
from agent_runner.workspace.contents import Limits
from agent_runner.workspace.git import Repository
from agent_runner.workspace.listing import overview, show
from agent_runner.workspace.names import Scope, file_names
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.scratch import Scratch
from agent_runner.workspace.snapshots import SnapshotReader
from tests.workspace.repos import FixedClock, Repo


def look_at_everything(root: Path, state: Path) -> None:
    """All that the runner does with a root without being asked to run something."""
    for limits in (Limits(), Limits(read_unasked=0, seen_unasked=0)):
        store = ObjectStore(state)
        reader = SnapshotReader(Scope(root), store, FixedClock(), limits)
        before = reader.look()
        for name in ("a.txt", "b.bin"):
            (root / name).write_text(f"{limits.read_unasked} more\n")
        after = reader.look()
        reader.look_at(["a.txt", "c.txt"])
        for change in reader.changes(after.id, before.id):
            if change.after is not None:
                reader.content(change.path, change.after)
        with Scratch(state / "copies", "T1", reader) as copy:
            copy.fill()
            copy.changes()
        store.close()
    repository = Repository.find(root)
    if repository:
        repository.status()
        repository.modified_paths()
        repository.ignored(["a.txt", "b.log"])
    names = file_names(Scope(root))
    overview(names)
    show(Scope(root), names, ["*.txt", "a.log"], 1_000)


def trap(folder: Path) -> tuple[Path, Path]:
    """A program that leaves a mark when it is run, and the mark."""
    mark, program = folder / "ran", folder / "trap"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {mark}\ncat\n')
    program.chmod(0o755)
    return program, mark


@pytest.fixture
def trapped(repo: Repo, tmp_path: Path) -> tuple[Repo, Path]:
    """A repository whose configuration names a program wherever it can."""
    program, mark = trap(tmp_path)
    repo.write("a.txt", "one\n")
    repo.write("b.bin", "one\n")
    repo.write(".gitignore", "*.log\n")
    repo.commit_all()
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "pre-commit", "post-checkout", "reference-transaction"):
        shutil.copy(program, hooks / name)
        shutil.copy(program, repo.root / ".git" / "hooks" / name)
    repo.write(".gitattributes", "*.txt filter=evil diff=evil merge=evil\n*.bin filter=a=b\n")
    for name, value in {
        "filter.evil.clean": str(program),
        "filter.evil.smudge": str(program),
        "filter.evil.required": "true",
        "filter.a=b.process": str(program),
        "diff.evil.textconv": str(program),
        "diff.evil.command": str(program),
        "diff.external": str(program),
        "core.fsmonitor": str(program),
        "core.hooksPath": str(hooks),
        "core.pager": str(program),
        "core.editor": str(program),
        "core.sshCommand": str(program),
        "core.askPass": str(program),
        "credential.helper": str(program),
        "alias.status": f"!{program}",
        "alias.ls-files": f"!{program}",
        "gpg.program": str(program),
        "commit.gpgSign": "true",
        "log.showSignature": "true",
        "extensions.partialClone": "origin",
        "remote.origin.url": f"ext::{program}",
        "remote.origin.promisor": "true",
        "protocol.ext.allow": "always",
    }.items():
        repo.git("config", name, value)
    return repo, mark


def test_no_program_that_a_repository_names_is_run(
    trapped: tuple[Repo, Path], tmp_path: Path
) -> None:
    repo, mark = trapped
    (repo.root / "a.txt").touch()
    look_at_everything(repo.root, tmp_path / "state")
    assert not mark.exists(), mark.read_text()


def test_the_trap_is_one(trapped: tuple[Repo, Path]) -> None:
    repo, mark = trapped
    repo.write("a.txt", "two\n")
    repo.git("diff", "--stat")
    assert mark.exists()


@pytest.mark.parametrize("inside_repository", [True, False])
def test_a_folder_that_looks_like_a_repository_is_none(
    tmp_path: Path, inside_repository: bool
) -> None:
    program, mark = trap(tmp_path)
    repo = Repo.created(tmp_path / "repo") if inside_repository else Repo(tmp_path / "repo")
    repo.write("sub/a.txt", "one\n")
    repo.write("sub/b.bin", "one\n")
    for folder in ("objects", "refs"):
        repo.write(f"sub/{folder}/keep", "")
    repo.write("sub/HEAD", "ref: refs/heads/main\n")
    config = f'[core]\nbare = false\nworktree = .\nfsmonitor = "{program}"\n'
    repo.write("sub/config", f'{config}[filter "evil"]\nclean = "{program}"\n')
    repo.write("sub/.gitattributes", "* filter=evil\n")
    root = repo.root / "sub"
    found = Repository.find(root)
    assert (found is not None) is inside_repository
    look_at_everything(root, tmp_path / "state")
    assert not mark.exists(), mark.read_text()


@pytest.fixture
def witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git that writes down its environment and session, and then does what it is asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    notes = tmp_path / "notes"
    script = folder / "git"
    real = shutil.which("git")
    script.write_text(f'#!/bin/sh\n{{ env; ps -o sid= -p $$; }} >> {notes}\nexec {real} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return notes


def test_git_sees_no_key_and_hears_no_signal_of_our_terminal(
    repo: Repo, tmp_path: Path, witness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("a.txt")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-planted")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "http.extraHeader")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Authorization: planted")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    look_at_everything(repo.root, tmp_path / "state")
    seen = witness.read_text()
    assert "planted" not in seen
    assert not (tmp_path / "trace").exists()
    assert "GIT_OPTIONAL_LOCKS=0" in seen
    assert str(os.getsid(0)) not in {line.strip() for line in seen.splitlines()}


def put_git(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_a_git_that_never_answers_is_killed(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_git(tmp_path / "bin", f"echo $$ > {tmp_path}/pid\nsleep 600", monkeypatch)
    git = Git(repo.root / ".git", repo.root, limit=0.5)
    with pytest.raises(UsageError, match="`git status` did not answer"):
        git.ask(repo.root, ["status"])
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_without_a_git_that_is_new_enough_there_is_no_repository(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write(".gitignore", "a\n")
    repo.write("a")
    script = 'case "$*" in *--config-env*) echo "unknown option: --config-env" >&2; exit 129;; esac'
    put_git(tmp_path / "bin", script, monkeypatch)
    (repo.root / ".git" / "config").touch()  # not what an earlier test has read
    assert Repository.find(repo.root) is None
    store = ObjectStore(tmp_path / "state")
    reader = SnapshotReader(Scope(repo.root), store, FixedClock())
    reader.look()
    assert reader.names == (
        ".gitignore",
        "a",
    )
    store.close()
