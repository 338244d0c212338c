"""Where an agent's command works, by every means of this machine: what it sees, what comes back.

Over an overlay nothing is copied; where only a copy can stand at the place of the original, or
nothing can, it works in a copy. What comes of it has to be the same.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from attrs import frozen

from agent_runner.engine.calls.confining import Cell
from agent_runner.ground.clock import SystemClock
from agent_runner.hooks.confining import Confining
from agent_runner.model.settings import SandboxSettings
from agent_runner.model.task import Task
from agent_runner.providers.client import Outfit, Start
from agent_runner.sandbox.confinement import Tier
from agent_runner.sandbox.sandbox import Sandbox
from agent_runner.workspace.history import Change
from agent_runner.workspace.names import Scope
from agent_runner.workspace.objects import ObjectStore
from agent_runner.workspace.overlaid import Overlaid
from agent_runner.workspace.scratch import Scratch
from agent_runner.workspace.snapshots import SnapshotReader
from agent_runner.workspace.workshop import Workshop
from tests.support.sandboxes import had, lasting
from tests.workspace.repos import Repo, snapshot

__all__ = ["lasting"]

TIERS = (Tier.BWRAP_OVERLAY, Tier.BWRAP, Tier.LANDLOCK)
HIDDEN = (".claude", ".env")


@frozen
class Place:
    """A task's folder `root`, in a repository of some kind, and what confines."""

    root: Path
    folder: Path
    sandbox: Sandbox
    store: ObjectStore

    def workshop(self) -> Workshop:
        reader = SnapshotReader(
            Scope(self.root, (self.root / ".agent-runner",)), self.store, SystemClock()
        )
        names, home = frozenset(HIDDEN), self.folder / "copies"
        if self.sandbox.tier.overlays:
            return Workshop(Overlaid(home, "T1", reader, names))
        return Workshop(Scratch(home, "T1", reader, names))

    def run(self, workshop: Workshop, command: str) -> str:
        """What a command says that runs as an agent's does; it has to succeed."""
        beside = self.folder / "beside"
        beside.mkdir(exist_ok=True)
        confining = Confining(
            lambda: self.sandbox, SandboxSettings(), self.folder / "home", (), lambda _: ()
        )
        task = Task("T1", "One", "Do it.", self.root)
        cell = Cell(confining, Outfit(sandbox="auto"), task, workshop)
        words = ("/bin/sh", "-ec", command)
        start = cell.start(Start(words, workshop.folder, {"PATH": os.environ["PATH"]}, beside))
        done = subprocess.run(
            start.words,
            cwd=start.folder,
            env=dict(start.env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def changes(self, command: str) -> dict[str, str]:
        """What comes back of a command, by path: the kind of change."""
        with self.workshop() as workshop:
            workshop.fill("T1:1")
            self.run(workshop, command)
            return {change.path: change.kind for change in changes(workshop)}


def changes(workshop: Workshop) -> tuple[Change, ...]:
    return workshop.workplace.changes()


def plain(folder: Path) -> Path:
    """A repository whose top is the task's folder."""
    fill(Repo.created(folder / "project"))
    return folder / "project"


def below(folder: Path) -> Path:
    """A folder of a repository; the rest of it is no business of the task's."""
    repo = Repo.created(folder / "project")
    repo.write("other/o.py", "o\n")
    repo.write(".gitignore", "*.log\n")
    fill(Repo(repo.root / "packages/one"), commit=repo)
    return repo.root / "packages/one"


def worktree(folder: Path) -> Path:
    """A linked worktree of a repository."""
    repo = Repo.created(folder / "main")
    fill(repo)
    repo.git("worktree", "add", "-q", "-b", "feature", str(folder / "project"))
    fill(Repo(folder / "project"), commit=None)
    return folder / "project"


def below_worktree(folder: Path) -> Path:
    repo = Repo.created(folder / "main")
    fill(Repo(repo.root / "sub"), commit=repo)
    repo.git("worktree", "add", "-q", "-b", "feature", str(folder / "project"))
    fill(Repo(folder / "project/sub"), commit=None)
    return folder / "project/sub"


def submodule(folder: Path) -> Path:
    """The work tree of a submodule: its repository lies in that of the one around it."""
    outer = with_submodule(folder)
    return outer / "inner"


def with_submodule(folder: Path) -> Path:
    """A repository with a submodule in it."""
    library = Repo.created(folder / "library")
    fill(library)
    outer = Repo.created(folder / "project")
    add = ("submodule", "--quiet", "add", str(library.root), "inner")
    outer.git("-c", "protocol.file.allow=always", *add)
    fill(outer)
    fill(Repo(outer.root / "inner"), commit=None)
    return outer.root


def sparse(folder: Path) -> Path:
    """A repository of which only a part is checked out."""
    repo = Repo.created(folder / "project")
    repo.write("away/file", "not here\n")
    fill(repo)
    repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "d")
    return repo.root


def without_git(folder: Path) -> Path:
    fill(Repo(folder / "project"), commit=None)
    return folder / "project"


Kind: TypeAlias = Callable[[Path], Path]

KINDS: tuple[Kind, ...] = (
    plain,
    below,
    worktree,
    below_worktree,
    submodule,
    with_submodule,
    sparse,
)


def fill(here: Repo, commit: "Repo | str | None" = "itself") -> None:
    """Files of a task."""
    here.write("a.py", "a = 1\n")
    here.write("d/gone.py", "gone\n")
    here.write("d/tool", "#!/bin/sh\n")
    here.write(".gitignore", "build/\n")
    if commit == "itself":
        here.commit_all()
    elif isinstance(commit, Repo):
        commit.commit_all()
    here.write("build/made", "made\n")
    here.write("d/.env", "KEY=1\n")
    here.write(".claude/settings.json", "{}\n")
    here.write(".agent-runner/journal.jsonl", "{}\n")


@pytest.fixture
def place(request: pytest.FixtureRequest, lasting: Path) -> Iterator[Place]:
    kind, tier = request.param
    sandbox = had(tier)
    objects = ObjectStore(lasting / "state")
    yield Place(kind(lasting), lasting, sandbox, objects)
    objects.close()


def places(*kinds: Kind) -> pytest.MarkDecorator:
    """A place of each kind; where nothing is mounted, its repository makes no difference."""
    pairs = [(k, t) for k in kinds for t in TIERS if t.mounts or k in {plain, below}]
    names = [f"{kind.__name__}-{tier.name.lower()}" for kind, tier in pairs]
    return pytest.mark.parametrize("place", pairs, ids=names, indirect=True)


WORK = """
test ! -e .claude; test ! -e d/.env; test ! -e .agent-runner
test "$(cat build/made)" = made
echo 'a = 2' > a.py; rm d/gone.py; chmod +x d/tool
mkdir new; echo n > new/n; echo b > build/more
echo y > .env; mkdir .claude; echo y > .claude/settings.json
"""

CAME_BACK = {
    ".claude/settings.json": "added",
    ".env": "added",
    "a.py": "modified",
    "d/gone.py": "deleted",
    "d/tool": "mode",
    "new/n": "added",
}


@places(*KINDS, without_git)
def test_what_it_does_comes_back_and_the_original_stays(place: Place) -> None:
    stood = snapshot(place.root)
    found = place.changes(WORK)
    if place.root.name == "project" and not (place.root / ".git").exists():
        found.pop("build/more")  # nothing is ignored without git
    assert found == CAME_BACK
    assert snapshot(place.root) == stood
    assert not os.listdir(place.folder / "copies")


@places(*KINDS)
def test_git_says_the_same_there_and_keeps_what_it_is_told_to_itself(place: Place) -> None:
    repo = Repo(place.root)
    asked = (["status", "--porcelain"], ["log", "--format=%H %s"], ["branch", "--show-current"])
    stood = {words[0]: repo.git(*words) for words in asked}
    who = "git -c user.name=x -c user.email=x@example.invalid"
    with place.workshop() as workshop:
        workshop.fill("T1:1")
        for words in asked[1:]:
            assert place.run(workshop, f"git {' '.join(map(repr, words))}") == stood[words[0]]
        seen = place.run(workshop, "git status --porcelain")
        assert ".env" not in seen
        assert not [row for row in seen.splitlines() if row[:2].strip() in {"D", "M"}], seen
        place.run(
            workshop,
            f"echo 'a = 2' > a.py; {who} commit -qam mine; git config core.fsmonitor /x",
        )
        assert [change.path for change in changes(workshop)] == ["a.py"]
    assert {words[0]: repo.git(*words) for words in asked} == stood
    assert "mine" not in repo.git("log", "--all", "--format=%s")
    assert "fsmonitor" not in repo.git("config", "--list")


@places(*KINDS)
def test_what_is_ignored_is_so_by_the_rules_that_it_left(place: Place) -> None:
    found = place.changes("echo '*.tmp' >> .gitignore; echo x > d/x.tmp; echo x > d/x.kept")
    assert found == {".gitignore": "modified", "d/x.kept": "added"}


@places(plain, with_submodule)
def test_a_copy_left_by_a_killed_runner_is_found(place: Place) -> None:
    workshop = place.workshop()
    with workshop:
        workshop.fill("T1:1")
        place.run(workshop, "echo 'a = 2' > a.py; echo n > new")
        workshop.workplace.held.give_back()  # as the system does for one that is killed
        other = place.workshop()
        other.__enter__()
        assert not other.find("T1:2")
        assert other.find("T1:1")
        assert other.changed() == ("a.py", "new")
        assert {one.path: one.content for one in other.left()} == {
            "a.py": b"a = 2\n",
            "new": b"n\n",
        }
        other.__exit__(None, None, None)
        workshop.workplace.held.take()  # as above


@places(plain, with_submodule)
def test_it_is_begun_anew_from_the_files_as_they_are_by_then(place: Place) -> None:
    with place.workshop() as workshop:
        workshop.fill("T1:1")
        place.run(workshop, "echo 'a = 2' > a.py; rm d/gone.py; mkdir -p n/m; echo n > n/m/x")
        (place.root / "a.py").write_text("a = 3\n")
        workshop.fill("T1:2")
        assert place.run(workshop, "cat a.py d/gone.py; ls").startswith("a = 3\ngone\n")
        assert workshop.changed() == ()
